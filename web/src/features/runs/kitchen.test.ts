import { describe, expect, test } from "vitest";
import type { RunEvent } from "@/client";
import { RUN_EVENT_TYPES, type RunEventOf } from "@/lib/live/events";
import { cook, TAKE_IN } from "./kitchen";
import { EMPTY_KITCHEN, type KitchenState } from "./kitchen-state";
import { live, log, type Told } from "./scripted-events";

function nth(events: RunEvent[], index: number): RunEvent {
  const found = events[index];
  if (!found) throw new Error(`no event ${index}`);
  return found;
}

const replay = (events: RunEvent[], from: KitchenState = EMPTY_KITCHEN) => events.reduce(cook, from);
const step = (state: KitchenState, order: number) => {
  const found = state.steps.find((one) => one.order === order);
  if (!found) throw new Error(`no step ${order}`);
  return found;
};

const QUEUED: Told = [
  "execution.queued",
  {
    steps: [
      { order: 1, step_id: "draft", agent_id: 7, agent_name: "Writer", output_key: "draft" },
      { order: 2, step_id: "review", agent_id: 8, agent_name: "Critic", output_key: "review" },
    ],
  },
];
const STARTED: Told = ["execution.started"];
const step1 = (attempt = 1): Told => ["step.started", { order: 1, attempt, prompt: "Write", model: "m" }];
const delta = (text: string, turn = 1): Told => ["step.delta", { order: 1, turn, text }];
const answered = (text: string, calls: RunEventOf<"model.answered">["data"]["tool_calls"] = [], turn = 1): Told => [
  "model.answered",
  {
    order: 1,
    turn,
    text,
    tool_calls: calls,
    input_tokens: 10,
    output_tokens: 5,
    cost_usd: null,
    latency_ms: 80,
    model: "m",
  },
];
const completed1: Told = [
  "step.completed",
  { order: 1, output: "Hello", input_tokens: 10, output_tokens: 5, cost_usd: "0.000100", duration_ms: 900 },
];

describe("replay", () => {
  test("builds the whole screen from the stored log", () => {
    const state = replay(
      log(QUEUED, STARTED, step1(), delta("Hel"), delta("lo"), answered("Hello"), completed1, [
        "execution.completed",
        { final_output: "Hello", total_tokens: 15, cost_usd: "0.000100", duration_ms: 1200 },
      ]),
    );

    expect(state.status).toBe("completed");
    expect(state.finalOutput).toBe("Hello");
    expect(state.totals).toMatchObject({ tokens: 15, costUsd: "0.000100", durationMs: 1200 });
    expect(step(state, 1)).toMatchObject({ status: "completed", output: "Hello", tokens: 15, model: "m" });
    expect(step(state, 2).status).toBe("pending");
  });

  test("joins deltas of one turn, and the answer replaces them", () => {
    const streaming = replay(log(QUEUED, STARTED, step1(), delta("Hel"), delta("lo")));
    expect(step(streaming, 1).turns).toMatchObject([{ text: "Hello", isAnswered: false }]);

    const done = cook(streaming, { ...nth(log(answered("Hello!")), 0), seq: 6 });
    expect(step(done, 1).turns).toMatchObject([{ text: "Hello!", isAnswered: true, tokens: 15 }]);
  });

  test("an answer that is being written moves no place in the log, and who comes late gets what there is", () => {
    const text = (whole: string): Told => ["step.text", { order: 1, turn: 1, text: whole }];
    const begun = replay(log(QUEUED, STARTED, step1()));
    const streaming = replay(live(text("Hel"), delta("lo")), begun);
    expect(streaming.lastSeq).toBe(3);
    expect(step(streaming, 1).turns).toMatchObject([{ text: "Hello", isAnswered: false }]);

    expect(step(replay(live(text("Hello"), delta("!")), streaming), 1).turns).toMatchObject([{ text: "Hello!" }]);

    const done = cook(streaming, { ...nth(log(answered("Hello!")), 0), seq: 4 });
    expect(step(replay(live(text("late"), delta("later")), done), 1).turns).toMatchObject([{ text: "Hello!" }]);
  });

  test("keeps turns apart and shows tool calls with their results", () => {
    const call = { id: "c1", name: "calculator", arguments: '{"a":1}' };
    const running = replay(log(QUEUED, STARTED, step1(), answered("", [call])));
    expect(step(running, 1).turns[0]?.toolCalls).toMatchObject([{ name: "calculator", state: "running" }]);

    const told: Told[] = [
      [
        "tool.finished",
        {
          order: 1,
          turn: 2,
          call_id: "c1",
          name: "calculator",
          arguments: '{"a":1}',
          ok: false,
          output: "no",
          duration_ms: 3,
        },
      ],
      delta("So", 3),
    ];
    const state = replay(log(QUEUED, STARTED, step1(), answered("", [call]), ...told));
    expect(step(state, 1).turns).toMatchObject([
      { turn: 1, toolCalls: [{ state: "failed", output: "no", durationMs: 3, arguments: '{"a":1}' }] },
      { turn: 3, text: "So", isAnswered: false },
    ]);
  });

  test("an unknown price stays unknown", () => {
    const state = replay(log(QUEUED, STARTED, step1(), ["step.completed", { order: 1, output: "x", cost_usd: null }]));
    expect(step(state, 1).costUsd).toBeNull();
  });
});

