import type { ModelConfig } from "@/client";
import { changedKeys } from "@/lib/changes";
import { type Drawn, wordsOf } from "@/lib/drawn";
import type { FieldError, Problem } from "@/lib/problem";
import type { Difference } from "@/ui/diff-list";
import { numberFault } from "@/ui/number-field";
import type { AgentDraft } from "./draft";
import { fieldAt, groupOf, SETTINGS, type Settings } from "./settings";

export const TABS = ["general", "model", "persona", "skills", "plugins", "tools", "heartbeat"] as const;
export type TabId = (typeof TABS)[number];

export const STEPS = ["Basics", "Persona", "Model", "Capabilities", "Review"] as const;
const REVIEW = STEPS.length;

interface Field {
  label: string;
  tab: TabId;
  /** The wizard's step, counted from 1. */
  step: number;
  /** What the server calls it; a problem with a part of it belongs to it too. */
  path: string;
  range?: readonly [number, number];
  /** Whether an empty number leaves it to somebody else. */
  isOptional?: boolean;
}

/** What the server's schema says of a field. */
const told = ({ path, label, kind, min, max, isOptional }: Drawn) => ({
  path,
  label,
  ...(kind === "number" ? { range: [min, max] as const } : {}),
  isOptional,
});

function ofModel(name: keyof ModelConfig): Field {
  const field = fieldAt(`model_config.${name}`);
  return { ...(field ? told(field) : { label: name, path: `model_config.${name}` }), tab: "model", step: 3 };
}

/** Where a field that the form knows by itself is edited, what people call it and what the server calls it. */
const OWN: Record<Exclude<keyof AgentDraft, keyof Settings>, Field> = {
  name: { label: "Name", tab: "general", step: 1, path: "name" },
  description: { label: "Description", tab: "general", step: 1, path: "description" },
  category: { label: "Category", tab: "general", step: 1, path: "marketplace_category" },
  copiedType: { label: "Type", tab: "general", step: 1, path: "agent_type" },
  tags: { label: "Tags", tab: "general", step: 1, path: "tags" },
  personaKind: { label: "Persona", tab: "persona", step: 2, path: "use_custom_persona" },
  personaId: { label: "Persona from the library", tab: "persona", step: 2, path: "persona_id" },
  customPrompt: { label: "Persona in its own words", tab: "persona", step: 2, path: "custom_persona_prompt" },
  model: { label: "Model", tab: "model", step: 3, path: "model_config" },
  temperature: ofModel("temperature"),
  maxTokens: ofModel("max_tokens"),
  topP: ofModel("top_p"),
  frequencyPenalty: ofModel("frequency_penalty"),
  presencePenalty: ofModel("presence_penalty"),
  fallbackModelId: ofModel("fallback_model_id"),
  reasoningEffort: ofModel("reasoning_effort"),
  tools: { label: "Tools", tab: "tools", step: 4, path: "tools" },
  skillIds: { label: "Skills", tab: "skills", step: 4, path: "skill_ids" },
};

const placeOf = (field: Drawn) =>
  groupOf(field) === "Skills" ? { tab: "skills", step: 4 } : { tab: "general", step: REVIEW };

/** Where each field of an agent is edited, what people call it and what the server calls it. */
export const FIELDS = {
  ...OWN,
  ...Object.fromEntries(SETTINGS.map((field) => [field.path, { ...told(field), ...placeOf(field) }])),
} as Record<keyof AgentDraft, Field>;

const KEYS = Object.keys(FIELDS) as (keyof AgentDraft)[];
const isAt = (path: string, place: string) => place === path || place.startsWith(`${path}.`);

/** The field that a problem of the server is about: the one with the longest name that fits. */
function complainedOf(place: string): Field | undefined {
  return KEYS.map((key) => FIELDS[key])
    .filter((field) => isAt(field.path, place))
    .toSorted((one, other) => other.path.length - one.path.length)[0];
}

