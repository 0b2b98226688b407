import type { RunError } from "@/client";
import type { LiveEvent } from "@/lib/live/events";
import { type AttemptView, NOTHING_USED, type StepView, type Used } from "./kitchen-state";

/** Reading the data of events: what is missing or of another shape is nothing. */

type Data = Record<string, unknown>;

export const text = (value: unknown): string => (typeof value === "string" ? value : "");
export const count = (value: unknown): number => (typeof value === "number" ? value : 0);
export const list = (value: unknown): Data[] => (Array.isArray(value) ? value : []);
export const record = (value: unknown): Data | null =>
  value !== null && typeof value === "object" && !Array.isArray(value) ? (value as Data) : null;
export const numberOr = <T>(value: unknown, other: T): number | T => (typeof value === "number" ? value : other);
const textOrNull = (value: unknown): string | null => (typeof value === "string" ? value : null);

export function failure(value: unknown): RunError | null {
  if (typeof value === "string") return { code: "failed", message: value };
  return value !== null && typeof value === "object" ? (value as RunError) : null;
}

/** What was used and what it cost; `cost_usd` is null while the price of any call is unknown. */
export function usedOf(data: Data, tokens: number): Used {
  const costUsd = textOrNull(data.cost_usd);
  return {
    tokens,
    isEstimated: data.is_estimated === true,
    costUsd,
    knownCostUsd: textOrNull(data.known_cost_usd),
    unpriced: numberOr(data.unpriced_calls, costUsd === null ? 1 : 0),
  };
}

export function attemptOf({ at, type, data }: LiveEvent): AttemptView {
  const next = data.then === "again" || data.then === "fallback" ? data.then : "nothing";
  return {
    at,
    attempt: count(data.attempt),
    of: numberOr(data.of, null),
    provider: text(data.provider),
    model: text(data.model),
    status: numberOr(data.provider_status, null),
    reason: text(data.reason),
    waitS: numberOr(data.wait_s, null),
    next: type === "model.failed" ? "nothing" : next,
  };
}

/** A step as it is queued, before anything has happened to it. */
export function newStep(data: Record<string, unknown>): StepView {
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
    ...NOTHING_USED,
    attempts: [],
    isCutOff: false,
    durationMs: null,
    startedAt: null,
    attemptAt: null,
    timeoutS: null,
    silentSince: null,
  };
}
