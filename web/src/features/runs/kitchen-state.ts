import type { RunError, RunStatus, StepStatus } from "@/client";

/** What one call of a tool looks like on screen. */
export interface ToolCallView {
  id: string;
  name: string;
  arguments: string;
  state: "running" | "ok" | "failed" | "interrupted";
  output: string | null;
  durationMs: number | null;
}

/** One answer of the model, while it streams and after. */
export interface TurnView {
  turn: number;
  text: string;
  /** What the model thought before it answered, where the provider tells; never part of the answer. */
  reasoning: string;
  /** How the answer ended: complete, tool_calls, cut_off or refused; null while it streams. */
  end: string | null;
  isAnswered: boolean;
  /** Whether the model wrote its tool calls into its text, from which they were read. */
  callsFromText: boolean;
  model: string | null;
  tokens: number;
  /** How many of its input tokens came from the provider's cache, and how many went into it. */
  cacheRead: number;
  cacheWritten: number;
  latencyMs: number | null;
  toolCalls: ToolCallView[];
}

export const NO_TURN: TurnView = {
  turn: 0,
  text: "",
  reasoning: "",
  end: null,
  isAnswered: false,
  callsFromText: false,
  model: null,
  tokens: 0,
  cacheRead: 0,
  cacheWritten: 0,
  latencyMs: null,
  toolCalls: [],
};

/** One request to a model that gave no answer, and what followed. */
export interface AttemptView {
  at: string;
  attempt: number;
  of: number | null;
  provider: string;
  model: string;
  /** The provider's HTTP status, where it answered at all. */
  status: number | null;
  reason: string;
  waitS: number | null;
  next: "again" | "fallback" | "nothing";
}

/** What calls to models used and cost. */
export interface Used {
  tokens: number;
  isEstimated: boolean;
  /** undefined: not known yet; null: the price of a call is not known. */
  costUsd: string | null | undefined;
  knownCostUsd: string | null;
  unpriced: number;
}

export const NOTHING_USED: Used = {
  tokens: 0,
  isEstimated: false,
  costUsd: undefined,
  knownCostUsd: null,
  unpriced: 0,
};

export interface StepView extends Used {
  order: number;
  stepId: string;
  /** Where the step is in a graph, such as `rows[3].check`. */
  path: string | null;
  agentName: string;
  outputKey: string;
  status: StepStatus;
  attempt: number;
  prompt: string | null;
  model: string | null;
  turns: TurnView[];
  output: string | null;
  error: RunError | null;
  retry: { attempt: number; delayS: number; error: RunError | null } | null;
  /** Why it does not go on: its agent has no free slot or is paused, a person decides, a time comes, a run ends. */
  waitsFor: "slot" | "paused" | "approval" | "timer" | "signal" | "run" | null;
  /** The name of the signal that it waits for. */
  signal: string | null;
  /** The run that it has started, of which version of which recipe. */
  child: { runId: string; recipeId: string; version: number } | null;
  /** Who may decide, at least. */
  role: string | null;
  /** When it ends waiting at the latest. */
  dueAt: string | null;
  /** What somebody decided, and who. */
  decision: { isApproved: boolean; by: string; comment: string } | null;
  /** The run in which it was done, where this one did not do it. */
  takenOverFrom: string | null;
  /** For how many items its steps are done. */
  items: number | null;
  attempts: AttemptView[];
  isCutOff: boolean;
  durationMs: number | null;
  startedAt: string | null;
  /** When this attempt began, and how long it may take. */
  attemptAt: string | null;
  timeoutS: number | null;
  /** Since when nothing has come: the model was asked, or tools have answered. */
  silentSince: string | null;
}

export interface KitchenState {
  lastSeq: number;
  status: RunStatus;
  startedAt: string | null;
  finishedAt: string | null;
  recoveries: number;
  steps: StepView[];
  finalOutput: string | null;
  /** What the recipe declares as its outputs, by name, once they are made. */
  outputs: Record<string, unknown> | null;
  totals: (Used & { durationMs: number | null }) | null;
  isCutOff: boolean;
  error: RunError | null;
  cancelledBy: string | null;
  /** The paused agent that holds it up. */
  pausedBy: string | null;
  /** Who has asked to pause the run itself; what is at work is finished first. */
  heldBy: string | null;
}

export const EMPTY_KITCHEN: KitchenState = {
  lastSeq: 0,
  status: "queued",
  startedAt: null,
  finishedAt: null,
  recoveries: 0,
  steps: [],
  finalOutput: null,
  outputs: null,
  totals: null,
  isCutOff: false,
  error: null,
  cancelledBy: null,
  pausedBy: null,
  heldBy: null,
};

const TERMINAL: ReadonlySet<RunStatus> = new Set(["completed", "completed_with_skips", "failed", "cancelled"]);

export function isTerminal(status: RunStatus): boolean {
  return TERMINAL.has(status);
}
