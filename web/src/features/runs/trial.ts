import type { components } from "@/client/schema";
import { Problem } from "@/lib/problem";

type Schemas = components["schemas"];

export type TrialMessage = Schemas["TryMessage"];

/** What an answer took. */
export type TrialCost = Omit<Schemas["TryDone"], "text">;

/** One event of the stream of an answer. */
export type TrialEvent =
  | { type: "delta"; data: Schemas["TryDelta"] }
  | { type: "done"; data: Schemas["TryDone"] }
  | { type: "failed"; data: Schemas["TryFailed"] };

/** An answer while it comes. */
export interface TrialAnswer {
  text: string;
  cost: TrialCost | null;
  problem: Problem | null;
}

export const NO_ANSWER: TrialAnswer = { text: "", cost: null, problem: null };

/** The answer after one more event of its stream; types that only a newer server knows change nothing. */
export function heard(answer: TrialAnswer, event: TrialEvent): TrialAnswer {
  switch (event.type) {
    case "delta":
      return { ...answer, text: answer.text + event.data.text };
    case "done":
      return { ...answer, text: event.data.text, cost: event.data };
    case "failed":
      return { ...answer, problem: new Problem(event.data.status, { ...event.data }, null) };
    default:
      return answer;
  }
}
