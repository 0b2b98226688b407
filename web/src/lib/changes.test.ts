import { expect, test } from "vitest";
import { changedKeys, mergedOf, partOf, sidesOf } from "./changes";

const base = { name: "Writer", retries: 3, isWatched: true, tags: ["a"] };

test("nought, no and nothing are changes like any other", () => {
  expect(changedKeys(base, { ...base, retries: 0, isWatched: false, tags: [] })).toEqual([
    "retries",
    "isWatched",
    "tags",
  ]);
  expect(changedKeys(base, { ...base, tags: ["a"] })).toEqual([]);
});

test("what only the other changed is taken, what I changed is kept", () => {
  const mine = { ...base, name: "Editor", retries: 0 };
  const theirs = { ...base, name: "Author", tags: ["b"] };
  const sides = sidesOf(base, mine, theirs);
  expect(Object.fromEntries(sides)).toEqual({ name: "mine", retries: "mine", tags: "theirs" });
  expect(mergedOf(mine, theirs, sides)).toEqual({ name: "Editor", retries: 0, isWatched: true, tags: ["b"] });
});

test("a choice turns a side round", () => {
  const mine = { ...base, name: "Editor" };
  const theirs = { ...base, name: "Author" };
  expect(mergedOf(mine, theirs, new Map([["name", "theirs"]])).name).toBe("Author");
});

test("only what differs is sent, also inside a part that the server merges", () => {
  const before = { name: "Writer", configuration: { retries: 3, isWatched: true, limits: { memory: 1, cpu: 2 } } };
  const after = { name: "Writer", configuration: { retries: 0, isWatched: false, limits: { memory: 1, cpu: 3 } } };
  expect(partOf(before, after, ["configuration"])).toEqual({
    configuration: { retries: 0, isWatched: false, limits: { memory: 1, cpu: 3 } },
  });
  expect(partOf(before, before, ["configuration"])).toEqual({});
});
