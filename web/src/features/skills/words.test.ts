import { expect, test } from "vitest";
import { calledUp } from "./words";

const SKILL = { name: "notes", disable_model_invocation: false, user_invocable: true, argument_hint: "[version]" };

test.each([
  [SKILL, "by the agent, when a task needs it, or by a task that begins with /notes [version]"],
  [{ ...SKILL, argument_hint: "", disable_model_invocation: true }, "by a task that begins with /notes"],
  [{ ...SKILL, user_invocable: false }, "by the agent, when a task needs it"],
  [{ ...SKILL, user_invocable: false, disable_model_invocation: true }, "by nobody: its author allows neither way"],
])("who calls a skill up", (skill, words) => {
  expect(calledUp(skill)).toBe(words);
});
