import type { StreamedEvent } from "@/lib/event-stream";
import { Problem } from "@/lib/problem";

export interface TrialMessage {
  role: "user" | "assistant";
  content: string;
}

/** What an answer took. */
export interface TrialCost {
  model_id: string;
  input_tokens: number;
  output_tokens: number;
  cost_usd: string | null;
  latency_ms: number;
}

/** An answer while it comes. */
export interface TrialAnswer {
  text: string;
  cost: TrialCost | null;
  problem: Problem | null;
}

export const NO_ANSWER: TrialAnswer = { text: "", cost: null, problem: null };

/** The answer after one more event of its stream. */
export function heard(answer: TrialAnswer, { type, data }: StreamedEvent): TrialAnswer {
  switch (type) {
    case "delta":
      return { ...answer, text: answer.text + (data as { text: string }).text };
    case "done":
      return { ...answer, text: (data as { text: string }).text, cost: data as TrialCost };
    case "failed": {
      const body = data as Record<string, unknown>;
      return { ...answer, problem: new Problem(Number(body.status) || 0, body, null) };
    }
    default:
      return answer;
  }
}
