import type { RunStatus, StepStatus } from "@/client";
import type { LiveEvent } from "@/lib/live/events";
import { attemptOf, count, failure, list, newStep, numberOr, record, text, usedOf } from "./event-data";
import { type KitchenState, NO_TURN, type StepView, type ToolCallView, type TurnView } from "./kitchen-state";

/** The screen after one more event. An event that was seen before changes nothing. */
export function cook(state: KitchenState, event: LiveEvent): KitchenState {
  if (event.seq <= state.lastSeq) return state;
  const handler = HANDLERS[event.type];
  const next = handler ? handler(state, event) : state;
  return { ...next, lastSeq: event.seq };
}

type Handler = (state: KitchenState, event: LiveEvent) => KitchenState;

function changeStep(state: KitchenState, event: LiveEvent, change: (step: StepView) => StepView): KitchenState {
  const order = count(event.data.order);
  return { ...state, steps: state.steps.map((step) => (step.order === order ? change(step) : step)) };
}

function changeTurn(step: StepView, number: number, change: (turn: TurnView) => TurnView): StepView {
  const index = step.turns.findIndex((one) => one.turn === number);
  const known = step.turns[index];
  if (known) return { ...step, turns: step.turns.with(index, change(known)) };
  const fresh: TurnView = { ...NO_TURN, turn: number };
  return { ...step, turns: [...step.turns, change(fresh)] };
}

function startStep(step: StepView, event: LiveEvent): StepView {
  const attempt = count(event.data.attempt) || 1;
  return {
    ...step,
    status: "running",
    attempt,
    prompt: text(event.data.prompt) || step.prompt,
    model: text(event.data.model) || step.model,
    agentName: text(event.data.agent_name) || step.agentName,
    turns: attempt === step.attempt ? step.turns : [],
    tokens: attempt === step.attempt ? step.tokens : 0,
    error: null,
    retry: null,
    waitsFor: null,
    startedAt: step.startedAt ?? event.at,
    attemptAt: event.at,
    timeoutS: numberOr(event.data.timeout_s, null),
    silentSince: event.at,
  };
}

function answerTurn(turn: TurnView, data: Record<string, unknown>): TurnView {
  return {
    ...turn,
    text: text(data.text),
    reasoning: text(data.reasoning) || turn.reasoning,
    end: text(data.end) || null,
    isAnswered: true,
    model: text(data.model) || null,
    tokens: count(data.input_tokens) + count(data.output_tokens),
    cacheRead: count(data.cache_read_tokens),
    cacheWritten: count(data.cache_write_tokens),
    latencyMs: numberOr(data.latency_ms, null),
    toolCalls: list(data.tool_calls).map((call) => ({
      id: text(call.id),
      name: text(call.name),
      arguments: text(call.arguments),
      state: "running",
      output: null,
      durationMs: null,
    })),
  };
}

/** Results are numbered on from the answer that asked for them; call ids may repeat from one answer to the next. */
function finishTool(step: StepView, data: Record<string, unknown>): StepView {
  const number = count(data.turn);
  const turn = step.turns.findLast((one) => one.turn < number) ?? step.turns.at(-1);
  if (!turn) return step;
  const byPlace = number - turn.turn - 1;
  const place = turn.toolCalls[byPlace] ? byPlace : turn.toolCalls.findIndex((call) => call.id === data.call_id);
  const done: ToolCallView = {
    id: text(data.call_id),
    name: text(data.name),
    arguments: text(data.arguments) || (turn.toolCalls[place]?.arguments ?? ""),
    state: data.ok ? "ok" : "failed",
    output: text(data.output),
    durationMs: numberOr(data.duration_ms, null),
  };
  const toolCalls = place >= 0 ? turn.toolCalls.with(place, done) : [...turn.toolCalls, done];
  return changeTurn(step, turn.turn, (one) => ({ ...one, toolCalls }));
}

/** A step that goes no further: what was still under way in it is shown as interrupted. */
function settle(step: StepView, status: StepStatus): StepView {
  const turns = step.turns.map((turn) => ({
    ...turn,
    toolCalls: turn.toolCalls.map((call) =>
      call.state === "running" ? { ...call, state: "interrupted" as const } : call,
    ),
  }));
  return { ...step, status, turns, retry: null, waitsFor: null, silentSince: null };
}

function endStep(status: StepStatus): Handler {
  return (state, event) =>
    changeStep(state, event, (step) => ({ ...settle(step, status), error: failure(event.data.error) }));
}

