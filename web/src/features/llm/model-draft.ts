import type { Choice } from "./model-select";

/** Which model answers, and how; null leaves a setting to the provider. */
export interface ModelDraft {
  model: Choice | null;
  temperature: number | null;
  maxTokens: number | null;
  topP: number | null;
  frequencyPenalty: number | null;
  presencePenalty: number | null;
  fallbackModelId: string | null;
}
