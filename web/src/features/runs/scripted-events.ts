import type { RunEvent } from "@/client";
import type { RunEventOf, RunEventType } from "@/lib/live/events";

/** For tests: an event's type and as much of its data as the test is about. */
export type Told = { [Type in RunEventType]: [type: Type, data?: Partial<RunEventOf<Type>["data"]>] }[RunEventType];

/** For tests: these events as a run tells them, numbered from 1. */
export function log(...told: Told[]): RunEvent[] {
  return told.map(([type, data = {}], index) => {
    const at = `2026-01-01T00:00:${String(index).padStart(2, "0")}Z`;
    return { seq: index + 1, topic: "run:1", type, at, data } as RunEvent;
  });
}

/** For tests: the same without numbers, as an answer is told while it is being written. */
export const live = (...told: Told[]): RunEvent[] => log(...told).map((event) => ({ ...event, seq: 0 }));
