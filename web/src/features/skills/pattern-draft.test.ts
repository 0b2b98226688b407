import { expect, test } from "vitest";
import type { SkillPattern } from "@/client/library";
import { bodyOf, differencesOf, draftOf, faultOf, readText, writeText } from "./pattern-draft";

test.each([
  ["Each hands on what it has.", "Each hands on what it has."],
  [["run", "hand on"], "- run\n- hand on"],
  [4, "4"],
  [true, "true"],
  ["4", '"4"'],
  ["- run", '"- run"'],
  [" padded ", '" padded "'],
  ["", '""'],
  [[], "[]"],
  [["two\nlines"], '[\n  "two\\nlines"\n]'],
  [[1, 2], "[\n  1,\n  2\n]"],
  [{ runner: "does one leg" }, '{\n  "runner": "does one leg"\n}'],
])("%j is typed as the plainest text that stands for it", (value, text) => {
  expect(writeText(value)).toBe(text);
  expect(readText(text)).toEqual(value);
});

const pattern = {
  name: "Relay",
  description: "",
  pattern_type: "decision",
  pattern_data: { steps: ["run", "hand on"], is_timed: true, roles: { runner: { legs: [1, 2] } } },
} as unknown as SkillPattern;

test("a pattern falls into points and comes back whole, in its order", () => {
  const { name, description, pattern_type, pattern_data } = pattern;
  const body = bodyOf(draftOf(pattern));
  expect(body).toEqual({ name, description, pattern_type, pattern_data });
  expect(Object.keys(body.pattern_data)).toEqual(["steps", "is_timed", "roles"]);
});

test("points without words are left out, and words without a name are told", () => {
  const points = [
    { key: "a", name: "steps", text: "- run" },
    { key: "b", name: "roles", text: " " },
    { key: "c", name: "", text: "lost" },
    { key: "d", name: " steps ", text: "- walk" },
  ];
  expect(bodyOf({ ...draftOf(), points: points.slice(0, 2) }).pattern_data).toEqual({ steps: ["run"] });
  expect(points.map((_, index) => faultOf(points, index))).toEqual([
    undefined,
    undefined,
    "Give it a name.",
    "An earlier one has this name.",
  ]);
});

test("differences are told in the words of the form", () => {
  const before = draftOf(pattern);
  const after = { ...before, points: before.points.slice(0, 1) };
  expect(differencesOf(before, after).map((row) => [row.label, row.after])).toEqual([
    ["What it says", "steps:\n- run\n- hand on"],
  ]);
});
