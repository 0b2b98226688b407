// @vitest-environment happy-dom
import { act, cleanup, renderHook } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Storage, useEdited } from "./edited";
import type { Tagged } from "./http";
import { handOver } from "./kept-draft";
import { Problem } from "./problem";
import { PersonProvider, WorkspaceProvider } from "./workspace";

interface Thing {
  name: string;
  text: string;
}

const first: Tagged<Thing> = { data: { name: "Soup", text: "" }, etag: '"1"' };
const stale = new Problem(412, { code: "stale_edit" }, null);
const keep = { kind: "thing", id: "1" };

function around({ children }: { children: ReactNode }) {
  return (
    <PersonProvider value="7">
      <WorkspaceProvider value={{ id: "w", slug: "w", name: "W", role: "owner" } as never}>
        {children}
      </WorkspaceProvider>
    </PersonProvider>
  );
}

const open = (stored = first, isKept = false) =>
  renderHook(({ now }) => useEdited(now, isKept ? { keep } : {}), { initialProps: { now: stored }, wrapper: around });

const never: Storage<Thing> = {
  send: () => Promise.reject(new Error("not asked for")),
  read: () => Promise.reject(new Error("not asked for")),
};

beforeEach(() => localStorage.clear());
afterEach(cleanup);

test("what is typed while a save is under way stays, and stays unsaved", async () => {
  const { result } = open();
  act(() => result.current.change({ text: "First" }));
  let done: (stored: Tagged<Thing>) => void = () => undefined;
  const storage = { ...never, send: () => new Promise<Tagged<Thing>>((resolve) => (done = resolve)) };
  let saving: Promise<unknown> = Promise.resolve();
  act(() => {
    saving = result.current.save(storage);
  });
  act(() => result.current.change({ text: "First and second" }));
  await act(async () => {
    done({ data: { name: "Soup!", text: "First" }, etag: '"2"' });
    await saving;
  });
  expect(result.current.draft).toEqual({ name: "Soup!", text: "First and second" });
  expect(result.current.etag).toBe('"2"');
  expect(result.current.isDirty).toBe(true);
});

test("a newer stored state is taken field by field, and waits where both changed the same", () => {
  const { result, rerender } = open();
  act(() => result.current.change({ text: "Mine" }));
  rerender({ now: { data: { name: "Stew", text: "" }, etag: '"2"' } });
  expect(result.current.draft).toEqual({ name: "Stew", text: "Mine" });
  expect(result.current.isStale).toBe(false);
  rerender({ now: { data: { name: "Stew", text: "Theirs" }, etag: '"3"' } });
  expect(result.current.draft.text).toBe("Mine");
  expect(result.current.isStale).toBe(true);
  expect(result.current.etag).toBe('"2"');
});

test("a save that came second asks, and saves the choice against what is stored", async () => {
  const { result } = open();
  act(() => result.current.change({ text: "Mine" }));
  const theirs = { data: { name: "Stew", text: "Theirs" }, etag: '"2"' };
  const storage = { send: () => Promise.reject(stale), read: () => Promise.resolve(theirs) };
  await act(async () => expect(await result.current.save(storage)).toBe("conflict"));
  expect(Object.fromEntries(result.current.sides())).toEqual({ name: "theirs", text: "mine" });
  const sent: unknown[] = [];
  const taken: Storage<Thing> = {
    ...never,
    send: async (change) => {
      sent.push(change);
      return { data: change.after, etag: '"3"' };
    },
  };
  await act(async () => expect(await result.current.settle(result.current.sides(), taken)).toBe("stored"));
  expect(sent).toEqual([{ before: theirs.data, after: { name: "Stew", text: "Mine" }, etag: '"2"' }]);
  expect(result.current.conflict).toBeNull();
  expect(result.current.isDirty).toBe(false);
});

test("where the other side cannot be read, that is told and nothing is lost", async () => {
  const { result } = open();
  act(() => result.current.change({ text: "Mine" }));
  const storage = { send: () => Promise.reject(stale), read: () => Promise.reject(new Error("gone")) };
  await act(async () => expect(await result.current.save(storage)).toBe("refused"));
  expect(result.current.problem?.message).toContain("could not be read");
  expect(result.current.draft.text).toBe("Mine");
  expect(result.current.isSaving).toBe(false);
});

test("unsaved work is offered on return, restored on top of what is stored by then, and forgotten when saved", async () => {
  const before = open(first, true);
  act(() => before.result.current.change({ text: "Mine" }));
  before.unmount();
  const { result } = open({ data: { name: "Stew", text: "" }, etag: '"2"' }, true);
  expect(result.current.draft.text).toBe("");
  expect(result.current.kept?.isOutdated('"2"')).toBe(true);
  act(() => result.current.kept?.restore());
  expect(result.current.draft).toEqual({ name: "Stew", text: "Mine" });
  expect(result.current.kept).toBeNull();
  await act(async () => {
    await result.current.save({ ...never, send: async ({ after }) => ({ data: after, etag: '"3"' }) });
  });
  expect(localStorage.length).toBe(0);
});

test("discarded work is not offered again, and typing before answering loses neither", () => {
  const before = open(first, true);
  act(() => before.result.current.change({ text: "Older" }));
  before.unmount();
  const between = open(first, true);
  act(() => between.result.current.change({ text: "Newer" }));
  between.unmount();
  const { result } = open(first, true);
  expect(localStorage.length).toBe(2);
  act(() => result.current.kept?.discard());
  act(() => result.current.kept?.discard());
  expect(result.current.kept).toBeNull();
  expect(localStorage.length).toBe(0);
});

test("what a page hands over is taken up without asking", () => {
  handOver(
    { ...keep, person: "7", workspace: "w" },
    { before: first.data, after: { name: "Soup", text: "More" }, etag: '"1"' },
  );
  const { result } = open(first, true);
  expect(result.current.draft.text).toBe("More");
  expect(result.current.kept).toBeNull();
  expect(result.current.isDirty).toBe(true);
});

test("secrets are not kept", () => {
  const keepable = (state: Thing) => ({ ...state, text: "" });
  const { result } = renderHook(() => useEdited(first, { keep, keepable }), { wrapper: around });
  act(() => result.current.change({ name: "Key", text: "hush" }));
  const stored = Array.from({ length: localStorage.length }, (_, at) =>
    localStorage.getItem(localStorage.key(at) ?? ""),
  );
  expect(stored.join()).toContain("Key");
  expect(stored.join()).not.toContain("hush");
});
