import { useQueries, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Model, OfferedModels } from "@/client";
import { useWorkspace } from "@/lib/workspace";
import { Combobox } from "@/ui/combobox";
import { type Choice, choiceOf, keyOf, modelGroups, priceOf, typedModels } from "./offered";
import { defaultModelQuery, modelsQuery, offeredQuery, providersQuery } from "./queries";

export type { Choice } from "./offered";

interface Props {
  label: string;
  value: Choice | null;
  onChange: (choice: Choice | null) => void;
  hint?: string;
  error?: string | undefined;
  /** Whether "the workspace's default" can be chosen. */
  withDefault?: boolean;
  /** What choosing none is called, where that can be done. */
  none?: string;
  optional?: boolean;
  /** Offers the models of this provider only. */
  provider?: string | undefined;
}

/** How a choice is called; one that the catalogue does not list goes by its own name. */
function nameOf(choice: Choice, models: readonly Model[], providerName: string): string {
  if (choice.provider === "demo") return "Built-in demo model";
  const known = models.find((model) => keyOf(model) === keyOf(choice));
  return `${known?.display_name ?? choice.model_id} (${providerName})`;
}

/** What a provider says of itself is asked for when somebody looks. */
function useOffered(names: readonly string[], isWanted: boolean): Record<string, OfferedModels> {
  const { id: workspace } = useWorkspace();
  return useQueries({
    queries: names.map((name) => ({ ...offeredQuery(workspace, name), enabled: isWanted })),
    combine: (answers) =>
      Object.fromEntries(answers.flatMap((one) => (one.data ? [[one.data.provider, one.data]] : []))),
  });
}

/** Any model that can be had: of the catalogue, from a provider's own list, or by its name. */
export function ModelSelect({
  label,
  value,
  onChange,
  hint,
  error,
  withDefault = false,
  none,
  optional = false,
  provider: only,
}: Props) {
  const { id: workspace } = useWorkspace();
  const [isOpen, setOpen] = useState(false);
  const listed = useQuery(modelsQuery(workspace));
  const providers = useQuery(providersQuery(workspace)).data?.items ?? [];
  const fallback = useQuery(defaultModelQuery(workspace)).data;
  const models = listed.data?.items ?? [];
  const asked = providers.filter((one) => one.configured && (!only || one.name === only)).map((one) => one.name);
  const offered = useOffered(asked, isOpen);
  const known = { models, providers, offered };
  const groups = modelGroups(known, only);

  const say = (choice: Choice) =>
    nameOf(choice, models, providers.find((one) => one.name === choice.provider)?.display_name ?? choice.provider);
  const nothing = withDefault ? `Workspace default${fallback ? `: ${say(fallback)}` : ""}` : none;
  const chosen = value && models.find((model) => keyOf(model) === keyOf(value));
  const facts = chosen
    ? `${chosen.context_window?.toLocaleString("en") ?? "unknown"} tok context, ${priceOf(chosen)}`
    : undefined;

  return (
    <Combobox
      label={label}
      optional={optional}
      shown={value ? say(value) : (nothing ?? "Choose a model")}
      value={keyOf(value)}
      hint={hint ?? facts}
      error={error ?? listed.error?.message}
      searchLabel="Search models, or type a name"
      groups={
        nothing === undefined ? groups : [{ heading: "No choice", options: [{ value: "", label: nothing }] }, ...groups]
      }
      own={(text) => typedModels(text, known, only)}
      onOpen={setOpen}
      onChange={(key) => onChange(choiceOf(key))}
    />
  );
}
