import { expect, test } from "vitest";
import { heard, NO_ANSWER, type TrialEvent } from "./trial";

const COST = { model_id: "m", provider: "p", input_tokens: 3, output_tokens: 2, cost_usd: null, latency_ms: 7 };

test("an answer grows piece by piece and ends as the server says it", () => {
  const events: TrialEvent[] = [
    { type: "delta", data: { text: "Good " } },
    { type: "delta", data: { text: "mor" } },
    { type: "done", data: { text: "Good morning", ...COST } },
  ];
  const answer = events.reduce(heard, NO_ANSWER);
  expect(answer.text).toBe("Good morning");
  expect(answer.cost).toMatchObject({ input_tokens: 3 });
});

test("an answer that breaks off keeps what came and says why", () => {
  const events: TrialEvent[] = [
    { type: "delta", data: { text: "Good " } },
    {
      type: "failed",
      data: { type: "urn:x", status: 503, code: "provider_unavailable", title: "No answer", detail: "Try again." },
    },
  ];
  const answer = events.reduce(heard, NO_ANSWER);
  expect(answer.text).toBe("Good ");
  expect(answer.problem).toMatchObject({ status: 503, code: "provider_unavailable", message: "Try again." });
});
