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
  isAnswered: boolean;
  model: string | null;
  tokens: number;
  latencyMs: number | null;
  toolCalls: ToolCallView[];
}

export interface StepView {
  order: number;
  stepId: string;
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
  /** Why it cannot begin yet: its agent has no free slot, or is paused. */
  waitsFor: "slot" | "paused" | null;
  tokens: number;
  /** undefined: not known yet; null: the model has no known price. */
  costUsd: string | null | undefined;
  durationMs: number | null;
  startedAt: string | null;
}

export interface KitchenState {
  lastSeq: number;
  status: RunStatus;
  startedAt: string | null;
  finishedAt: string | null;
  recoveries: number;
  steps: StepView[];
  finalOutput: string | null;
  totals: { tokens: number; costUsd: string | null; durationMs: number | null } | null;
  error: RunError | null;
  cancelledBy: string | null;
  /** Who paused it, by name; null while it is not paused. */
  pausedBy: string | null;
}

export const EMPTY_KITCHEN: KitchenState = {
  lastSeq: 0,
  status: "queued",
  startedAt: null,
  finishedAt: null,
  recoveries: 0,
  steps: [],
  finalOutput: null,
  totals: null,
  error: null,
  cancelledBy: null,
  pausedBy: null,
};

const TERMINAL: ReadonlySet<RunStatus> = new Set(["completed", "completed_with_skips", "failed", "cancelled"]);

export function isTerminal(status: RunStatus): boolean {
  return TERMINAL.has(status);
}
