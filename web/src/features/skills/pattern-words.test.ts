import { expect, test } from "vitest";
import { linesOf } from "./pattern-words";

test("whatever a pattern is made of reads as sentences and points", () => {
  const lines = linesOf({
    when: "Steps fail.",
    on_tie: "random",
    participants: { least: 3, odd_number: true },
    fallback: ["another model", "a partial result"],
    levels: [{ risk: "can be undone", decides: "the agent" }],
    error_types: { input: { do: "ask", examples: ["missing field", "unreadable file"] } },
  });
  expect(lines.map((line) => [line.name, line.isText, line.points])).toEqual([
    ["when", true, ["Steps fail."]],
    ["on tie", true, ["random"]],
    ["participants", false, ["least: 3", "odd number: yes"]],
    ["fallback", false, ["another model", "a partial result"]],
    ["levels", false, ["risk: can be undone; decides: the agent"]],
    ["error types", false, ["input: do: ask; examples: missing field, unreadable file"]],
  ]);
});
