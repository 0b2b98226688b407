import type { Model, OfferedModels, Provider } from "@/client";
import type { Option, OptionGroup } from "@/ui/combobox";
import { shortTokens } from "./prices";

export interface Choice {
  provider: string;
  model_id: string;
}

/** A choice as one text; neither part can hold a line break. */
export const keyOf = (choice: Choice | null): string => (choice ? `${choice.provider}\n${choice.model_id}` : "");

export function choiceOf(key: string): Choice | null {
  const [provider, model_id] = key.split("\n");
  return provider && model_id ? { provider, model_id } : null;
}

/** What a million tokens cost, in and out. */
export function priceOf(model: Model): string {
  if (model.input_cost_per_1k === null || model.output_cost_per_1k === null) return "price unknown";
  const million = (perThousand: string) => `$${(Number(perThousand) * 1000).toFixed(2)}`;
  return `${million(model.input_cost_per_1k)} in, ${million(model.output_cost_per_1k)} out per 1M tok`;
}

interface Known {
  models: readonly Model[];
  providers: readonly Provider[];
  /** What providers list themselves, by provider; one that is missing has not answered yet. */
  offered: Readonly<Record<string, OfferedModels>>;
}

/**
 * The models to choose from, provider by provider, those that can be asked now first. What a provider itself lists
 * counts: beside models of the catalogue stand those that the catalogue does not know.
 */
export function modelGroups({ models, providers, offered }: Known, only?: string): OptionGroup[] {
  return providers
    .filter((provider) => !only || provider.name === only)
    .map((provider) => groupOf(provider, models, offered[provider.name]))
    .filter((group) => group.options.length > 0 || group.isConfigured || only !== undefined)
    .sort((one, other) => Number(other.isConfigured) - Number(one.isConfigured));
}

function groupOf(provider: Provider, models: readonly Model[], listed: OfferedModels | undefined) {
  const own = models.filter((model) => model.provider === provider.name);
  const known = new Set(own.map((model) => model.model_id));
  const others = (listed?.items ?? []).filter((name) => !known.has(name));
  const options: Option[] = [
    ...own.map((model) => ({ value: keyOf(model), label: model.display_name, detail: contextOf(model) })),
    ...others.map((name) => ({ value: keyOf({ provider: provider.name, model_id: name }), label: name })),
  ];
  return {
    heading: provider.configured ? provider.display_name : `${provider.display_name} (no key yet)`,
    options,
    isConfigured: provider.configured,
    note: noteOf(provider, listed, options.length),
  };
}

function noteOf(provider: Provider, listed: OfferedModels | undefined, count: number): string | undefined {
  if (!provider.configured) return count === 0 ? "Add its key under Settings, Credentials, or type a name." : undefined;
  if (!listed) return "Asking it for its models …";
  if (listed.problem) return `${listed.problem} You can type a name.`;
  return count === 0 ? "It lists no models. Type the name of one." : undefined;
}

function contextOf(model: Model): string | undefined {
  return model.context_window ? shortTokens(model.context_window) : undefined;
}

/** What was typed as a model of each provider that it could be meant for; one that is offered already is not repeated. */
export function typedModels(text: string, { providers, models, offered }: Known, only?: string): Option[] {
  const isListed = (provider: string) =>
    models.some((one) => one.provider === provider && one.model_id === text) ||
    offered[provider]?.items.includes(text) === true;
  return providers
    .filter((provider) => (only ? provider.name === only : provider.configured))
    .filter((provider) => !isListed(provider.name))
    .map((provider) => ({
      value: keyOf({ provider: provider.name, model_id: text }),
      label: `Use “${text}” of ${provider.display_name}`,
    }));
}
