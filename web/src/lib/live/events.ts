import types from "virtual:run-event-types";
import type { Changed, RunEvent } from "@/client";

export type RunEventType = RunEvent["type"];

/** The events of one type, or of several. */
export type RunEventOf<Type extends RunEventType> = Extract<RunEvent, { type: Type }>;

/** The types of a run's events. EventSource cannot listen to "any", so the server's list is also needed at run time. */
export const RUN_EVENT_TYPES: readonly RunEventType[] = types;

/** What arrives on a topic: an event of a run, or on the topic of a list that it is to be read again. */
export type LiveEvent = RunEvent | Changed;

export type Connection = "connecting" | "live" | "retrying" | "offline";
