import { expect, test } from "vitest";
import type { RunEvent } from "@/client";
import { cook } from "./kitchen";
import { stepTitle } from "./kitchen-flow";
import { EMPTY_KITCHEN, type KitchenState } from "./kitchen-state";

type Told = [type: string, data: Record<string, unknown>];

const QUEUED: Told = [
  "execution.queued",
  {
    steps: [
      { order: 1, step_id: "rows", agent_id: null, agent_name: "", output_key: "rows", kind: "for_each" },
      { order: 2, step_id: "ok", agent_id: null, agent_name: "", output_key: "ok", kind: "approval" },
    ],
  },
];

function told(...events: Told[]): KitchenState {
  return [QUEUED, ...events].reduce<KitchenState>(
    (state, [type, data], index) =>
      cook(state, { seq: index + 1, topic: "run:1", type, at: "2026-11-30T02:00:00Z", data } as unknown as RunEvent),
    EMPTY_KITCHEN,
  );
}

const ASKED: Told = [
  "step.waiting",
  { order: 2, step_id: "ok", path: "ok", until: "approval", question: "Publish?", role: "admin" },
];
const STARTED: Told = [
  "step.started",
  { order: 4, step_id: "check", path: "rows[1].check", agent_id: 7, agent_name: "Checker", attempt: 1, prompt: "x" },
];

test("a step that waits for a decision says what is asked and of whom, and the run waits with it", () => {
  const state = told(ASKED);
  expect(state.status).toBe("waiting");
  expect(state.steps[1]).toMatchObject({ status: "waiting", waitsFor: "approval", prompt: "Publish?", role: "admin" });
});

test("a run that somebody pauses finishes what is at work, is held, and goes on", () => {
  const by = { by: "Ada" };
  const pausing = told(["execution.started", {}], STARTED, ["execution.pausing", by]);
  expect(pausing).toMatchObject({ status: "running", heldBy: "Ada" });
  const held = told(["execution.started", {}], ["execution.pausing", by], ["execution.held", by]);
  expect(held).toMatchObject({ status: "paused", heldBy: "Ada" });
  const queued = told(["execution.pausing", by], ["execution.held", by], ["execution.resumed", by]);
  expect(queued).toMatchObject({ status: "queued", heldBy: null });
});

test("a step that was taken over is over with the output of the earlier run, or passed over without one", () => {
  const from = { path: "rows", run_id: "0197b7a8-0000-7000-8000-000000000001", output_key: "rows" };
  const state = told(
    ["step.taken_over", { ...from, order: 1, output: "[1]", is_skipped: false }],
    ["step.taken_over", { ...from, order: 2, output: "", is_skipped: true }],
  );
  expect(state.status).toBe("queued");
  expect(state.steps.map((step) => [step.status, step.output])).toEqual([
    ["completed", "[1]"],
    ["skipped", null],
  ]);
  expect(state.steps[0]?.takenOverFrom).toBe(from.run_id);
});

test("a run with another step at work does not wait", () => {
  expect(told(["step.expanded", { order: 1, step_id: "rows", path: "rows", items: 2 }], ASKED).status).toBe("running");
});

test("a step of an item that begins joins the steps, and what waits goes on waiting", () => {
  const state = told(ASKED, STARTED);
  expect(state.steps.map((step) => [step.stepId, step.status])).toEqual([
    ["rows", "pending"],
    ["rows[1].check", "running"],
    ["ok", "waiting"],
  ]);
  expect(state.steps[2]?.waitsFor).toBe("approval");
});

test("steps of items stand behind their for-each in the order of the items, whichever begins first", () => {
  const begin = (order: number, path: string): Told => [
    "step.started",
    { order, step_id: "check", path, agent_id: 7, agent_name: "Checker", attempt: 1, prompt: "x" },
  ];
  const state = told(begin(4, "rows[10].check"), begin(5, "rows[2].check"), begin(6, "rows[2].fix"));
  expect(state.steps.map(stepTitle)).toEqual(["1. rows", "rows[2].check", "rows[2].fix", "rows[10].check", "2. ok"]);
});

test("a decision stays with its step", () => {
  const state = told(
    ASKED,
    ["step.decided", { order: 2, is_approved: true, by: "Ada", comment: "Good." }],
    [
      "step.completed",
      { order: 2, output_key: "ok", output: "Good.", input_tokens: 0, output_tokens: 0, cost_usd: "0" },
    ],
  );
  expect(state.steps[1]).toMatchObject({
    status: "completed",
    waitsFor: null,
    decision: { isApproved: true, by: "Ada", comment: "Good." },
  });
});

test("a step that waited when its run was cancelled is cancelled", () => {
  const state = told(ASKED, ["execution.cancelled", { cost_usd: "0", total_tokens: 0, duration_ms: 1 }]);
  expect(state.steps[1]?.status).toBe("cancelled");
});
