import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Model } from "@/client/system";
import { formatTime } from "@/lib/format";
import { useCan, useWorkspace } from "@/lib/workspace";
import { Button } from "@/ui/button";
import { LoadProblem } from "@/ui/loaded";
import { ProblemNote } from "@/ui/problem";
import { Sheet } from "@/ui/sheet";
import { Fact, Facts } from "@/ui/stat";
import { SkeletonRows } from "@/ui/states";
import { modelQuery, useTryModel } from "./catalogue-queries";
import { ModelEditForm } from "./model-edit";
import { perMillion } from "./prices";
import { TrialNote } from "./trial-note";

interface Props {
  modelId: number;
  /** Whether the person may change the catalogue of the whole server. */
  mayEdit: boolean;
  onClose: () => void;
}

/** One model: all that is known of it, one tiny call to see whether it answers, and its entry for those who keep it. */
export function ModelSheet({ modelId, mayEdit, onClose }: Props) {
  const { id: workspace } = useWorkspace();
  const model = useQuery(modelQuery(workspace, modelId));
  const [isEditing, setEditing] = useState(false);
  const found = model.data;
  if (found && isEditing) return <ModelEditForm model={found} onDone={() => setEditing(false)} />;
  return (
    <Sheet
      open
      onOpenChange={(open) => !open && onClose()}
      title={found?.display_name ?? "Model"}
      description={found && `${found.model_id}, ${found.provider}`}
      footer={
        <>
          <Button onClick={onClose}>Close</Button>
          {mayEdit && found && <Button onClick={() => setEditing(true)}>Edit</Button>}
        </>
      }
    >
      {model.isPending && <SkeletonRows rows={4} />}
      <LoadProblem of={model} />
      {found && (
        <div className="grid gap-6">
          <Trial model={found} />
          <About model={found} />
        </div>
      )}
    </Sheet>
  );
}

function Trial({ model }: { model: Model }) {
  const mayTry = useCan("editor");
  const trial = useTryModel();
  if (!mayTry) return null;
  return (
    <section className="grid gap-3">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <p className="text-muted">One tiny call, at its price.</p>
        <Button
          look="primary"
          busy={trial.isPending}
          onClick={() => trial.mutate({ provider: model.provider, model_id: model.model_id })}
        >
          Test this model
        </Button>
      </div>
      <div aria-live="polite">
        {trial.data && <TrialNote result={trial.data} />}
        {trial.error && <ProblemNote error={trial.error} />}
      </div>
    </section>
  );
}

const count = (value: number | null) => (value === null ? "unknown" : `${value.toLocaleString("en")} tok`);

function About({ model }: { model: Model }) {
  const abilities = Object.entries(model.capabilities).map(([name, level]) => `${name}: ${String(level)}`);
  const can = [
    model.supports_functions && "tools",
    model.supports_vision && "images",
    model.supports_streaming && "streaming",
  ].filter(Boolean);
  return (
    <Facts>
      {model.description && <Fact name="About">{model.description}</Fact>}
      <Fact name="Reads at once">{count(model.context_window)}</Fact>
      <Fact name="Writes at most">{count(model.max_output_tokens)}</Fact>
      <Fact name="Price in">{perMillion(model.input_cost_per_1k)} for 1M tok</Fact>
      <Fact name="Price out">{perMillion(model.output_cost_per_1k)} for 1M tok</Fact>
      <Fact name="Can use">{can.join(", ") || "text only"}</Fact>
      {abilities.length > 0 && <Fact name="Good at">{abilities.join(", ")}</Fact>}
      {model.recommended_for.length > 0 && (
        <Fact name="Suits">{model.recommended_for.join(", ").replaceAll("_", " ")}</Fact>
      )}
      <Fact name="Temperature">
        {model.default_temperature}, from {model.min_temperature} to {model.max_temperature}
      </Fact>
      <Fact name="Status">
        {model.status}
        {model.deprecation_date && `, ends ${model.deprecation_date}`}
      </Fact>
      {model.updated_by && (
        <Fact name="Changed">
          by {model.updated_by}, {formatTime(model.updated_at)}
        </Fact>
      )}
    </Facts>
  );
}
