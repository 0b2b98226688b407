import type { RunEventOf } from "@/lib/live/events";
import { type AttemptView, NOTHING_USED, type StepView, type Used } from "./kitchen-state";

/** Views of what events hold. Fields that may be missing are missing in events of servers before they had them. */

interface Costs {
  cost_usd: string | null;
  known_cost_usd?: string | null;
  unpriced_calls?: number;
  is_estimated?: boolean;
}

/** What was used and what it cost; `cost_usd` is null while the price of any call is unknown. */
export function usedOf(data: Costs, tokens: number): Used {
  return {
    tokens,
    isEstimated: data.is_estimated === true,
    costUsd: data.cost_usd,
    knownCostUsd: data.known_cost_usd ?? null,
    unpriced: data.unpriced_calls ?? (data.cost_usd === null ? 1 : 0),
  };
}

/** A request to a model that gave no answer. */
export function attemptOf({ at, data }: RunEventOf<"model.retrying" | "model.failed">): AttemptView {
  return {
    at,
    attempt: data.attempt,
    of: data.of,
    provider: data.provider,
    model: data.model,
    status: data.provider_status,
    reason: data.reason,
    waitS: data.wait_s,
    next: data.then,
  };
}

/** A step as it is queued, before anything has happened to it. */
export function newStep(data: RunEventOf<"execution.queued">["data"]["steps"][number]): StepView {
  return {
    order: data.order,
    stepId: data.step_id,
    path: null,
    agentName: data.agent_name,
    outputKey: data.output_key,
    status: "pending",
    attempt: 1,
    prompt: null,
    model: null,
    turns: [],
    output: null,
    error: null,
    retry: null,
    waitsFor: null,
    role: null,
    signal: null,
    child: null,
    dueAt: null,
    decision: null,
    takenOverFrom: null,
    items: null,
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
