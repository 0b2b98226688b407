import { expect, test } from "vitest";
import type { LiveEvent } from "./events";
import { Written } from "./written";

const event = (type: string, data: Record<string, unknown>, topic = "run:1") =>
  ({ seq: 0, topic, type, at: "2026-11-30T02:00:00Z", data }) as unknown as LiveEvent;

const piece = (order: number, turn: number, text: string) => event("step.delta", { order, turn, text });

function written(...events: LiveEvent[]): Written {
  const found = new Written();
  for (const one of events) found.take(one);
  return found;
}

const texts = (found: Written) => found.of("run:1").map(({ type, data }) => [type, data.order, data.turn, data.text]);

test("pieces go on from the whole text, each step's by itself", () => {
  const found = written(
    event("step.text", { order: 1, turn: 1, text: "On" }),
    piece(1, 1, "ce"),
    piece(2, 1, "Two"),
    piece(1, 1, " more"),
  );
  expect(texts(found)).toEqual([
    ["step.text", 1, 1, "Once more"],
    ["step.text", 2, 1, "Two"],
  ]);
});

test("what is answered, asked again or over is no longer being written", () => {
  expect(texts(written(piece(1, 1, "a"), event("model.answered", { order: 1, turn: 1 })))).toEqual([]);
  expect(texts(written(piece(1, 1, "a"), event("step.restarted", { order: 1, turn: 1 }), piece(1, 1, "b")))).toEqual([
    ["step.text", 1, 1, "b"],
  ]);
  expect(texts(written(piece(1, 1, "a"), event("execution.cancelled", {})))).toEqual([]);
});

test("a later turn does not begin with the text of an earlier one", () => {
  expect(texts(written(piece(1, 1, "a"), piece(1, 2, "b")))).toEqual([["step.text", 1, 2, "b"]]);
});

test("another run and a hint of a list change nothing", () => {
  const found = written(piece(1, 1, "a"), event("step.delta", { order: 1, turn: 1, text: "z" }, "run:2"));
  found.take({ topic: "runs" } as LiveEvent);
  expect(texts(found)).toEqual([["step.text", 1, 1, "a"]]);
});
