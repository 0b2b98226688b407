import type { PatternBody, SkillPattern } from "@/client/library";
import { changedKeys } from "@/lib/changes";
import { randomId } from "@/lib/id";
import type { Difference } from "@/ui/diff-list";

/** One thing that a pattern says, as it is typed. */
export interface Point {
  key: string;
  name: string;
  text: string;
}

/** A pattern while it is being written. */
export interface Draft extends Omit<PatternBody, "pattern_data"> {
  points: Point[];
}

export const TYPES: { value: Draft["pattern_type"]; label: string }[] = [
  { value: "coordination", label: "Coordination: who does what" },
  { value: "communication", label: "Communication: who tells whom" },
  { value: "decision", label: "Decision: how something is decided" },
];

/** What the form starts from: a pattern, a copy of one, or nothing yet. */
export function draftOf(pattern?: SkillPattern, isCopy = false): Draft {
  return {
    name: pattern ? pattern.name + (isCopy ? " (copy)" : "") : "",
    description: pattern?.description ?? "",
    pattern_type: pattern?.pattern_type ?? "coordination",
    points: pattern
      ? Object.entries(pattern.pattern_data).map(([name, value]) => ({ key: name, name, text: writeText(value) }))
      : [{ key: "first", name: "steps", text: "" }],
  };
}

export const newPoint = (): Point => ({ key: randomId(), name: "", text: "" });

/** What the server is sent; points that say nothing are left out. */
export function bodyOf({ points, ...rest }: Draft): PatternBody {
  const said = points.filter(({ name, text }) => name.trim() !== "" && text.trim() !== "");
  return { ...rest, pattern_data: Object.fromEntries(said.map(({ name, text }) => [name.trim(), readText(text)])) };
}

/** A name that an earlier point has too, or none for words that need one: what is wrong with a point, if anything. */
export function faultOf(points: readonly Point[], index: number): string | undefined {
  const name = points[index]?.name.trim();
  if (!name) return points[index]?.text.trim() ? "Give it a name." : undefined;
  const isTaken = points.some((point, at) => at < index && point.name.trim() === name);
  return isTaken ? "An earlier one has this name." : undefined;
}

const ITEM = "- ";

/** What a text stands for: lines that begin with "- " are a list, JSON is what it says, all else is a sentence. */
export function readText(text: string): unknown {
  const lines = text.trim().split("\n");
  if (lines.every((line) => line.startsWith(ITEM))) return lines.map((line) => line.slice(ITEM.length).trim());
  try {
    return JSON.parse(text);
  } catch {
    return text.trim();
  }
}

/** The plainest text that stands for a value. */
export function writeText(value: unknown): string {
  const plain = plainOf(value);
  const json = JSON.stringify(value);
  if (plain?.trim() && JSON.stringify(readText(plain)) === json) return plain;
  return JSON.stringify(value, null, 2);
}

function plainOf(value: unknown): string | null {
  if (typeof value === "string") return value;
  if (!Array.isArray(value) || value.length === 0) return null;
  return value.map((one) => `${ITEM}${String(one)}`).join("\n");
}

const LABELS: Record<keyof Draft, string> = {
  name: "Name",
  description: "Description",
  pattern_type: "Kind",
  points: "What it says",
};

/** What differs between two states of a pattern, in the words of the form. */
export function differencesOf(before: Draft, after: Draft): Difference[] {
  return changedKeys(before, after).map((key) => ({
    key,
    label: LABELS[key],
    before: wordsOf(before, key),
    after: wordsOf(after, key),
  }));
}

function wordsOf(draft: Draft, key: keyof Draft): string {
  if (key !== "points") return draft[key];
  return draft.points.map(({ name, text }) => `${name}:${text.includes("\n") ? "\n" : " "}${text}`).join("\n");
}
