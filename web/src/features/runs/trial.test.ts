import { expect, test } from "vitest";
import { heard, NO_ANSWER } from "./trial";

test("an answer grows piece by piece and ends as the server says it", () => {
  const events = [
    { type: "delta", data: { text: "Good " } },
    { type: "delta", data: { text: "mor" } },
    { type: "done", data: { text: "Good morning", model_id: "m", input_tokens: 3, output_tokens: 2 } },
  ];
  const answer = events.reduce(heard, NO_ANSWER);
  expect(answer.text).toBe("Good morning");
  expect(answer.cost).toMatchObject({ input_tokens: 3 });
});

test("an answer that breaks off keeps what came and says why", () => {
  const answer = [
    { type: "delta", data: { text: "Good " } },
    { type: "failed", data: { status: 503, code: "provider_unavailable", title: "No answer", detail: "Try again." } },
  ].reduce(heard, NO_ANSWER);
  expect(answer.text).toBe("Good ");
  expect(answer.problem).toMatchObject({ status: 503, code: "provider_unavailable", message: "Try again." });
});
