import { expect, test } from "vitest";
import { rebased } from "@/lib/changes";
import { type Draft, draftOf, newStep } from "./draft";
import { differencesOf, recipeShape } from "./shape";

const step = (key: string, prompt: string) => ({ ...newStep(1), key, stepId: key, outputKey: `${key}_out`, prompt });
const base: Draft = { ...draftOf(), name: "Digest", steps: [step("plan", "Plan."), step("write", "Write.")] };
const withStep = (draft: Draft, at: number, part: object): Draft => ({
  ...draft,
  steps: draft.steps.map((one, index) => (index === at ? { ...one, ...part } : one)),
});

test("a recipe falls into fields and comes back whole", () => {
  expect(recipeShape.join(recipeShape.split(base), base)).toEqual(base);
});

test("two people change one step, each another field of it, and both are kept", () => {
  const mine = withStep(base, 0, { prompt: "Plan well." });
  const theirs = withStep({ ...base, description: "Theirs" }, 0, { agentId: 7 });
  const merged = rebased(base, mine, theirs, recipeShape);
  expect(merged.steps[0]).toMatchObject({ prompt: "Plan well.", agentId: 7 });
  expect(merged.description).toBe("Theirs");
});

test("a step that the other renamed is the same step", () => {
  const mine = withStep(base, 0, { prompt: "Plan well." });
  const renamed = withStep(base, 0, { key: "plan-anew", stepId: "plan-anew" });
  const merged = rebased(base, mine, recipeShape.align(renamed, base), recipeShape);
  expect(merged.steps.map((one) => [one.stepId, one.prompt])).toEqual([
    ["plan-anew", "Plan well."],
    ["write", "Write."],
  ]);
});

test("steps added on both sides are all there, and one that they removed while I wrote in it comes back", () => {
  const mine = withStep({ ...base, steps: [...base.steps, step("mine", "Mine.")] }, 0, { prompt: "Kept." });
  const theirs = { ...base, steps: [base.steps[1] as Draft["steps"][0], step("theirs", "Theirs.")] };
  const merged = rebased(base, mine, theirs, recipeShape);
  expect(merged.steps.map((one) => one.key).toSorted()).toEqual(["mine", "plan", "theirs", "write"]);
  expect(merged.steps.find((one) => one.key === "plan")).toEqual({ ...base.steps[0], prompt: "Kept." });
});

test("differences are told in the words of the form", () => {
  const after = withStep({ ...base, name: "Weekly" }, 1, { agentId: 7, retries: 0 });
  const told = differencesOf(base, after, (id) => (id === 7 ? "Writer" : "no agent"));
  expect(told.map(({ label, before, after: now }) => [label, before, now])).toEqual([
    ["Name", "Digest", "Weekly"],
    ["Step write: agent", "", "Writer"],
    ["Step write: retries", "", "0"],
  ]);
});
