import { useQuery } from "@tanstack/react-query";
import type { Model } from "@/client";
import { useWorkspace } from "@/lib/workspace";
import { SelectField } from "@/ui/field";
import { defaultModelQuery, modelsQuery, providersQuery } from "./queries";

export interface Choice {
  provider: string;
  model_id: string;
}

interface Props {
  label: string;
  value: Choice | null;
  onChange: (choice: Choice | null) => void;
  hint?: string;
  error?: string | undefined;
  /** Whether "the workspace's default" can be chosen. */
  withDefault?: boolean;
  /** Offers the models of this provider only. */
  provider?: string | undefined;
}

const keyOf = (choice: Choice | null) => (choice ? `${choice.provider}\n${choice.model_id}` : "");

/** How a model that the catalogue does not list is called. */
function nameOf(choice: Choice): string {
  return choice.provider === "demo" ? "built-in demo model" : `${choice.model_id} (${choice.provider})`;
}

function price(model: Model): string {
  if (model.input_cost_per_1k === null || model.output_cost_per_1k === null) return "price unknown";
  const million = (perThousand: string) => `$${(Number(perThousand) * 1000).toFixed(2)}`;
  return `${million(model.input_cost_per_1k)} in, ${million(model.output_cost_per_1k)} out per 1M tok`;
}

/** A model of the catalogue, those of configured providers first. */
export function ModelSelect({ label, value, onChange, hint, error, withDefault = false, provider: only }: Props) {
  const { id: workspace } = useWorkspace();
  const models = useQuery(modelsQuery(workspace));
  const providers = useQuery(providersQuery(workspace));
  const fallback = useQuery(defaultModelQuery(workspace));
  const all = models.data?.items ?? [];
  const groups = (providers.data?.items ?? [])
    .map((provider) => ({ provider, models: all.filter((model) => model.provider === provider.name) }))
    .filter((group) => group.models.length > 0 && (!only || group.provider.name === only))
    .sort((one, other) => Number(other.provider.configured) - Number(one.provider.configured));
  const offered = groups.flatMap((group) => group.models);
  const isListed = value === null || offered.some((model) => keyOf(model) === keyOf(value));
  const chosen = value && all.find((model) => keyOf(model) === keyOf(value));

  return (
    <SelectField
      label={label}
      hint={
        hint ??
        (chosen
          ? `${chosen.context_window?.toLocaleString("en") ?? "unknown"} tok context, ${price(chosen)}`
          : undefined)
      }
      error={error ?? models.error?.message}
      value={keyOf(value)}
      onChange={(event) => {
        const [provider, model_id] = event.target.value.split("\n");
        onChange(provider && model_id ? { provider, model_id } : null);
      }}
    >
      {withDefault && <option value="">Workspace default{fallback.data ? `: ${nameOf(fallback.data)}` : ""}</option>}
      {!withDefault && value === null && <option value="">Choose a model</option>}
      {!isListed && value && <option value={keyOf(value)}>{nameOf(value)}</option>}
      {groups.map(({ provider, models: own }) => (
        <optgroup key={provider.name} label={provider.display_name + (provider.configured ? "" : " (no key yet)")}>
          {own.map((model) => (
            <option key={model.model_id} value={keyOf(model)}>
              {model.display_name}
            </option>
          ))}
        </optgroup>
      ))}
    </SelectField>
  );
}
