import type { HeartbeatBody, HeartbeatConfig, Watched } from "@/client/agents";
import { changedKeys, partOf } from "@/lib/changes";
import type { FieldError, Problem } from "@/lib/problem";
import type { Difference } from "@/ui/diff-list";
import { numberFault } from "@/ui/number-field";

/** An agent's heartbeat while it is being edited; the checklist is text, one check a line. */
export interface HeartbeatDraft {
  enabled: boolean;
  interval_minutes: number | null;
  inherit_active_hours: boolean;
  active_hours_start: string;
  active_hours_end: string;
  timezone: string;
  prompt: string;
  checklist: string;
  run_when: "changed" | "always";
  watch: Watched[];
  auto_act: boolean;
}

export const INTERVAL = [1, 43_200] as const;

export const LABELS: Record<keyof HeartbeatDraft, string> = {
  enabled: "Heartbeat",
  interval_minutes: "Every",
  inherit_active_hours: "The workspace’s hours",
  active_hours_start: "From",
  active_hours_end: "Until",
  timezone: "Time zone",
  prompt: "What to look after",
  checklist: "Checklist",
  run_when: "When it is due",
  watch: "What it watches",
  auto_act: "May act",
};

export function draftOf(config: HeartbeatConfig): HeartbeatDraft {
  return {
    enabled: config.enabled,
    interval_minutes: config.interval_minutes,
    inherit_active_hours: config.inherit_active_hours,
    active_hours_start: config.active_hours_start,
    active_hours_end: config.active_hours_end,
    timezone: config.timezone,
    prompt: config.prompt,
    checklist: config.checklist.join("\n"),
    run_when: config.run_when,
    watch: config.watch,
    auto_act: config.auto_act,
  };
}

function bodyOf(draft: HeartbeatDraft): HeartbeatBody {
  const checklist = draft.checklist.split("\n").map((line) => line.trim());
  return {
    ...draft,
    interval_minutes: draft.interval_minutes as number,
    checklist: checklist.filter(Boolean),
  };
}

/** Only what changed, as the server takes it. */
export function changesOf(before: HeartbeatDraft, after: HeartbeatDraft): HeartbeatBody {
  return partOf(bodyOf(before), bodyOf(after));
}

/** What can be seen to be wrong without asking the server. */
export function faultsIn(draft: HeartbeatDraft): FieldError[] {
  const reason = numberFault(draft.interval_minutes, ...INTERVAL);
  return reason ? [{ field: "interval_minutes", reason }] : [];
}

/** The words for one field among the server's complaints. */
export function faultOf(problem: Problem | null, key: keyof HeartbeatDraft): string | undefined {
  return problem?.forField(key);
}

const WORDS = { changed: "only if something changed", always: "every time" };

function wordsFor(draft: HeartbeatDraft, key: keyof HeartbeatDraft): string {
  const value = draft[key];
  if (key === "run_when") return WORDS[draft.run_when];
  if (key === "interval_minutes") return value === null ? "" : `${value} min`;
  if (typeof value === "boolean") return value ? "on" : "off";
  return Array.isArray(value) ? value.join(", ") : String(value);
}

/** What differs between two drafts, in the words of the form. */
export function differencesOf(before: HeartbeatDraft, after: HeartbeatDraft): Difference[] {
  return changedKeys(before, after).map((key) => ({
    key: `heartbeat.${key}`,
    label: `Heartbeat: ${LABELS[key].toLowerCase()}`,
    before: wordsFor(before, key),
    after: wordsFor(after, key),
  }));
}
