import { expect, test } from "vitest";
import { pairOf, rowsOf } from "./agent-versions-diff";

test("every kind of value is written for people", () => {
  const rows = rowsOf([
    { path: "name", before: "Writer", after: "Editor" },
    { path: "/configuration/max_concurrent_tasks", before: 5, after: 2 },
    { path: "/persona/use_custom", before: false, after: true },
    { path: "tags", before: [], after: ["a", "b"] },
    { path: "/model_config", before: null, after: { provider: "demo", model_id: "demo" } },
  ]);
  expect(rows.map((row) => [row.label, row.before, row.after])).toEqual([
    ["Name", "Writer", "Editor"],
    ["Tasks at the same time", "5", "2"],
    ["Persona, use custom", "no", "yes"],
    ["Tags", "", "a, b"],
    ["Model config", "", '{\n  "provider": "demo",\n  "model_id": "demo"\n}'],
  ]);
});

const versions = [{ version: 4 }, { version: 3 }, { version: 1 }];

test("without a wish the newest version is compared with the one before it", () => {
  expect(pairOf(versions, undefined, undefined)).toEqual({ from: 3, to: 4 });
  expect(pairOf(versions, undefined, 3)).toEqual({ from: 1, to: 3 });
  expect(pairOf(versions, undefined, 1)).toEqual({ from: 4, to: 1 });
});

test("an address with versions that are not there falls back", () => {
  expect(pairOf(versions, 9, 8)).toEqual({ from: 3, to: 4 });
  expect(pairOf(versions, 4, 4)).toEqual({ from: 3, to: 4 });
  expect(pairOf(versions.slice(0, 1), 1, 4)).toBeNull();
  expect(pairOf([], undefined, undefined)).toBeNull();
});
