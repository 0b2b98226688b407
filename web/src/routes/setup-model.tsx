import { useQuery } from "@tanstack/react-query";
import { ArrowRight, CircleCheck } from "lucide-react";
import { useState } from "react";
import type { DefaultModel, Provider } from "@/client";
import { KeyForm } from "@/features/credentials/key-form";
import { defaultModelQuery, providersQuery } from "@/features/llm/queries";
import { UseAsDefault } from "@/features/llm/use-as-default";
import { useWorkspace } from "@/lib/workspace";
import { Button } from "@/ui/button";
import { Loaded, together } from "@/ui/loaded";
import { SkeletonRows } from "@/ui/states";

/** Shows what would answer now; a key can be added, or the built-in demo model used. */
export function SetupModel({ onDone }: { onDone: () => void }) {
  const { id: workspace } = useWorkspace();
  const providers = useQuery(providersQuery(workspace));
  const current = useQuery(defaultModelQuery(workspace));
  return (
    <Loaded of={together(providers, current)} pending={<SkeletonRows rows={2} />}>
      {([known, answers]) => <Choice providers={known.items} current={answers} onDone={onDone} />}
    </Loaded>
  );
}

interface ChoiceProps {
  providers: Provider[];
  current: DefaultModel;
  onDone: () => void;
}

function Choice({ providers, current, onDone }: ChoiceProps) {
  const [isAdding, setAdding] = useState(false);
  const [stored, setStored] = useState<string | null>(null);
  if (stored) return <UseAsDefault provider={stored} onDone={onDone} />;
  if (isAdding) {
    return (
      <KeyForm onSaved={setStored}>
        <Button look="quiet" className="mr-auto" onClick={() => setAdding(false)}>
          Back
        </Button>
      </KeyForm>
    );
  }
  const ready = providers.filter((provider) => provider.configured && provider.needs_key);
  return (
    <div className="grid gap-5">
      {current.is_demo ? (
        <p>
          No provider has a key yet. The built-in <strong>demo model</strong> works without one: it is offline, always
          gives the same answers and labels them as a demo. It is good for a first look.
        </p>
      ) : (
        <p className="flex items-start gap-2.5">
          <CircleCheck aria-hidden className="mt-0.5 size-5 shrink-0 text-ok" />
          <span>
            <strong>{current.model_id}</strong> is ready to answer
            {ready.length > 0 && `; keys found for ${ready.map((one) => one.display_name).join(", ")}`}.
          </span>
        </p>
      )}
      <div className="flex flex-col-reverse gap-2.5">
        <Button onClick={() => setAdding(true)}>Add a provider’s key</Button>
        <Button look="primary" onClick={onDone}>
          {current.is_demo ? "Use the demo model" : "Continue"}
          <ArrowRight aria-hidden className="size-4" />
        </Button>
      </div>
    </div>
  );
}
