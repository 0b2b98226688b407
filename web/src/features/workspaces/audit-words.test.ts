import { expect, test } from "vitest";
import { actionWords, filterOf, linesOf, wayOf, whoText } from "./audit-words";
import { targetOf } from "./queries";

test("an entry reads as what was and what became of it", () => {
  expect(linesOf({ name: "one", old: "viewer", new: "admin" })).toEqual([
    { name: "name", text: "one" },
    { name: "value", before: "viewer", text: "admin" },
  ]);
  expect(linesOf({ priority_level: { old: null, new: 3 }, tags: ["a", "b"], empty: [] })).toEqual([
    { name: "priority level", before: "nothing", text: "3" },
    { name: "tags", text: "a, b" },
    { name: "empty", text: "nothing" },
  ]);
});

test("actions are written in words", () => {
  expect(actionWords("api_key.created")).toBe("api key created");
  expect(actionWords("agent.status_changed")).toBe("agent status changed");
  expect(actionWords("odd")).toBe("odd");
});

test("a target is a kind of thing, or one of them", () => {
  expect(targetOf("agent")).toEqual({ target_type: "agent" });
  expect(targetOf("setting:chat/temperature")).toEqual({ target_type: "setting", target_id: "chat/temperature" });
  expect(targetOf(undefined)).toEqual({});
});

test("an entry says who it was, never by the name they chose", () => {
  const entry = { actor: "platform key", actor_kind: "person", user_id: 7, api_key_id: null } as const;
  expect(whoText(entry)).toBe("account 7");
  expect(filterOf(entry)).toBe("account:7");
  expect(whoText({ ...entry, actor_kind: "api_key", user_id: null, api_key_id: "k1" })).toBe("key k1");
  expect(whoText({ ...entry, actor_kind: "platform_key", user_id: null })).toBe("the operator's key");
  expect(filterOf({ user_id: null, api_key_id: null })).toBeUndefined();
  expect(wayOf("cookie")).toBe("a browser's sign-in");
  expect(wayOf("")).toBe("");
});
