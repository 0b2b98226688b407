import { expect, test } from "vitest";
import type { Recipe } from "@/client";
import { bodyOf, draftOf, faultAt, moved, newStep, slugOf, variablesFor } from "./draft";

test("steps are numbered in the order on screen, and moving stops at the ends", () => {
  const draft = { ...draftOf(), steps: [newStep(1), newStep(2), newStep(3)] };
  const steps = moved(draft.steps, 2, -1);
  expect(bodyOf({ ...draft, steps }).steps.map((step) => [step.step_id, step.order])).toEqual([
    ["step-1", 1],
    ["step-3", 2],
    ["step-2", 3],
  ]);
  expect(moved(draft.steps, 0, -1)).toBe(draft.steps);
  expect(moved(draft.steps, 2, 1)).toBe(draft.steps);
});

test("a prompt may use inputs and the outputs of earlier steps only", () => {
  const draft = { ...draftOf(), steps: [newStep(1), newStep(2)] };
  draft.inputs = [{ key: "k", name: "topic", type: "string", required: true, description: "", defaultText: "" }];
  expect(variablesFor(draft, 0)).toEqual(["{input.topic}"]);
  expect(variablesFor(draft, 1)).toEqual(["{input.topic}", "{result_1}", "{previous_output}"]);
});

test("a fault is shown at its field, with its place in the prompt", () => {
  const faults = [
    { where: "steps[1].prompt_template", message: "{x} is unknown", line: 2, column: 5 },
    { where: "inputs.topic.type", message: "is not a type" },
  ];
  expect(faultAt(faults, "steps.1.prompt_template")).toBe("line 2, column 5: {x} is unknown");
  expect(faultAt(faults, "steps.0.prompt_template")).toBeUndefined();
  expect(faultAt(faults, "inputs.topic")).toBe("is not a type");
});

test("a name becomes an address", () => {
  expect(slugOf("  Müller's Weekly – Digest! ")).toBe("mu-ller-s-weekly-digest");
});

test("what the form does not edit of a step is saved as it was", () => {
  const step = { step_id: "ok", order: 1, agent_id: null, prompt_template: "Go on?", output_key: "ok" };
  const flow = { needs: [], when: "input.yes", approval: { role: "admin", timeout_s: null } };
  const recipe = { inputs: {}, outputs: {}, tags: [], execution_config: {}, steps: [{ ...step, ...flow, wait: null }] };
  expect(bodyOf(draftOf(recipe as unknown as Recipe)).steps[0]).toMatchObject({ ...flow, agent_id: null });
});
