import { expect, test } from "vitest";
import { BLANK } from "./draft";
import { forgetDraft, keepDraft, keptDraft } from "./kept-draft";

function device() {
  const entries = new Map<string, string>();
  return {
    entries,
    getItem: (key: string) => entries.get(key) ?? null,
    setItem: (key: string, value: string) => void entries.set(key, value),
    removeItem: (key: string) => void entries.delete(key),
  };
}

test("a draft is kept for its own workspace until it is forgotten", () => {
  const store = device();
  keepDraft("one", { draft: { ...BLANK, name: "Writer", retries: 0 }, activate: false }, store);
  expect(keptDraft("one", store)).toMatchObject({ draft: { name: "Writer", retries: 0 }, activate: false });
  expect(keptDraft("two", store)).toBeNull();
  forgetDraft("one", store);
  expect(keptDraft("one", store)).toBeNull();
});

test("a draft of an older page gets the new fields, and one that cannot be read is none", () => {
  const store = device();
  store.setItem("automatos.new-agent.one", '{"draft": {"name": "Old"}, "activate": true}');
  expect(keptDraft("one", store)?.draft).toEqual({ ...BLANK, name: "Old" });
  store.setItem("automatos.new-agent.one", "{");
  expect(keptDraft("one", store)).toBeNull();
});

test("a device that stores nothing does not stop the page", () => {
  const full = {
    ...device(),
    setItem: () => {
      throw new Error("full");
    },
  };
  expect(() => keepDraft("one", { draft: BLANK, activate: true }, full)).not.toThrow();
});