function finish(status: RunStatus, unfinished: StepStatus, untouched: StepStatus): Handler {
  return (state, event) => ({
    ...state,
    status,
    finishedAt: event.at,
    finalOutput: typeof event.data.final_output === "string" ? event.data.final_output : state.finalOutput,
    outputs: record(event.data.outputs) ?? state.outputs,
    totals: {
      ...usedOf(event.data, count(event.data.total_tokens)),
      durationMs: numberOr(event.data.duration_ms, null),
    },
    isCutOff: event.data.is_cut_off === true,
    error: failure(event.data.error),
    cancelledBy: text(event.data.by) || null,
    pausedBy: null,
    steps: state.steps.map((step) => {
      if (step.status === "running") return settle(step, unfinished);
      return step.status === "pending" ? { ...step, status: untouched, waitsFor: null } : step;
    }),
  });
}

/** The run is at work, whatever held it up before. */
function goOn(state: KitchenState): KitchenState {
  const steps = state.steps.map((step) => (step.waitsFor ? { ...step, waitsFor: null } : step));
  return { ...state, status: "running", pausedBy: null, steps };
}

/** The step that is held up, if the event names one, says so until it goes on. */
function pause(state: KitchenState, event: LiveEvent): KitchenState {
  const pausedBy = text(event.data.agent_name) || text(event.data.by) || "its agent";
  return changeStep({ ...state, status: "paused", pausedBy }, event, (step) => ({ ...step, waitsFor: "paused" }));
}

function wait(state: KitchenState, event: LiveEvent): KitchenState {
  const waitsFor = event.data.reason === "paused" ? "paused" : "slot";
  const agentName = text(event.data.agent_name);
  return changeStep({ ...state, status: "waiting" }, event, (step) => ({
    ...step,
    waitsFor,
    agentName: agentName || step.agentName,
  }));
}

/** A request that gave no answer stays in sight, with what follows it. */
const failAttempt: Handler = (state, event) =>
  changeStep(state, event, (step) => ({
    ...step,
    attempts: [...step.attempts, attemptOf(event)],
    silentSince: event.at,
  }));

const HANDLERS: Record<string, Handler> = {
  "execution.queued": (state, event) => ({ ...state, steps: list(event.data.steps).map(newStep) }),
  "execution.started": (state, event) => ({ ...state, status: "running", startedAt: event.at }),
  "execution.recovered": (state) => ({
    ...state,
    status: "running",
    recoveries: state.recoveries + 1,
    steps: state.steps.map((step) =>
      step.status === "running" ? { ...step, turns: step.turns.filter((turn) => turn.isAnswered) } : step,
    ),
  }),
  "execution.waiting": wait,
  "execution.paused": pause,
  "execution.resumed": goOn,
  "step.started": (state, event) => changeStep(goOn(state), event, (step) => startStep(step, event)),
  "step.delta": (state, event) =>
    changeStep(state, event, (step) =>
      changeTurn(step, count(event.data.turn), (turn) =>
        turn.isAnswered
          ? turn
          : {
              ...turn,
              text: turn.text + text(event.data.text),
              reasoning: turn.reasoning + text(event.data.reasoning),
            },
      ),
    ),
  "model.answered": (state, event) =>
    changeStep(state, event, (step) => {
      const answered = changeTurn(step, count(event.data.turn), (turn) => answerTurn(turn, event.data));
      return {
        ...answered,
        tokens: answered.turns.reduce((sum, turn) => sum + turn.tokens, 0),
        isEstimated: step.isEstimated || event.data.is_estimated === true,
        silentSince: event.at,
      };
    }),
  "model.retrying": failAttempt,
  "model.failed": failAttempt,
  "tool.finished": (state, event) =>
    changeStep(state, event, (step) => ({ ...finishTool(step, event.data), silentSince: event.at })),
  "step.restarted": (state, event) =>
    changeStep(state, event, (step) => ({
      ...step,
      turns: step.turns.filter((turn) => turn.turn !== event.data.turn),
      silentSince: event.at,
    })),
  "step.retrying": (state, event) =>
    changeStep(state, event, (step) => ({
      ...step,
      turns: step.turns.filter((turn) => turn.isAnswered),
      retry: {
        attempt: count(event.data.attempt),
        delayS: count(event.data.delay_s),
        error: failure(event.data.error),
      },
    })),
  "step.completed": (state, event) =>
    changeStep(state, event, (step) => ({
      ...settle(step, "completed"),
      output: text(event.data.output),
      ...usedOf(event.data, count(event.data.input_tokens) + count(event.data.output_tokens)),
      isCutOff: event.data.is_cut_off === true,
      durationMs: numberOr(event.data.duration_ms, null),
    })),
  "step.failed": endStep("failed"),
  "step.skipped": endStep("skipped"),
  "execution.completed": finish("completed", "completed", "pending"),
  "execution.completed_with_skips": finish("completed_with_skips", "completed", "pending"),
  "execution.failed": finish("failed", "failed", "pending"),
  "execution.cancelled": finish("cancelled", "cancelled", "cancelled"),
};
