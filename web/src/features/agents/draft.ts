import type { Agent, AgentBody, ModelConfig } from "@/client";
import { partOf } from "@/lib/changes";
import { configurationOf, INITIAL, type Settings, settingsOf } from "./settings";

export type PersonaKind = "none" | "predefined" | "custom";

/**
 * An agent while it is being edited: flat, every field with a value; an emptied number is null until it is filled.
 * Its settings go by their place in the body and are drawn from the server's schema.
 */
export interface AgentDraft extends Settings {
  name: string;
  description: string;
  category: AgentBody["marketplace_category"];
  /** The specialised type of the agent this is a copy of, which holds as long as its category is kept. */
  copiedType: { category: AgentBody["marketplace_category"]; agentType: NonNullable<AgentBody["agent_type"]> } | null;
  tags: string[];
  personaKind: PersonaKind;
  personaId: string | null;
  customPrompt: string;
  model: { provider: string; model_id: string } | null;
  temperature: number | null;
  maxTokens: number | null;
  topP: number | null;
  frequencyPenalty: number | null;
  presencePenalty: number | null;
  fallbackModelId: string | null;
  reasoningEffort: NonNullable<ModelConfig["reasoning_effort"]> | null;
  tools: string[];
  skillIds: number[];
}

export type ChangeDraft = (part: Partial<AgentDraft>) => void;

/** What a new agent is unless its maker says otherwise; the server's own defaults. */
export const BLANK: AgentDraft = {
  name: "",
  description: "",
  category: null,
  copiedType: null,
  tags: [],
  personaKind: "none",
  personaId: null,
  customPrompt: "",
  model: null,
  temperature: null,
  maxTokens: null,
  topP: null,
  frequencyPenalty: null,
  presencePenalty: null,
  fallbackModelId: null,
  reasoningEffort: null,
  tools: [],
  skillIds: [],
  ...INITIAL,
};

function personaKindOf(agent: Agent): PersonaKind {
  if (agent.use_custom_persona && agent.custom_persona_prompt) return "custom";
  return agent.persona_id ? "predefined" : "none";
}

/** The draft that saves an agent as it is stored. */
export function draftOf(agent: Agent): AgentDraft {
  return {
    name: agent.name,
    description: agent.description ?? "",
    category: agent.marketplace_category as AgentDraft["category"],
    copiedType: null,
    tags: agent.tags,
    personaKind: personaKindOf(agent),
    personaId: agent.persona_id,
    customPrompt: agent.custom_persona_prompt ?? "",
    tools: agent.tools,
    skillIds: agent.skills.map((skill) => skill.id),
    ...modelPartOf(agent.model_config),
    ...settingsOf(agent),
  };
}

function modelPartOf(model: Agent["model_config"]) {
  return {
    model: model && { provider: model.provider, model_id: model.model_id },
    temperature: model?.temperature ?? null,
    maxTokens: model?.max_tokens ?? null,
    topP: model?.top_p ?? null,
    frequencyPenalty: model?.frequency_penalty ?? null,
    presencePenalty: model?.presence_penalty ?? null,
    fallbackModelId: model?.fallback_model_id ?? null,
    reasoningEffort: model?.reasoning_effort ?? null,
  };
}

function modelConfigOf(draft: AgentDraft): ModelConfig | null {
  if (!draft.model) return null;
  return {
    ...draft.model,
    temperature: draft.temperature,
    max_tokens: draft.maxTokens,
    top_p: draft.topP,
    frequency_penalty: draft.frequencyPenalty,
    presence_penalty: draft.presencePenalty,
    fallback_model_id: draft.fallbackModelId,
    reasoning_effort: draft.reasoningEffort,
  };
}

function typeOf({ copiedType, category }: AgentDraft): Partial<AgentBody> {
  return copiedType && copiedType.category === category ? { agent_type: copiedType.agentType } : {};
}

/** The whole agent as the server takes it. Numbers left empty go as null, and the server names the field. */
export function bodyOf(draft: AgentDraft): AgentBody {
  return {
    name: draft.name.trim(),
    description: draft.description.trim() || null,
    ...typeOf(draft),
    marketplace_category: draft.category,
    tags: draft.tags,
    persona_id: draft.personaKind === "predefined" ? draft.personaId : null,
    // Kept while a persona of the library speaks, so that going back to it loses nothing.
    custom_persona_prompt: draft.customPrompt.trim() ? draft.customPrompt : null,
    use_custom_persona: draft.personaKind === "custom",
    model_config: modelConfigOf(draft),
    tools: draft.tools,
    skill_ids: draft.skillIds,
    configuration: configurationOf(draft),
  };
}

/** Only what changed, as the server takes it: everything left out stays as it is stored. */
export function changesOf(before: AgentDraft, after: AgentDraft): Partial<AgentBody> {
  return partOf(bodyOf(before), bodyOf(after), ["configuration"]);
}

/** The same agent under a name of its own, ready to become another one. */
export function copyOf(agent: Agent): AgentDraft {
  const draft = draftOf(agent);
  const agentType = agent.agent_type as NonNullable<AgentBody["agent_type"]>;
  return {
    ...draft,
    name: `Copy of ${agent.name}`.slice(0, 255),
    copiedType: { category: draft.category, agentType },
  };
}
