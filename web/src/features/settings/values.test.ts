import { expect, test } from "vitest";
import type { KnownSetting, Setting } from "@/client/system";
import { keyFor, labelOf, parse, rowsOf, sourceOf, textOf } from "./values";

const known = (part: Partial<KnownSetting>): KnownSetting => ({
  category: "chat",
  key: "temperature",
  value_type: "string",
  description: "",
  default: null,
  minimum: null,
  maximum: null,
  options: null,
  is_read: true,
  ...part,
});

const stored = (key: string, value: Setting["value"], scope: Setting["scope"] = "workspace") =>
  ({ category: "chat", key, value, scope }) as Setting;

test("what is typed becomes the value of its type, and empty means not set", () => {
  expect(parse(known({ value_type: "string" }), " a ")).toEqual({ value: "a" });
  expect(parse(known({ value_type: "number" }), "0.5")).toEqual({ value: 0.5 });
  expect(parse(known({ value_type: "boolean" }), "false")).toEqual({ value: false });
  expect(parse(known({ value_type: "json" }), '{"a": 1}')).toEqual({ value: { a: 1 } });
  expect(parse(known({ value_type: "number" }), "  ")).toEqual({ value: null });
});

test("what cannot be the value says why", () => {
  const bounded = known({ value_type: "number", minimum: 0, maximum: 2 });
  expect(["x", "-1", "3"].map((text) => parse(bounded, text).fault)).toEqual([
    "Must be a number.",
    "Must be at least 0.",
    "Must be at most 2.",
  ]);
  expect(parse(known({ value_type: "json" }), "{").fault).toBe("Must be valid JSON.");
});

test("a category has a row for each setting, and one for each provider that has a value of its own", () => {
  const catalogue = [known({}), known({ key: "credential_name_{provider}" }), known({ category: "other" })];
  const values = [stored("credential_name_openai", "main"), stored("temperature", 1, "system")];
  expect(rowsOf(catalogue, values, "chat").map((row) => [row.key, row.stored?.value])).toEqual([
    ["temperature", 1],
    ["credential_name_openai", "main"],
  ]);
  expect(keyFor(known({ key: "credential_name_{provider}" }), "groq")).toBe("credential_name_groq");
});

test("every row says where its value comes from", () => {
  const row = { known: known({ default: 5 }), key: "k", label: "K", stored: undefined };
  expect(sourceOf(row)).toBe("By default 5.");
  expect(sourceOf({ ...row, known: known({}) })).toBe("Not set.");
  expect(sourceOf({ ...row, stored: stored("k", 1) })).toBe("Set for this workspace.");
  expect(sourceOf({ ...row, stored: stored("k", 1, "system") })).toBe("Set for the whole server.");
});

test("names and values are written for people", () => {
  expect(labelOf("llm_provider")).toBe("Provider");
  expect(labelOf("fallback_model")).toBe("Fallback model");
  expect(labelOf("max_tokens")).toBe("Longest answer, in tokens");
  expect(labelOf("orchestrator_llm")).toBe("Default model behaviour");
  expect([textOf(null), textOf("a"), textOf(2), textOf(true)]).toEqual(["", "a", "2", "true"]);
});
