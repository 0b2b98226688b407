import type { ModelConfig } from "@/client";
import type { Choice } from "./model-select";

/** How hard a model is asked to think. */
export type Effort = NonNullable<ModelConfig["reasoning_effort"]>;

export const EFFORTS: readonly Effort[] = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];

/** Which model answers, and how; null leaves a setting to the provider. */
export interface ModelDraft {
  model: Choice | null;
  temperature: number | null;
  maxTokens: number | null;
  topP: number | null;
  frequencyPenalty: number | null;
  presencePenalty: number | null;
  fallbackModelId: string | null;
  reasoningEffort: Effort | null;
}
