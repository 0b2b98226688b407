import type { RunEvent, RunStatus, StepStatus } from "@/client";
import type { RunEventOf, RunEventType } from "@/lib/live/events";
import { attemptOf, newStep, usedOf } from "./event-data";
import { decideStep, expandStep, known, suspendStep, takeOverStep } from "./kitchen-flow";
import { type KitchenState, NO_TURN, type StepView, type ToolCallView, type TurnView } from "./kitchen-state";

/** Whether an event is a fact of the log; the others tell of an answer that is being written. */
export const isFact = (event: RunEvent): boolean => event.seq > 0;

/** The screen after one more event. One that was seen before, or of a type that only newer servers know, says nothing. */
export function cook(state: KitchenState, event: RunEvent): KitchenState {
  if (isFact(event) && event.seq <= state.lastSeq) return state;
  const takeIn = (TAKE_IN as Partial<Record<string, (state: KitchenState, event: never) => KitchenState>>)[event.type];
  const next = takeIn ? takeIn(state, event as never) : state;
  return isFact(event) ? { ...next, lastSeq: event.seq } : next;
}

/** What the screen makes of each type; one that is missing here does not compile. */
type TakeIn = { [Type in RunEventType]: (state: KitchenState, event: RunEventOf<Type>) => KitchenState };

function changeStep(
  state: KitchenState,
  event: { data: { order: number } },
  change: (step: StepView) => StepView,
): KitchenState {
  const { order } = event.data;
  return { ...state, steps: state.steps.map((step) => (step.order === order ? change(step) : step)) };
}

function changeTurn(step: StepView, number: number, change: (turn: TurnView) => TurnView): StepView {
  const index = step.turns.findIndex((one) => one.turn === number);
  const known = step.turns[index];
  if (known) return { ...step, turns: step.turns.with(index, change(known)) };
  const fresh: TurnView = { ...NO_TURN, turn: number };
  return { ...step, turns: [...step.turns, change(fresh)] };
}

function startStep(step: StepView, { at, data }: RunEventOf<"step.started">): StepView {
  const { attempt } = data;
  return {
    ...step,
    status: "running",
    attempt,
    prompt: data.prompt,
    model: data.model,
    agentName: data.agent_name,
    turns: attempt === step.attempt ? step.turns : [],
    tokens: attempt === step.attempt ? step.tokens : 0,
    error: null,
    retry: null,
    waitsFor: null,
    startedAt: step.startedAt ?? at,
    attemptAt: at,
    timeoutS: data.timeout_s ?? null,
    silentSince: at,
  };
}

function answerTurn(turn: TurnView, data: RunEventOf<"model.answered">["data"]): TurnView {
  return {
    ...turn,
    text: data.text,
    reasoning: data.reasoning || turn.reasoning,
    end: data.end ?? null,
    isAnswered: true,
    callsFromText: data.calls_from_text ?? false,
    model: data.model,
    tokens: data.input_tokens + data.output_tokens,
    cacheRead: data.cache_read_tokens ?? 0,
    cacheWritten: data.cache_write_tokens ?? 0,
    latencyMs: data.latency_ms,
    toolCalls: data.tool_calls.map((call) => ({ ...call, state: "running", output: null, durationMs: null })),
  };
}

