import type { ReactNode } from "react";
import type { AgentBody } from "@/client";
import type { AgentDraft, ChangeDraft } from "./draft";

/** What a part of the form needs to show and change an agent. */
export interface PartProps {
  draft: AgentDraft;
  change: ChangeDraft;
  /** What is wrong with a field, if anything. */
  fault: (key: keyof AgentDraft) => string | undefined;
}

export type Part = (props: PartProps) => ReactNode;

/** The parts of the form that belong to other features; the page that holds the form brings them. */
export interface AgentSlots {
  persona: Part;
  model: Part;
  tools: Part;
  skills: Part;
}

/** What the wizard shows besides. */
export interface WizardSlots extends AgentSlots {
  /** What the agent would read, and a talk with it, before it is saved. */
  context: (agent: AgentBody) => ReactNode;
  trial: (agent: AgentBody) => ReactNode;
}