const PATH_OF_CODE: Record<string, string> = {
  agent_name_taken: FIELDS.name.path,
  unknown_persona: FIELDS.personaId.path,
  unknown_skills: FIELDS.skillIds.path,
  unknown_tools: FIELDS.tools.path,
};

/** Everything a problem says about fields, also where its code alone tells which one. */
export function complaintsOf(problem: Problem | null): FieldError[] {
  if (!problem) return [];
  const path = PATH_OF_CODE[problem.code];
  return path ? [...problem.fields, { field: path, reason: problem.message }] : problem.fields;
}

/** The wizard's steps that hold a field the server complained of. */
export function stepsOf(problem: Problem): number[] {
  return complaintsOf(problem)
    .map(({ field }) => complainedOf(field)?.step)
    .filter((step) => step !== undefined);
}

/** The first of those steps; null when the server named no field. */
export function stepOf(problem: Problem): number | null {
  const steps = stepsOf(problem);
  return steps.length > 0 ? Math.min(...steps) : null;
}

/** The tabs that hold these faults. */
export function tabsOf(faults: readonly FieldError[]): TabId[] {
  return faults.map(({ field }) => complainedOf(field)?.tab).filter((tab) => tab !== undefined);
}

/** The words for one field among the server's complaints. */
export function faultOf(faults: readonly FieldError[], key: keyof AgentDraft): string | undefined {
  return faults.find(({ field }) => complainedOf(field) === FIELDS[key])?.reason;
}

/** What can be seen to be wrong without asking the server. */
export function faultsIn(draft: AgentDraft): FieldError[] {
  const faults: FieldError[] = [];
  const say = (key: keyof AgentDraft, reason: string) => faults.push({ field: FIELDS[key].path, reason });
  if (!draft.name.trim()) say("name", "Give the agent a name.");
  if (draft.personaKind === "predefined" && !draft.personaId) say("personaId", "Choose a persona of the library.");
  if (draft.personaKind === "custom" && !draft.customPrompt.trim()) say("customPrompt", "Write who the agent is.");
  for (const key of KEYS) {
    const { range, isOptional } = FIELDS[key];
    if (!range) continue;
    const reason = numberFault(draft[key] as number | null, ...range, isOptional);
    if (reason) say(key, reason);
  }
  return faults;
}

/** How things that the draft knows by id are called. */
export interface Names {
  persona: (id: string) => string | undefined;
  skill: (id: number) => string | undefined;
}

const KINDS = { none: "None", predefined: "From the library", custom: "In its own words" };

type Words = (draft: AgentDraft, names: Names) => string;

/** Fields whose value alone would say little. */
const WORDS: Partial<Record<keyof AgentDraft, Words>> = {
  model: ({ model }) => (model ? `${model.model_id} (${model.provider})` : "the workspace’s default"),
  copiedType: ({ copiedType }) => copiedType?.agentType ?? "",
  personaKind: ({ personaKind }) => KINDS[personaKind],
  personaId: ({ personaId }, names) => (personaId ? (names.persona(personaId) ?? personaId) : ""),
  skillIds: ({ skillIds }, names) => skillIds.map((id) => names.skill(id) ?? `skill ${id}`).join(", "),
};

function wordsFor(draft: AgentDraft, key: keyof AgentDraft, names: Names): string {
  const words = WORDS[key];
  if (words) return words(draft, names);
  const value = draft[key];
  if (Array.isArray(value)) return value.join(", ");
  if (typeof value === "boolean") return value ? "on" : "off";
  if (value === null) return FIELDS[key].range ? "automatic" : "";
  if (fieldAt(FIELDS[key].path)?.kind === "choice") return wordsOf(String(value));
  return String(value);
}

/** What differs between two drafts, in the words of the form. */
export function differencesOf(before: AgentDraft, after: AgentDraft, names: Names): Difference[] {
  return changedKeys(before, after).map((key) => ({
    key,
    label: FIELDS[key].label,
    before: wordsFor(before, key, names),
    after: wordsFor(after, key, names),
  }));
}
