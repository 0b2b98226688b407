import { expect, test } from "vitest";
import { eventsOf } from "./event-stream";

async function* cut(...pieces: string[]) {
  yield* pieces;
}

async function read(...pieces: string[]): Promise<unknown[]> {
  const events: unknown[] = [];
  for await (const event of eventsOf(cut(...pieces))) events.push(event);
  return events;
}

test("events are whole however the stream is cut", async () => {
  const text = 'event: delta\ndata: {"text": "one"}\n\nevent: done\ndata: {"text": "all"}\n\n';
  const whole = [
    { type: "delta", data: { text: "one" } },
    { type: "done", data: { text: "all" } },
  ];
  expect(await read(text)).toEqual(whole);
  expect(await read(...text)).toEqual(whole);
  expect(await read(text.replaceAll("\n", "\r\n"))).toEqual(whole);
});

test("keep-alives and an unfinished last event say nothing", async () => {
  expect(await read(": ping\n\n", "event: delta\ndata: {}")).toEqual([]);
});
