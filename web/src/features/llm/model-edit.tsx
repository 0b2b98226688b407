import { useQueryClient } from "@tanstack/react-query";
import type { FormEvent } from "react";
import type { Model, ModelUpdate } from "@/client/system";
import { changedKeys, partOf } from "@/lib/changes";
import { comparing, taggedByContent } from "@/lib/comparing";
import { type Saved, useEdited } from "@/lib/edited";
import { useWorkspace } from "@/lib/workspace";
import { Button } from "@/ui/button";
import { ConflictDialog } from "@/ui/conflict-dialog";
import type { Difference } from "@/ui/diff-list";
import { CheckField, SelectField, TextArea, TextField } from "@/ui/field";
import { ProblemNote } from "@/ui/problem";
import { RestoreNote } from "@/ui/restore-note";
import { Sheet } from "@/ui/sheet";
import { toast } from "@/ui/toaster";
import { modelQuery, useUpdateModel } from "./catalogue-queries";
import { perThousand, typedRate } from "./prices";

const FORM = "model";
const STATUSES = ["active", "beta", "deprecated", "inactive"] as const;

/** A model's entry as it is typed. */
interface Typed {
  name: string;
  description: string;
  context: string;
  output: string;
  priceIn: string;
  priceOut: string;
  functions: boolean;
  vision: boolean;
  status: string;
}

const LABELS: Record<keyof Typed, string> = {
  name: "Name",
  description: "Description",
  context: "Reads at once",
  output: "Writes at most",
  priceIn: "Price in",
  priceOut: "Price out",
  functions: "Can call tools",
  vision: "Reads images",
  status: "Status",
};

function typedOf(model: Model): Typed {
  return {
    name: model.display_name,
    description: model.description,
    context: model.context_window?.toString() ?? "",
    output: model.max_output_tokens?.toString() ?? "",
    priceIn: typedRate(model.input_cost_per_1k),
    priceOut: typedRate(model.output_cost_per_1k),
    functions: model.supports_functions,
    vision: model.supports_vision,
    status: model.status,
  };
}

const whole = (text: string) => (text.trim() === "" ? null : Number(text));

function bodyOf(typed: Typed): ModelUpdate {
  return {
    display_name: typed.name,
    description: typed.description,
    context_window: whole(typed.context),
    max_output_tokens: whole(typed.output),
    input_cost_per_1k: perThousand(typed.priceIn),
    output_cost_per_1k: perThousand(typed.priceOut),
    supports_functions: typed.functions,
    supports_vision: typed.vision,
    status: typed.status as ModelUpdate["status"],
  };
}

const differencesOf = (before: Typed, after: Typed): Difference[] =>
  changedKeys(before, after).map((key) => ({
    key,
    label: LABELS[key],
    before: String(before[key]),
    after: String(after[key]),
  }));

/** The entry of a model, for those who keep the server's catalogue. */
export function ModelEditForm({ model, onDone }: { model: Model; onDone: () => void }) {
  const { id: workspace } = useWorkspace();
  const cache = useQueryClient();
  const save = useUpdateModel();
  const edit = useEdited(taggedByContent(typedOf(model)), { keep: { kind: "model", id: String(model.id) } });
  const { draft, change, problem } = edit;
  const storage = comparing<Typed>({
    send: async ({ before, after }) => {
      const body = partOf(bodyOf(before), bodyOf(after));
      return taggedByContent(typedOf(await save.mutateAsync({ id: model.id, body })));
    },
    read: async () =>
      taggedByContent(typedOf(await cache.fetchQuery({ ...modelQuery(workspace, model.id), staleTime: 0 }))),
  });

  function goOn(saved: Saved): Saved {
    if (saved !== "stored") return saved;
    toast.success(`${draft.name} is saved.`);
    // What was typed meanwhile stays in sight.
    if (!edit.isDirtyNow()) onDone();
    return saved;
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    void edit.save(storage).then(goOn);
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
          <Button type="submit" form={FORM} look="primary" busy={edit.isSaving}>
            Save changes
          </Button>
        </>
      }
    >
      <RestoreNote kept={edit.kept} etag={edit.etag} />
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
      <ConflictDialog
        what="model"
        edit={edit}
        rows={differencesOf}
        onSave={(sides) => edit.settle(sides, storage).then(goOn)}
      />
    </Sheet>
  );
}
