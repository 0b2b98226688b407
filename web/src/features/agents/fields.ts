import { changedKeys } from "@/lib/changes";
import type { FieldError, Problem } from "@/lib/problem";
import type { Difference } from "@/ui/diff-list";
import { numberFault } from "@/ui/number-field";
import type { AgentDraft } from "./draft";

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
}

/** Where each field of an agent is edited, what people call it and what the server calls it. */
export const FIELDS: Record<keyof AgentDraft, Field> = {
  name: { label: "Name", tab: "general", step: 1, path: "name" },
  description: { label: "Description", tab: "general", step: 1, path: "description" },
  category: { label: "Category", tab: "general", step: 1, path: "marketplace_category" },
  copiedType: { label: "Type", tab: "general", step: 1, path: "agent_type" },
  tags: { label: "Tags", tab: "general", step: 1, path: "tags" },
  personaKind: { label: "Persona", tab: "persona", step: 2, path: "use_custom_persona" },
  personaId: { label: "Persona from the library", tab: "persona", step: 2, path: "persona_id" },
  customPrompt: { label: "Persona in its own words", tab: "persona", step: 2, path: "custom_persona_prompt" },
  model: { label: "Model", tab: "model", step: 3, path: "model_config" },
  temperature: { label: "Temperature", tab: "model", step: 3, path: "model_config.temperature", range: [0, 2] },
  maxTokens: { label: "Longest answer", tab: "model", step: 3, path: "model_config.max_tokens", range: [1, 1_000_000] },
  topP: { label: "Top p", tab: "model", step: 3, path: "model_config.top_p", range: [0.01, 1] },
  frequencyPenalty: {
    label: "Frequency penalty",
    tab: "model",
    step: 3,
    path: "model_config.frequency_penalty",
    range: [-2, 2],
  },
  presencePenalty: {
    label: "Presence penalty",
    tab: "model",
    step: 3,
    path: "model_config.presence_penalty",
    range: [-2, 2],
  },
  fallbackModelId: { label: "Fallback model", tab: "model", step: 3, path: "model_config.fallback_model_id" },
  reasoningEffort: { label: "Reasoning effort", tab: "model", step: 3, path: "model_config.reasoning_effort" },
  tools: { label: "Tools", tab: "tools", step: 4, path: "tools" },
  skillIds: { label: "Skills", tab: "skills", step: 4, path: "skill_ids" },
  skillLoading: { label: "How skills are read", tab: "skills", step: 4, path: "configuration.skill_loading" },
  priority: { label: "Priority", tab: "general", step: REVIEW, path: "configuration.priority_level" },
  maxConcurrent: {
    label: "Tasks at the same time",
    tab: "general",
    step: REVIEW,
    path: "configuration.max_concurrent_tasks",
    range: [1, 10],
  },
  autoStart: { label: "Start with the server", tab: "general", step: REVIEW, path: "configuration.auto_start" },
  retries: { label: "Retries", tab: "general", step: REVIEW, path: "configuration.retry_attempts", range: [0, 5] },
  timeoutS: {
    label: "Time limit of a task",
    tab: "general",
    step: REVIEW,
    path: "configuration.timeout_seconds",
    range: [60, 3600],
  },
  maxIterations: {
    label: "Model turns in a task",
    tab: "general",
    step: REVIEW,
    path: "configuration.max_iterations",
    range: [1, 100],
  },
  memoryMb: {
    label: "Memory",
    tab: "general",
    step: REVIEW,
    path: "configuration.resource_limits.memory_mb",
    range: [64, 65_536],
  },
  cpuPercent: {
    label: "Processor",
    tab: "general",
    step: REVIEW,
    path: "configuration.resource_limits.cpu_percent",
    range: [1, 100],
  },
  network: {
    label: "Network",
    tab: "general",
    step: REVIEW,
    path: "configuration.resource_limits.network_bandwidth",
    range: [1, 100_000],
  },
  environment: { label: "Environment", tab: "general", step: REVIEW, path: "configuration.environment" },
  environmentNote: {
    label: "What to tell it of the environment",
    tab: "general",
    step: REVIEW,
    path: "configuration.environment_note",
  },
  loggingLevel: { label: "Logging", tab: "general", step: REVIEW, path: "configuration.logging_level" },
  monitoring: {
    label: "Performance monitoring",
    tab: "general",
    step: REVIEW,
    path: "configuration.performance_monitoring",
  },
};

const KEYS = Object.keys(FIELDS) as (keyof AgentDraft)[];
const isAt = (path: string, place: string) => place === path || place.startsWith(`${path}.`);

/** The field that a problem of the server is about: the one with the longest name that fits. */
function fieldAt(place: string): Field | undefined {
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
    .map(({ field }) => fieldAt(field)?.step)
    .filter((step) => step !== undefined);
}

/** The first of those steps; null when the server named no field. */
export function stepOf(problem: Problem): number | null {
  const steps = stepsOf(problem);
  return steps.length > 0 ? Math.min(...steps) : null;
}

/** The tabs that hold these faults. */
export function tabsOf(faults: readonly FieldError[]): TabId[] {
  return faults.map(({ field }) => fieldAt(field)?.tab).filter((tab) => tab !== undefined);
}

/** The words for one field among the server's complaints. */
export function faultOf(faults: readonly FieldError[], key: keyof AgentDraft): string | undefined {
  return faults.find(({ field }) => fieldAt(field) === FIELDS[key])?.reason;
}

/** What can be seen to be wrong without asking the server. */
export function faultsIn(draft: AgentDraft): FieldError[] {
  const faults: FieldError[] = [];
  const say = (key: keyof AgentDraft, reason: string) => faults.push({ field: FIELDS[key].path, reason });
  if (!draft.name.trim()) say("name", "Give the agent a name.");
  if (draft.personaKind === "predefined" && !draft.personaId) say("personaId", "Choose a persona of the library.");
  if (draft.personaKind === "custom" && !draft.customPrompt.trim()) say("customPrompt", "Write who the agent is.");
  for (const key of KEYS) {
    const range = FIELDS[key].range;
    if (!range) continue;
    const reason = numberFault(draft[key] as number | null, ...range, FIELDS[key].tab === "model");
    if (reason) say(key, reason);
  }
  return faults;
}

/** How things that the draft knows by id are called. */
export interface Names {
  persona: (id: string) => string | undefined;
  skill: (id: number) => string | undefined;
}

const LOADING = { on_demand: "when the agent needs them", preload: "all at the start" };
const KINDS = { none: "None", predefined: "From the library", custom: "In its own words" };

type Words = (draft: AgentDraft, names: Names) => string;

/** Fields whose value alone would say little. */
const WORDS: Partial<Record<keyof AgentDraft, Words>> = {
  model: ({ model }) => (model ? `${model.model_id} (${model.provider})` : "the workspace’s default"),
  copiedType: ({ copiedType }) => copiedType?.agentType ?? "",
  personaKind: ({ personaKind }) => KINDS[personaKind],
  personaId: ({ personaId }, names) => (personaId ? (names.persona(personaId) ?? personaId) : ""),
  skillIds: ({ skillIds }, names) => skillIds.map((id) => names.skill(id) ?? `skill ${id}`).join(", "),
  skillLoading: ({ skillLoading }) => LOADING[skillLoading],
};

function wordsFor(draft: AgentDraft, key: keyof AgentDraft, names: Names): string {
  const words = WORDS[key];
  if (words) return words(draft, names);
  const value = draft[key];
  if (Array.isArray(value)) return value.join(", ");
  if (typeof value === "boolean") return value ? "on" : "off";
  if (value === null) return FIELDS[key].range ? "automatic" : "";
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
