/** The event types of one execution's stream. EventSource cannot listen to "any", so the list is also needed at run time. */
export const RUN_EVENT_TYPES = [
  "execution.queued",
  "execution.started",
  "execution.recovered",
  "execution.waiting",
  "execution.paused",
  "execution.resumed",
  "step.started",
  "step.delta",
  "model.answered",
  "model.retrying",
  "model.failed",
  "tool.finished",
  "step.restarted",
  "step.retrying",
  "step.completed",
  "step.failed",
  "step.skipped",
  "execution.completed",
  "execution.completed_with_skips",
  "execution.failed",
  "execution.cancelled",
] as const;

export type RunEventType = (typeof RUN_EVENT_TYPES)[number];

/** One frame of the stream. `seq` counts from 1 without holes within a `run:` topic; a hint has only its topic. */
export interface LiveEvent {
  seq: number;
  topic: string;
  type: string;
  at: string;
  data: Record<string, unknown>;
}

export type Connection = "connecting" | "live" | "retrying" | "offline";
