import { expect, test } from "vitest";
import { together } from "./loaded";

const sources = import.meta.glob<string>("../**/*.tsx", { query: "?raw", import: "default", eager: true });

test("nothing but Loaded asks whether reading failed: a failed second reading is no missing data", () => {
  const asking = Object.entries(sources).filter(([, text]) => /\.isError\b|\bisError\b/.test(text));
  expect(asking.map(([path]) => path)).toEqual([]);
  expect(Object.keys(sources).length).toBeGreaterThan(100);
});

test("things needed together are there when all are, and failed when one is", async () => {
  const read: string[] = [];
  const source = (name: string, data: string | undefined, error: unknown = null) => ({
    data,
    error,
    refetch: () => read.push(name),
  });
  expect(together(source("a", "A"), source("b", undefined)).data).toBeUndefined();
  expect(together(source("a", "A"), source("b", "B")).data).toEqual(["A", "B"]);

  const failed = together(source("a", "A"), source("b", "B", "gone"));
  await failed.refetch();
  expect(failed.data).toEqual(["A", "B"]);
  expect(failed.error).toBe("gone");
  expect(read).toEqual(["b"]);
});
