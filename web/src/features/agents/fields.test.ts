import { expect, test } from "vitest";
import { Problem } from "@/lib/problem";
import { BLANK, bodyOf, changesOf } from "./draft";
import { complaintsOf, differencesOf, faultOf, faultsIn, stepOf, tabsOf } from "./fields";

const names = { persona: () => "Security Engineer", skill: (id: number) => (id === 1 ? "pdf" : undefined) };
const agent = { ...BLANK, name: "Writer" };
const LITTLE = { "configuration.retry_attempts": 0, "configuration.performance_monitoring": false };

function refused(...fields: string[]): Problem {
  return new Problem(422, { errors: fields.map((field) => ({ field, reason: "is wrong" })) }, null);
}

test("no retries and no monitoring are saved as such", () => {
  const changes = changesOf(agent, { ...agent, ...LITTLE });
  expect(changes).toEqual({ configuration: { retry_attempts: 0, performance_monitoring: false } });
});

test("what did not change is not sent", () => {
  expect(changesOf(agent, { ...agent })).toEqual({});
  expect(changesOf(agent, { ...agent, "configuration.auto_start": true })).toEqual({
    configuration: { auto_start: true },
  });
});

test("a persona of the library speaks, or the agent's own words, which are kept either way", () => {
  const both = { ...agent, personaId: "p1", customPrompt: "You are brief." };
  expect(bodyOf({ ...both, personaKind: "custom" })).toMatchObject({
    persona_id: null,
    custom_persona_prompt: "You are brief.",
    use_custom_persona: true,
  });
  expect(bodyOf({ ...both, personaKind: "predefined" })).toMatchObject({
    persona_id: "p1",
    custom_persona_prompt: "You are brief.",
    use_custom_persona: false,
  });
  expect(bodyOf({ ...both, personaKind: "none" })).toMatchObject({ persona_id: null, use_custom_persona: false });
  expect(bodyOf(agent).custom_persona_prompt).toBeNull();
});

test("the workspace's default model has no settings of its own", () => {
  expect(bodyOf({ ...agent, temperature: 1 }).model_config).toBeNull();
});

test("a refusal leads to the first step and to the tabs that hold its fields", () => {
  expect(stepOf(refused("skill_ids.0", "model_config.temperature"))).toBe(3);
  expect(stepOf(refused("configuration.retry_attempts"))).toBe(5);
  expect(stepOf(refused("somewhere.else"))).toBeNull();
  expect(tabsOf(refused("skill_ids.0", "configuration.resource_limits.memory_mb").fields)).toEqual([
    "skills",
    "general",
  ]);
});

test("a refusal that names no field leads to the one its code is about", () => {
  const taken = new Problem(409, { code: "agent_name_taken", detail: "There is such an agent." }, null);
  expect(stepOf(taken)).toBe(1);
  expect(faultOf(complaintsOf(taken), "name")).toBe("There is such an agent.");
});

test("a complaint is shown at its field and not at the one around it", () => {
  const { fields } = refused("model_config.temperature");
  expect(faultOf(fields, "temperature")).toBe("is wrong");
  expect(faultOf(fields, "model")).toBeUndefined();
  expect(faultOf(refused("model_config.provider").fields, "model")).toBe("is wrong");
});

test("an emptied number and a number out of range are found before saving, an empty model setting is fine", () => {
  const wrong = { "configuration.retry_attempts": 6, "configuration.timeout_seconds": null };
  const faults = faultsIn({ ...agent, ...wrong, temperature: null });
  expect(faults.map(({ field }) => field)).toEqual(["configuration.retry_attempts", "configuration.timeout_seconds"]);
  expect(faultsIn({ ...agent, "configuration.retry_attempts": 0 })).toEqual([]);
});

test("a difference is told in the words of the form", () => {
  const after = { ...agent, ...LITTLE, skillIds: [1, 2], personaKind: "predefined" as const };
  const rows = differencesOf(agent, after, names);
  expect(rows.map(({ label, before, after: to }) => [label, before, to])).toEqual([
    ["Persona", "None", "From the library"],
    ["Skills", "", "pdf, skill 2"],
    ["Retries", "3", "0"],
    ["Performance monitoring", "on", "off"],
  ]);
});
