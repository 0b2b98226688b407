import { type FormEvent, useState } from "react";
import type { Model, ModelUpdate } from "@/client/system";
import { asProblem } from "@/lib/problem";
import { Button } from "@/ui/button";
import { CheckField, SelectField, TextArea, TextField } from "@/ui/field";
import { ProblemNote } from "@/ui/problem";
import { Sheet } from "@/ui/sheet";
import { toast } from "@/ui/toaster";
import { useUpdateModel } from "./catalogue-queries";
import { perThousand, typedRate } from "./prices";

const FORM = "model";
const STATUSES = ["active", "beta", "deprecated", "inactive"] as const;

/** The entry of a model, for those who keep the server's catalogue. */
export function ModelEditForm({ model, onDone }: { model: Model; onDone: () => void }) {
  const [draft, setDraft] = useState({
    name: model.display_name,
    description: model.description,
    context: model.context_window?.toString() ?? "",
    output: model.max_output_tokens?.toString() ?? "",
    priceIn: typedRate(model.input_cost_per_1k),
    priceOut: typedRate(model.output_cost_per_1k),
    functions: model.supports_functions,
    vision: model.supports_vision,
    status: model.status,
  });
  const change = (part: Partial<typeof draft>) => setDraft((current) => ({ ...current, ...part }));
  const save = useUpdateModel();
  const problem = save.error ? asProblem(save.error) : null;
  const whole = (text: string) => (text.trim() === "" ? null : Number(text));

  function submit(event: FormEvent) {
    event.preventDefault();
    const body: ModelUpdate = {
      display_name: draft.name,
      description: draft.description,
      context_window: whole(draft.context),
      max_output_tokens: whole(draft.output),
      input_cost_per_1k: perThousand(draft.priceIn),
      output_cost_per_1k: perThousand(draft.priceOut),
      supports_functions: draft.functions,
      supports_vision: draft.vision,
      status: draft.status as ModelUpdate["status"],
    };
    save.mutate(
      { id: model.id, body },
      {
        onSuccess: () => {
          toast.success(`${draft.name} is saved.`);
          onDone();
        },
      },
    );
  }

  return (
    <Sheet
      open
      onOpenChange={(open) => !open && onDone()}
      title={`Edit ${model.display_name}`}
      description="For the whole server. New prices count for calls from now on."
      footer={
        <>
          <Button onClick={onDone}>Not now</Button>
          <Button type="submit" form={FORM} look="primary" busy={save.isPending}>
            Save changes
          </Button>
        </>
      }
    >
      <form id={FORM} onSubmit={submit} className="grid gap-x-4 gap-y-2 sm:grid-cols-2">
        <TextField
          className="sm:col-span-2"
          label="Name"
          required
          maxLength={200}
          value={draft.name}
          onChange={(event) => change({ name: event.target.value })}
          error={problem?.forField("display_name")}
        />
        <TextField
          label="Price in"
          type="number"
          min={0}
          step="any"
          value={draft.priceIn}
          onChange={(event) => change({ priceIn: event.target.value })}
          hint="US dollars for 1M tokens; empty is unknown."
          error={problem?.forField("input_cost_per_1k")}
        />
        <TextField
          label="Price out"
          type="number"
          min={0}
          step="any"
          value={draft.priceOut}
          onChange={(event) => change({ priceOut: event.target.value })}
          hint="US dollars for 1M tokens; empty is unknown."
          error={problem?.forField("output_cost_per_1k")}
        />
        <TextField
          label="Reads at once"
          type="number"
          min={1}
          value={draft.context}
          onChange={(event) => change({ context: event.target.value })}
          hint="tokens"
          error={problem?.forField("context_window")}
        />
        <TextField
          label="Writes at most"
          type="number"
          min={1}
          value={draft.output}
          onChange={(event) => change({ output: event.target.value })}
          hint="tokens"
          error={problem?.forField("max_output_tokens")}
        />
        <CheckField
          label="Can call tools"
          checked={draft.functions}
          onChange={(event) => change({ functions: event.target.checked })}
        />
        <CheckField
          label="Reads images"
          checked={draft.vision}
          onChange={(event) => change({ vision: event.target.checked })}
        />
        <SelectField
          className="sm:col-span-2"
          label="Status"
          value={draft.status}
          onChange={(event) => change({ status: event.target.value })}
          hint="Only active models are offered to agents."
        >
          {STATUSES.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </SelectField>
        <TextArea
          className="sm:col-span-2"
          label="Description"
          optional
          rows={3}
          value={draft.description}
          onChange={(event) => change({ description: event.target.value })}
          error={problem?.forField("description")}
        />
        {problem && <ProblemNote error={problem} className="sm:col-span-2" />}
      </form>
    </Sheet>
  );
}
