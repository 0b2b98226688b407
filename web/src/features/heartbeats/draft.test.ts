import { expect, test } from "vitest";
import { changesOf, differencesOf, draftOf, faultsIn, type HeartbeatDraft } from "./draft";

const draft = {
  enabled: false,
  interval_minutes: 60,
  inherit_active_hours: true,
  active_hours_start: "08:00",
  active_hours_end: "20:00",
  timezone: "UTC",
  prompt: "",
  checklist: "one\ntwo",
  run_when: "changed",
  watch: ["agents", "runs"],
  auto_act: false,
} satisfies HeartbeatDraft;

test("the checklist goes line by line, without empty ones", () => {
  expect(changesOf(draft, { ...draft, checklist: "one\n\n three \n" })).toEqual({ checklist: ["one", "three"] });
});

test("only what changed is sent, and switching off is a change", () => {
  expect(changesOf({ ...draft, enabled: true }, draft)).toEqual({ enabled: false });
  expect(changesOf(draft, { ...draft })).toEqual({});
});

test("an emptied interval is found before saving", () => {
  expect(faultsIn({ ...draft, interval_minutes: null })).toHaveLength(1);
  expect(faultsIn(draft)).toEqual([]);
});

test("a difference is told in the words of the form", () => {
  const rows = differencesOf(draft, { ...draft, interval_minutes: 90, run_when: "always" as const });
  expect(rows.map(({ before, after }) => [before, after])).toEqual([
    ["60 min", "90 min"],
    ["only if something changed", "every time"],
  ]);
});

test("a stored heartbeat is a draft that changes nothing", () => {
  const stored = { ...draft, checklist: ["one", "two"], agent_id: 1, report_to: "history" as const, version: 1 };
  const config = { ...stored, active_hours: null, next_at: null, updated_at: null };
  expect(changesOf(draft, draftOf(config))).toEqual({});
});