describe("duplicates", () => {
  test("a repeated event changes nothing", () => {
    const events = log(QUEUED, STARTED, step1(), delta("a"));
    const once = replay(events);
    expect(replay(events, once)).toEqual(once);
  });

  test("an event of a type this page does not know is passed over", () => {
    const someday = ["execution.someday", { order: 1 }] as unknown as Told;
    const state = replay(log(QUEUED, someday, STARTED));
    expect(state).toMatchObject({ status: "running", lastSeq: 3 });
  });
});

describe("recovery", () => {
  test("drops what was streamed but never answered, and keeps what was", () => {
    const state = replay(
      log(
        QUEUED,
        STARTED,
        step1(),
        answered("first"),
        delta("half", 2),
        ["execution.recovered", { epoch: 1 }],
        delta("whole", 2),
      ),
    );
    expect(state.recoveries).toBe(1);
    expect(step(state, 1).turns).toMatchObject([{ text: "first" }, { text: "whole" }]);
  });
});

describe("retries", () => {
  test("a model that is asked again starts its turn over", () => {
    const state = replay(
      log(QUEUED, STARTED, step1(), delta("ha"), ["step.restarted", { order: 1, turn: 1 }], delta("Hello")),
    );
    expect(step(state, 1).turns).toMatchObject([{ turn: 1, text: "Hello" }]);
  });

  test("shows the wait and its reason, then starts the new attempt clean", () => {
    const retrying: Told = [
      "step.retrying",
      { order: 1, attempt: 2, delay_s: 1.5, error: { code: "busy", message: "Busy" } },
    ];
    const waiting = replay(log(QUEUED, STARTED, step1(), delta("half"), retrying));
    expect(step(waiting, 1)).toMatchObject({ status: "running", turns: [], retry: { attempt: 2, delayS: 1.5 } });

    const again = replay(log(QUEUED, STARTED, step1(), delta("half"), retrying, step1(2), delta("new")));
    expect(step(again, 1)).toMatchObject({ attempt: 2, retry: null, turns: [{ text: "new" }] });
  });
});

describe("endings", () => {
  test("cancel settles everything that was under way", () => {
    const call = { id: "c1", name: "shell", arguments: "{}" };
    const state = replay(
      log(QUEUED, STARTED, step1(), answered("", [call]), ["execution.cancelled", { by: "ada", total_tokens: 15 }]),
    );
    expect(state).toMatchObject({ status: "cancelled", cancelledBy: "ada" });
    expect(step(state, 1)).toMatchObject({ status: "cancelled", turns: [{ toolCalls: [{ state: "interrupted" }] }] });
    expect(step(state, 2).status).toBe("cancelled");
  });

  test("a failure keeps its reason on the step and on the run", () => {
    const error = { code: "model_refused", message: "No", next_step: "Check the key" };
    const state = replay(
      log(QUEUED, STARTED, step1(), ["step.failed", { order: 1, error }], ["execution.failed", { error }]),
    );
    expect(step(state, 1)).toMatchObject({ status: "failed", error });
    expect(state).toMatchObject({ status: "failed", error });
    expect(step(state, 2).status).toBe("pending");
  });

  test("a step that ended with its agent is cancelled, with the reason", () => {
    const error = { code: "agent_stopped", message: "Its agent was stopped" };
    const state = replay(log(QUEUED, STARTED, step1(), ["step.cancelled", { order: 1, error }]));
    expect(step(state, 1)).toMatchObject({ status: "cancelled", error });
  });

  test("a skipped step does not end the run", () => {
    const state = replay(
      log(QUEUED, STARTED, step1(), [
        "step.skipped",
        { order: 1, error: { code: "step_timed_out", message: "Timed out" } },
      ]),
    );
    expect(state.status).toBe("running");
    expect(step(state, 1)).toMatchObject({ status: "skipped", error: { message: "Timed out" } });
  });
});

describe("waiting and pausing", () => {
  const waiting: Told = ["execution.waiting", { order: 1, agent_id: 7, agent_name: "Researcher" }];
  const paused: Told = ["execution.paused", { order: 1, agent_id: 7, agent_name: "Researcher" }];

  test("a step says what it waits for until it starts", () => {
    const held = replay(log(QUEUED, STARTED, waiting));
    expect(held.status).toBe("waiting");
    expect(step(held, 1)).toMatchObject({ waitsFor: "slot", agentName: "Researcher", status: "pending" });

    const begun = replay(log(QUEUED, STARTED, waiting, step1()));
    expect(begun.status).toBe("running");
    expect(step(begun, 1)).toMatchObject({ waitsFor: null, status: "running" });
  });

  test("a paused run names who paused it and goes on when resumed", () => {
    const held = replay(log(QUEUED, STARTED, paused));
    expect(held).toMatchObject({ status: "paused", pausedBy: "Researcher" });
    expect(step(held, 1).waitsFor).toBe("paused");

    const resumed = replay(log(QUEUED, STARTED, paused, ["execution.resumed"]));
    expect(resumed).toMatchObject({ status: "running", pausedBy: null });
    expect(step(resumed, 1).waitsFor).toBeNull();
  });

  test("a run that is cancelled while it waits waits no longer", () => {
    const state = replay(log(QUEUED, paused, ["execution.cancelled", { by: "ada" }]));
    expect(state).toMatchObject({ status: "cancelled", pausedBy: null });
    expect(step(state, 1)).toMatchObject({ status: "cancelled", waitsFor: null });
  });
});

test("the browser listens to every type of event that the screen knows, and to no other", () => {
  expect([...RUN_EVENT_TYPES].sort()).toEqual(Object.keys(TAKE_IN).sort());
  expect(RUN_EVENT_TYPES).toContain("step.cancelled");
});
