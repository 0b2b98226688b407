import type { RunError, RunStatus, StepStatus } from "@/client";
import type { LiveEvent } from "@/lib/live/events";
import type { KitchenState, StepView, ToolCallView, TurnView } from "./kitchen-state";

/** The screen after one more event. An event that was seen before changes nothing. */
export function cook(state: KitchenState, event: LiveEvent): KitchenState {
  if (event.seq <= state.lastSeq) return state;
  const handler = HANDLERS[event.type];
  const next = handler ? handler(state, event) : state;
  return { ...next, lastSeq: event.seq };
}

type Handler = (state: KitchenState, event: LiveEvent) => KitchenState;

const text = (value: unknown): string => (typeof value === "string" ? value : "");
const count = (value: unknown): number => (typeof value === "number" ? value : 0);
const cost = (value: unknown): string | null => (typeof value === "string" ? value : null);
const list = (value: unknown): Record<string, unknown>[] => (Array.isArray(value) ? value : []);
const failure = (value: unknown): RunError | null => {
  if (typeof value === "string") return { code: "failed", message: value };
  return value !== null && typeof value === "object" ? (value as RunError) : null;
};

function newStep(data: Record<string, unknown>): StepView {
  return {
    order: count(data.order),
    stepId: text(data.step_id),
    agentName: text(data.agent_name),
    outputKey: text(data.output_key),
    status: "pending",
    attempt: 1,
    prompt: null,
    model: null,
    turns: [],
    output: null,
    error: null,
    retry: null,
    waitsFor: null,
    tokens: 0,
    costUsd: undefined,
    durationMs: null,
    startedAt: null,
  };
}

function changeStep(state: KitchenState, event: LiveEvent, change: (step: StepView) => StepView): KitchenState {
  const order = count(event.data.order);
  return { ...state, steps: state.steps.map((step) => (step.order === order ? change(step) : step)) };
}

function changeTurn(step: StepView, number: number, change: (turn: TurnView) => TurnView): StepView {
  const index = step.turns.findIndex((one) => one.turn === number);
  const known = step.turns[index];
  if (known) return { ...step, turns: step.turns.with(index, change(known)) };
  const fresh = { turn: number, text: "", isAnswered: false, model: null, tokens: 0, latencyMs: null, toolCalls: [] };
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
  };
}

function answerTurn(turn: TurnView, data: Record<string, unknown>): TurnView {
  return {
    ...turn,
    text: text(data.text),
    isAnswered: true,
    model: text(data.model) || null,
    tokens: count(data.input_tokens) + count(data.output_tokens),
    latencyMs: typeof data.latency_ms === "number" ? data.latency_ms : null,
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
    durationMs: typeof data.duration_ms === "number" ? data.duration_ms : null,
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
  return { ...step, status, turns, retry: null, waitsFor: null };
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
    totals: {
      tokens: count(event.data.total_tokens),
      costUsd: cost(event.data.cost_usd),
      durationMs: typeof event.data.duration_ms === "number" ? event.data.duration_ms : null,
    },
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
        turn.isAnswered ? turn : { ...turn, text: turn.text + text(event.data.text) },
      ),
    ),
  "model.answered": (state, event) =>
    changeStep(state, event, (step) => {
      const answered = changeTurn(step, count(event.data.turn), (turn) => answerTurn(turn, event.data));
      return { ...answered, tokens: answered.turns.reduce((sum, turn) => sum + turn.tokens, 0) };
    }),
  "tool.finished": (state, event) => changeStep(state, event, (step) => finishTool(step, event.data)),
  "step.restarted": (state, event) =>
    changeStep(state, event, (step) => ({
      ...step,
      turns: step.turns.filter((turn) => turn.turn !== event.data.turn),
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
      tokens: count(event.data.input_tokens) + count(event.data.output_tokens),
      costUsd: cost(event.data.cost_usd),
      durationMs: typeof event.data.duration_ms === "number" ? event.data.duration_ms : null,
    })),
  "step.failed": endStep("failed"),
  "step.skipped": endStep("skipped"),
  "execution.completed": finish("completed", "completed", "pending"),
  "execution.completed_with_skips": finish("completed_with_skips", "completed", "pending"),
  "execution.failed": finish("failed", "failed", "pending"),
  "execution.cancelled": finish("cancelled", "cancelled", "cancelled"),
};
