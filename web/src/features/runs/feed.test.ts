import { describe, expect, test } from "vitest";
import type { RunEvent } from "@/client";
import { RunFeed } from "./feed";
import { live, log, type Told } from "./scripted-events";

const QUEUED: Told = [
  "execution.queued",
  { steps: [{ order: 1, step_id: "draft", agent_id: 7, agent_name: "Writer", output_key: "draft" }] },
];
const STEP: Told = ["step.started", { order: 1, attempt: 1, prompt: "Write", model: "m" }];
const delta = (text: string): Told => ["step.delta", { order: 1, turn: 1, text }];

function nth(events: RunEvent[], index: number): RunEvent {
  const found = events[index];
  if (!found) throw new Error(`no event ${index}`);
  return found;
}

describe("the feed", () => {
  const events = log(QUEUED, ["execution.started"], STEP, delta("a"), delta("b"), delta("c"));
  const stored = (upTo: number) => async (after: number) => events.filter((one) => one.seq > after && one.seq <= upTo);

  test("reads the log over a hole and applies each event once", async () => {
    const feed = new RunFeed(stored(5));
    await feed.read();
    for (const event of [nth(events, 3), nth(events, 4), nth(events, 5), nth(events, 5)]) feed.receive(event);
    expect(feed.snapshot().steps[0]?.turns[0]?.text).toBe("abc");

    const late = new RunFeed(stored(5));
    late.receive(nth(events, 5));
    await expect.poll(() => late.snapshot().lastSeq).toBe(6);
    expect(late.snapshot().steps[0]?.turns[0]?.text).toBe("abc");
  });

  test("keeps what is being written while it reads the log, and then goes on from there", async () => {
    const facts = events.slice(0, 3);
    const feed = new RunFeed(async (after) => facts.filter((one) => one.seq > after));
    const reading = feed.read();
    for (const piece of live(delta("a"), delta("b"))) feed.receive(piece);
    expect(feed.snapshot().steps).toEqual([]);
    await reading;
    for (const piece of live(delta("c"))) feed.receive(piece);
    expect(feed.snapshot().steps[0]?.turns[0]?.text).toBe("abc");
    expect(feed.snapshot().lastSeq).toBe(3);
  });

  test("keeps what it has when the log cannot be read, and says so", async () => {
    const feed = new RunFeed(() => Promise.reject(new Error("down")));
    feed.receive(nth(events, 0));
    await feed.read();
    expect(feed.snapshot().lastSeq).toBe(1);
    expect(feed.error()).toBeInstanceOf(Error);
  });
});
