import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useWorkspace } from "@/lib/workspace";
import { Button } from "@/ui/button";
import { ProblemNote } from "@/ui/problem";
import { SkeletonRows } from "@/ui/states";
import { toast } from "@/ui/toaster";
import { ModelSelect } from "./model-select";
import type { Choice } from "./offered";
import { defaultModelQuery, offeredQuery, providersQuery, useChooseDefaultModel } from "./queries";

interface Props {
  /** The provider whose key was just stored. */
  provider: string;
  onDone: () => void;
}

/** After a key: which of its models shall answer for agents that name none, or whether all stays as it is. */
export function UseAsDefault({ provider, onDone }: Props) {
  const { id: workspace } = useWorkspace();
  const known = useQuery(providersQuery(workspace)).data?.items.find((one) => one.name === provider);
  const offered = useQuery(offeredQuery(workspace, provider));
  const current = useQuery(defaultModelQuery(workspace)).data;
  const [own, setOwn] = useState<Choice | null>(null);
  const choose = useChooseDefaultModel();
  if (offered.isPending || !known) return <SkeletonRows rows={2} />;

  const names = offered.data?.items ?? [];
  const usual = known.default_model && (names.length === 0 || names.includes(known.default_model));
  const first = usual ? known.default_model : names[0];
  const choice = own ?? (first ? { provider, model_id: first } : null);
  const keep = current?.is_demo ? "Keep the demo model" : `Keep ${current?.model_id ?? "it as it is"}`;

  return (
    <div className="grid gap-3">
      <p>
        The key of {known.display_name} is stored
        {names.length > 0 && `, and it offers ${names.length} ${names.length === 1 ? "model" : "models"}`}. Which one
        shall answer for agents that name none?
      </p>
      <ModelSelect
        label="Default model"
        provider={provider}
        value={choice}
        onChange={setOwn}
        {...(offered.data?.problem ? { hint: offered.data.problem } : {})}
      />
      {choose.error && <ProblemNote error={choose.error} />}
      <div className="flex flex-wrap justify-end gap-2">
        <Button onClick={onDone}>{keep}</Button>
        <Button
          look="primary"
          busy={choose.isPending}
          disabled={!choice}
          onClick={() =>
            choice &&
            choose.mutate(choice, {
              onSuccess: () => {
                toast.success(`${choice.model_id} is the default model now.`);
                onDone();
              },
            })
          }
        >
          Use as the default
        </Button>
      </div>
    </div>
  );
}
