import type { Shape } from "@/lib/changes";
import { randomId } from "@/lib/id";
import type { Difference } from "@/ui/diff-list";
import { type Draft, type DraftInput, type DraftStep, newInput, newStep } from "./draft";

type Fields = Record<string, unknown>;
type List = "inputs" | "steps";
const order = (list: List) => `${list}/order`;

interface Entry {
  key: string;
}

/** "steps/draft/prompt": one field of one entry of a list. */
const fieldAt = (list: List, key: string, field: string) => `${list}/${key}/${field}`;

function split({ inputs, steps, ...rest }: Draft): Fields {
  const fields: Fields = { ...rest };
  for (const [list, entries] of [["inputs", inputs] as const, ["steps", steps] as const]) {
    fields[order(list)] = entries.map((entry) => entry.key);
    for (const { key, ...entry } of entries) {
      for (const [field, value] of Object.entries(entry)) fields[fieldAt(list, key, field)] = value;
    }
  }
  return fields;
}

/** The entries of a list, in its order; those that the order does not name come last. */
function entriesOf<T extends Entry>(list: List, fields: Fields, known: readonly T[], blank: T): T[] {
  const found = new Map<string, T>();
  for (const [name, value] of Object.entries(fields)) {
    const [where, key = "", field] = name.split("/");
    if (where !== list || field === undefined || value === undefined) continue;
    const entry = found.get(key) ?? known.find((one) => one.key === key) ?? { ...blank, key };
    found.set(key, { ...entry, [field]: value });
  }
  const named = (fields[order(list)] ?? []) as string[];
  const keys = [...named.filter((key) => found.has(key)), ...[...found.keys()].filter((key) => !named.includes(key))];
  return keys.map((key) => found.get(key) as T);
}

function join(fields: Fields, pattern: Draft): Draft {
  const rest = Object.fromEntries(Object.entries(fields).filter(([name]) => !name.includes("/")));
  return {
    ...pattern,
    ...rest,
    inputs: entriesOf<DraftInput>("inputs", fields, pattern.inputs, newInput(1)),
    steps: entriesOf<DraftStep>("steps", fields, pattern.steps, newStep(1)),
  };
}

/**
 * Gives each entry the key of the one it is in the other state, so that a step stays the same step: the one of its
 * name, else the one at its place if both were renamed or rewritten.
 */
function keyedLike<T extends Entry>(entries: T[], like: readonly T[], nameOf: (entry: T) => string): T[] {
  const byName = entries.map((entry) => like.find((one) => nameOf(one) === nameOf(entry))?.key);
  const taken = new Set(byName);
  return entries.map((entry, index) => {
    const atPlace = like[index]?.key;
    const isFree = atPlace !== undefined && !taken.has(atPlace);
    const key = byName[index] ?? (isFree ? atPlace : randomId());
    taken.add(key);
    return { ...entry, key };
  });
}

/** Each property of a recipe, and of each input and step, is a field of its own: two people can change one step. */
export const recipeShape: Shape<Draft> = {
  split,
  join,
  align: (stored, like) => ({
    ...stored,
    inputs: keyedLike(stored.inputs, like.inputs, (input) => input.name),
    steps: keyedLike(stored.steps, like.steps, (step) => step.stepId),
  }),
};

const LABELS: Record<string, string> = {
  name: "Name",
  description: "Description",
  tags: "Tags",
  outputs: "Outputs",
  executionConfig: "How it is run",
  "inputs/order": "Order of the inputs",
  "steps/order": "Order of the steps",
  type: "type",
  required: "required",
  defaultText: "default",
  stepId: "name",
  agentId: "agent",
  prompt: "prompt",
  outputKey: "output",
  errorHandling: "if it fails",
  retries: "retries",
  timeoutS: "time limit",
  iterations: "model turns",
  patternSlug: "pattern",
  flow: "when it comes and what it does",
};

/** What differs between two states of a recipe, in the words of the form. */
export function differencesOf(before: Draft, after: Draft, agentName: (id: number | null) => string): Difference[] {
  const [from, to] = [split(before), split(after)];
  const names = new Set([...Object.keys(to), ...Object.keys(from)]);
  const words = (fields: Fields, draft: Draft, name: string) => wordsFor(fields[name], draft, name, agentName);
  return [...names]
    .filter((name) => JSON.stringify(from[name]) !== JSON.stringify(to[name]))
    .map((name) => ({
      key: name,
      label: labelOf(name, after, before),
      before: words(from, before, name),
      after: words(to, after, name),
    }));
}

function entryName(key: string, list: string, draft: Draft): string | undefined {
  if (list === "inputs") return draft.inputs.find((one) => one.key === key)?.name;
  return draft.steps.find((one) => one.key === key)?.stepId;
}

function labelOf(name: string, ...drafts: Draft[]): string {
  const [list = "", key = "", field] = name.split("/");
  if (field === undefined) return LABELS[name] ?? name;
  const called = drafts.map((draft) => entryName(key, list, draft)).find(Boolean) ?? key;
  return `${list === "inputs" ? "Input" : "Step"} ${called}: ${LABELS[field] ?? field}`;
}

function wordsFor(value: unknown, draft: Draft, name: string, agentName: (id: number | null) => string): string {
  if (value === undefined || value === null) return "";
  if (name.endsWith("/order")) {
    const list = name.slice(0, name.indexOf("/"));
    return (value as string[]).map((key) => entryName(key, list, draft) ?? key).join(", ");
  }
  if (name.endsWith("/agentId")) return agentName(value as number);
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) return value.join(", ");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
