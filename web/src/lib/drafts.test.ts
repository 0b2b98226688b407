import { expect, test } from "vitest";
import { draftKey, findDrafts, forgetDraft, keepDraft, type Place, pruneDrafts } from "./drafts";

function store(refuses = false): Storage {
  const kept = new Map<string, string>();
  return {
    get length() {
      return kept.size;
    },
    key: (index: number) => [...kept.keys()][index] ?? null,
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => {
      if (refuses) throw new DOMException("full", "QuotaExceededError");
      kept.set(key, value);
    },
    removeItem: (key: string) => void kept.delete(key),
    clear: () => kept.clear(),
  };
}

const place: Place = { person: "7", workspace: "w1", kind: "recipe", id: "soup" };
const kept = (text: string) => ({ etag: '"3"', origin: { text: "" }, draft: { text } });
const texts = (found: { draft: { text: string } }[]) => found.map((one) => one.draft.text);

test("a draft is found by whose it is, where and of what, and by nobody else", () => {
  const device = store();
  keepDraft(draftKey(place, "a"), kept("mine"), device);
  expect(texts(findDrafts(place, "", device))).toEqual(["mine"]);
  for (const other of [
    { ...place, person: "8" },
    { ...place, workspace: "w2" },
    { ...place, kind: "skill" },
    { ...place, id: "sou" },
    { ...place, id: "soup/a" },
  ]) {
    expect(findDrafts(other, "", device)).toEqual([]);
  }
});

test("two tabs keep one each, the newest is first, and one's own is not offered", () => {
  const device = store();
  device.setItem(draftKey(place, "a"), JSON.stringify({ ...kept("older"), keptAt: "2026-01-01T00:00:00Z" }));
  device.setItem(draftKey(place, "b"), JSON.stringify({ ...kept("newer"), keptAt: "2026-01-02T00:00:00Z" }));
  expect(texts(findDrafts(place, "", device))).toEqual(["newer", "older"]);
  expect(texts(findDrafts(place, draftKey(place, "b"), device))).toEqual(["older"]);
  forgetDraft(draftKey(place, "a"), device);
  expect(texts(findDrafts(place, "", device))).toEqual(["newer"]);
});

test("what cannot be read is no draft, and a full device only loses the comfort", () => {
  const device = store();
  device.setItem(draftKey(place, "a"), "{half");
  device.setItem(draftKey(place, "b"), JSON.stringify({ draft: null, keptAt: "2026-01-01T00:00:00Z" }));
  device.setItem(draftKey(place, "c"), JSON.stringify({ draft: {}, keptAt: "once" }));
  expect(findDrafts(place, "", device)).toEqual([]);
  expect(() => keepDraft(draftKey(place, "a"), kept("text"), store(true))).not.toThrow();
});

test("after a month, or unreadable, it goes; what is not ours stays", () => {
  const device = store();
  device.setItem("theme", "dark");
  device.setItem(draftKey(place, "old"), JSON.stringify({ ...kept("old"), keptAt: "2026-01-01T00:00:00Z" }));
  device.setItem(draftKey(place, "new"), JSON.stringify({ ...kept("new"), keptAt: "2026-02-20T00:00:00Z" }));
  device.setItem(draftKey(place, "odd"), "{half");
  pruneDrafts(Date.parse("2026-03-01T00:00:00Z"), device);
  expect(texts(findDrafts(place, "", device))).toEqual(["new"]);
  expect(device.getItem("theme")).toBe("dark");
  expect(device.getItem(draftKey(place, "odd"))).toBeNull();
});