/** Results are numbered on from the answer that asked for them; call ids may repeat from one answer to the next. */
function finishTool(step: StepView, data: RunEventOf<"tool.finished">["data"]): StepView {
  const turn = step.turns.findLast((one) => one.turn < data.turn) ?? step.turns.at(-1);
  if (!turn) return step;
  const byPlace = data.turn - turn.turn - 1;
  const place = turn.toolCalls[byPlace] ? byPlace : turn.toolCalls.findIndex((call) => call.id === data.call_id);
  const done: ToolCallView = {
    id: data.call_id,
    name: data.name,
    arguments: data.arguments,
    state: data.ok ? "ok" : "failed",
    output: data.output,
    durationMs: data.duration_ms,
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

type StepEnd = RunEventOf<"step.failed" | "step.skipped" | "step.cancelled">;

function endStep(status: StepStatus) {
  return (state: KitchenState, event: StepEnd) =>
    changeStep(known(state, event.data), event, (step) => ({ ...settle(step, status), error: event.data.error }));
}

type RunEnd = RunEventOf<
  "execution.completed" | "execution.completed_with_skips" | "execution.failed" | "execution.cancelled"
>;

function finish(status: RunStatus, unfinished: StepStatus, untouched: StepStatus) {
  return (state: KitchenState, { at, data }: RunEnd): KitchenState => ({
    ...state,
    status,
    finishedAt: at,
    finalOutput: data.final_output ?? state.finalOutput,
    outputs: data.outputs ?? state.outputs,
    totals: { ...usedOf(data, data.total_tokens), durationMs: data.duration_ms },
    isCutOff: data.is_cut_off === true,
    error: data.error ?? null,
    cancelledBy: ("by" in data && data.by) || null,
    pausedBy: null,
    heldBy: null,
    steps: state.steps.map((step) => {
      if (step.status === "running" || step.status === "waiting") return settle(step, unfinished);
      return step.status === "pending" ? { ...step, status: untouched, waitsFor: null } : step;
    }),
  });
}

/** The run is at work, whatever held it up before. */
function goOn(state: KitchenState): KitchenState {
  const steps = state.steps.map((step) =>
    step.waitsFor && step.status !== "waiting" ? { ...step, waitsFor: null } : step,
  );
  return { ...state, status: state.startedAt ? "running" : "queued", pausedBy: null, steps };
}

/** The step that is held up says so until it goes on. */
function hold(state: KitchenState, event: RunEventOf<"execution.waiting" | "execution.paused">): KitchenState {
  const agentName = event.data.agent_name;
  const isPaused = event.type === "execution.paused";
  const held: KitchenState = isPaused
    ? { ...state, status: "paused", pausedBy: agentName }
    : { ...state, status: "waiting" };
  return changeStep(held, event, (step) => ({ ...step, waitsFor: isPaused ? "paused" : "slot", agentName }));
}

/** A request that gave no answer stays in sight, with what follows it. */
const failAttempt = (state: KitchenState, event: RunEventOf<"model.retrying" | "model.failed">) =>
  changeStep(state, event, (step) => ({
    ...step,
    attempts: [...step.attempts, attemptOf(event)],
    silentSince: event.at,
  }));

/** One entry for each type of event. */
export const TAKE_IN: TakeIn = {
  "execution.queued": (state, event) => ({ ...state, steps: event.data.steps.map(newStep) }),
  "execution.started": (state, event) => ({ ...state, status: "running", startedAt: event.at }),
  "execution.recovered": (state) => ({
    ...state,
    status: "running",
    recoveries: state.recoveries + 1,
    steps: state.steps.map((step) =>
      step.status === "running" ? { ...step, turns: step.turns.filter((turn) => turn.isAnswered) } : step,
    ),
  }),
  "execution.waiting": hold,
  "execution.paused": hold,
  "execution.signalled": (state) => state,
  "execution.pausing": (state, event) => ({ ...state, heldBy: event.data.by }),
  "execution.held": (state, event) => ({ ...state, status: "paused", heldBy: event.data.by }),
  "execution.resumed": (state) => ({ ...goOn(state), heldBy: null }),
  "step.started": (state, event) => changeStep(known(goOn(state), event.data), event, (step) => startStep(step, event)),
  "step.taken_over": takeOverStep,
  "step.waiting": suspendStep,
  "step.decided": decideStep,
  "step.expanded": expandStep,
  "step.text": (state, event) =>
    changeStep(state, event, (step) =>
      changeTurn(step, event.data.turn, (turn) =>
        turn.isAnswered ? turn : { ...turn, text: event.data.text, reasoning: event.data.reasoning ?? "" },
      ),
    ),
  "step.delta": (state, event) =>
    changeStep(state, event, (step) =>
      changeTurn(step, event.data.turn, (turn) =>
        turn.isAnswered
          ? turn
          : {
              ...turn,
              text: turn.text + event.data.text,
              reasoning: turn.reasoning + (event.data.reasoning ?? ""),
            },
      ),
    ),
  "model.answered": (state, event) =>
    changeStep(state, event, (step) => {
      const answered = changeTurn(step, event.data.turn, (turn) => answerTurn(turn, event.data));
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
      retry: { attempt: event.data.attempt, delayS: event.data.delay_s, error: event.data.error },
    })),
  "step.completed": (state, event) =>
    changeStep(state, event, (step) => ({
      ...settle(step, "completed"),
      output: event.data.output,
      ...usedOf(event.data, event.data.input_tokens + event.data.output_tokens),
      isCutOff: event.data.is_cut_off === true,
      durationMs: event.data.duration_ms,
    })),
  "step.failed": endStep("failed"),
  "step.skipped": endStep("skipped"),
  "step.cancelled": endStep("cancelled"),
  "execution.completed": finish("completed", "completed", "pending"),
  "execution.completed_with_skips": finish("completed_with_skips", "completed", "pending"),
  "execution.failed": finish("failed", "failed", "pending"),
  "execution.cancelled": finish("cancelled", "cancelled", "cancelled"),
};
