import { expect, test } from "vitest";
import { drawnOf, nested, type Schema, valueAt, wordsOf } from "./drawn";

const TOOLS: Schema = {
  type: "integer",
  minimum: 1,
  maximum: 8,
  default: 4,
  title: "Tools at once",
  description: "How many tools it calls at the same time.",
  "x-group": "Work",
};

const SCHEMAS: Record<string, Schema> = {
  Level: { type: "string", enum: ["low", "very_high"], title: "Level", description: "How much it matters." },
  Limits: { type: "object", properties: { memory_mb: { type: "integer", title: "Memory", "x-unit": "MB" } } },
  Settings: {
    type: "object",
    "x-order": ["tools_at_once", "level", "warmth", "limits", "names", "is_on", "note"],
    properties: {
      is_on: { type: "boolean", default: false },
      level: { $ref: "#/components/schemas/Level", default: "low", title: "Priority" },
      limits: { $ref: "#/components/schemas/Limits", title: "Limits" },
      names: { type: "array" },
      note: { type: "string", maxLength: 1000, default: "" },
      tools_at_once: TOOLS,
      warmth: { anyOf: [{ type: "number", exclusiveMinimum: 0, maximum: 1 }, { type: "null" }], title: "Warmth" },
    },
  },
};

const drawn = drawnOf(SCHEMAS, "Settings", "settings");
const found = (path: string) => drawn.find((field) => field.path === path);

test("a setting that the schema has is drawn, in the schema's order, with its name, meaning, range and default", () => {
  expect(drawn.map(({ path }) => path)).toEqual([
    "settings.tools_at_once",
    "settings.level",
    "settings.warmth",
    "settings.limits.memory_mb",
    "settings.is_on",
    "settings.note",
  ]);
  expect(found("settings.tools_at_once")).toMatchObject({
    label: "Tools at once",
    meaning: "How many tools it calls at the same time.",
    group: "Work",
    kind: "number",
    initial: 4,
    isOptional: false,
    min: 1,
    max: 8,
    step: 1,
  });
});

test("what stands beside a reference counts before what it leads to", () => {
  expect(found("settings.level")).toMatchObject({
    label: "Priority",
    meaning: "How much it matters.",
    kind: "choice",
    words: ["low", "very_high"],
    initial: "low",
  });
  expect(found("settings.limits.memory_mb")).toMatchObject({ label: "Memory", unit: "MB" });
});

test("a number that may be left out is optional, and one above nought begins a step above it", () => {
  expect(found("settings.warmth")).toMatchObject({ isOptional: true, min: 0.01, max: 1, step: 0.01, initial: null });
  expect(found("settings.note")).toMatchObject({ kind: "text", longest: 1000 });
  expect(found("settings.is_on")).toMatchObject({ kind: "switch", initial: false });
});

test("values go from an answer to their fields and back into a body", () => {
  const agent = { settings: { tools_at_once: 0, limits: { memory_mb: 64 } } };
  const values = ["settings.tools_at_once", "settings.limits.memory_mb"].map((path) => [path, valueAt(agent, path)]);
  expect(values).toEqual([
    ["settings.tools_at_once", 0],
    ["settings.limits.memory_mb", 64],
  ]);
  expect(nested(new Map(values as [string, unknown][]))).toEqual(agent);
  expect(valueAt({ settings: null }, "settings.limits.memory_mb")).toBeNull();
});

test("words of the server are written for people", () => {
  expect(["low", "on_demand"].map(wordsOf)).toEqual(["Low", "On demand"]);
});
