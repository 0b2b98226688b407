import { describe, expect, test } from "vitest";
import type { RunEvent } from "@/client";
import type { RunEventOf } from "@/lib/live/events";
import { cook } from "./kitchen";
import { EMPTY_KITCHEN, type KitchenState } from "./kitchen-state";
import { log, type Told } from "./scripted-events";

const replay = (events: RunEvent[]): KitchenState => events.reduce(cook, EMPTY_KITCHEN);
const step = (state: KitchenState, order: number) => state.steps.find((one) => one.order === order);

/** Spelled so that the linter does not take the object for a promise. */
const NEXT = "then" as const;

const QUEUED: Told = [
  "execution.queued",
  { steps: [{ order: 1, step_id: "draft", agent_id: 7, agent_name: "Writer", output_key: "draft" }] },
];
const STARTED: Told = ["execution.started"];
const step1 = (): Told => ["step.started", { order: 1, attempt: 1, prompt: "Write", model: "m" }];
const answered = (text: string, more: Partial<RunEventOf<"model.answered">["data"]> = {}): Told => [
  "model.answered",
  { order: 1, turn: 1, text, tool_calls: [], input_tokens: 10, output_tokens: 5, ...more },
];

describe("what a provider says", () => {
  const retrying: Told = [
    "model.retrying",
    { order: 1, attempt: 1, of: 3, provider_status: 429, wait_s: 2, [NEXT]: "again" },
  ];
  const failing: Told = [
    "model.failed",
    { order: 1, attempt: 3, of: 3, provider_status: null, reason: "down", [NEXT]: "nothing" },
  ];

  test("every request without an answer stays in sight, also when the next is answered or none follows", () => {
    const state = replay(log(QUEUED, STARTED, step1(), retrying, answered("Hello")));
    expect(step(state, 1)?.attempts).toMatchObject([{ attempt: 1, of: 3, status: 429, waitS: 2, next: "again" }]);
    const failed = replay(log(QUEUED, STARTED, step1(), failing));
    expect(step(failed, 1)?.attempts).toMatchObject([{ attempt: 3, of: 3, status: null, next: "nothing" }]);
  });

  test("reasoning is kept apart from the answer", () => {
    const thought = answered("Paris", { reasoning: "France?", end: "cut_off" });
    const state = replay(log(QUEUED, STARTED, step1(), thought));
    expect(step(state, 1)?.turns[0]).toMatchObject({ text: "Paris", reasoning: "France?", end: "cut_off" });
  });

  test("tool calls that were read out of the text are marked on their turn", () => {
    const state = replay(log(QUEUED, STARTED, step1(), answered("Let me see.", { calls_from_text: true })));
    expect(step(state, 1)?.turns[0]).toMatchObject({ text: "Let me see.", callsFromText: true });
    expect(step(replay(log(QUEUED, STARTED, step1(), answered("Hello"))), 1)?.turns[0]?.callsFromText).toBe(false);
  });

  test("reasoning is joined while it comes, and a restart forgets it", () => {
    const piece = (reasoning: string, text = ""): Told => ["step.delta", { order: 1, turn: 1, text, reasoning }];
    const told = [QUEUED, STARTED, step1(), piece("I "), piece("add.", "Fo")];
    expect(step(replay(log(...told)), 1)?.turns).toMatchObject([{ text: "Fo", reasoning: "I add." }]);
    const again = replay(log(...told, ["step.restarted", { order: 1, turn: 1 }]));
    expect(step(again, 1)?.turns).toEqual([]);
  });

  test("tokens from and into the cache are kept with the turn", () => {
    const cached = answered("Paris", { cache_read_tokens: 8, cache_write_tokens: 2 });
    const state = replay(log(QUEUED, STARTED, step1(), cached));
    expect(step(state, 1)?.turns[0]).toMatchObject({ tokens: 15, cacheRead: 8, cacheWritten: 2 });
  });

  test("estimates, unpriced calls and answers that were cut off are marked on step and run", () => {
    const marks = { is_estimated: true, is_cut_off: true, cost_usd: null, known_cost_usd: "0.42", unpriced_calls: 3 };
    const state = replay(
      log(
        QUEUED,
        STARTED,
        step1(),
        ["step.completed", { order: 1, output: "Hel", ...marks }],
        ["execution.completed", { total_tokens: 9, ...marks }],
      ),
    );
    const used = { isEstimated: true, costUsd: null, knownCostUsd: "0.42", unpriced: 3 };
    expect(step(state, 1)).toMatchObject({ ...used, isCutOff: true });
    expect(state).toMatchObject({ isCutOff: true, totals: { ...used, tokens: 9 } });
  });
});

describe("declared outputs", () => {
  test("are shown as the last event gives them, also of a run that failed for want of one", () => {
    const done = (type: "execution.completed" | "execution.failed", outputs?: Record<string, unknown>) =>
      replay(log(QUEUED, STARTED, [type, { outputs }])).outputs;

    expect(done("execution.completed", { greeting: "Hello", times: 2 })).toEqual({ greeting: "Hello", times: 2 });
    expect(done("execution.failed", { greeting: "Hello" })).toEqual({ greeting: "Hello" });
    expect(done("execution.completed")).toBeNull();
  });
});
