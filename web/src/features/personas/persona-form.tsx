import type { FormEvent } from "react";
import type { Persona, PersonaBody } from "@/client/library";
import { changedKeys } from "@/lib/changes";
import type { Edited } from "@/lib/edited";
import { useUnsavedGuard } from "@/lib/unsaved";
import { Button } from "@/ui/button";
import type { Difference } from "@/ui/diff-list";
import { TextArea, TextField } from "@/ui/field";
import { NumberField, numberFault } from "@/ui/number-field";
import { ProblemNote } from "@/ui/problem";
import { TagsField } from "@/ui/tags-field";

const MAX_TEMPERATURE = 2;

/** What the form starts from: a persona, a copy of one, or nothing yet. */
export function bodyOf(persona?: Persona, isCopy = false): PersonaBody {
  return {
    name: persona ? persona.name + (isCopy ? " (copy)" : "") : "",
    description: persona?.description ?? "",
    system_prompt: persona?.system_prompt ?? "",
    voice_description: persona?.voice_description ?? "",
    category: persona?.category ?? "Custom",
    tags: persona?.tags ?? [],
    suggested_temperature: persona?.suggested_temperature ?? null,
    suggested_models: persona?.suggested_models ?? [],
  };
}

const LABELS: Record<keyof PersonaBody, string> = {
  name: "Name",
  description: "Description",
  system_prompt: "Prompt",
  voice_description: "Voice",
  category: "Category",
  tags: "Tags",
  suggested_temperature: "Suggested temperature",
  suggested_models: "Suggested models",
};

/** What differs between two states of a persona, in the words of the form. */
export function differencesOf(before: PersonaBody, after: PersonaBody): Difference[] {
  const words = (value: unknown) => (Array.isArray(value) ? value.join(", ") : String(value ?? ""));
  return changedKeys(before, after).map((key) => ({
    key,
    label: LABELS[key],
    before: words(before[key]),
    after: words(after[key]),
  }));
}

interface Props {
  edit: Edited<PersonaBody>;
  isNew: boolean;
  categories: readonly string[];
  onSave: () => void;
}

/** Everything that makes a voice. */
export function PersonaForm({ edit, isNew, categories, onSave }: Props) {
  const { draft: body, change, problem } = edit;
  useUnsavedGuard(edit.isDirty);
  const isWrong = numberFault(body.suggested_temperature, 0, MAX_TEMPERATURE, true) !== undefined;

  function submit(event: FormEvent) {
    event.preventDefault();
    if (!isWrong) onSave();
  }

  return (
    <form onSubmit={submit} className="grid gap-6">
      <section className="card grid gap-x-6 gap-y-2 p-5 sm:grid-cols-2 sm:p-6">
        <TextField
          label="Name"
          required
          maxLength={200}
          value={body.name}
          onChange={(event) => change({ name: event.target.value })}
          error={problem?.forField("name")}
        />
        <TextField
          label="Category"
          required
          maxLength={100}
          list="persona-categories"
          value={body.category}
          onChange={(event) => change({ category: event.target.value })}
          hint="One of the library’s, or your own."
          error={problem?.forField("category")}
        />
        <datalist id="persona-categories">
          {categories.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
        <TextField
          className="sm:col-span-2"
          label="Description"
          optional
          maxLength={2000}
          value={body.description}
          onChange={(event) => change({ description: event.target.value })}
          hint="For people who choose; the model does not read it."
          error={problem?.forField("description")}
        />
        <TextArea
          className="sm:col-span-2"
          label="Prompt"
          required
          rows={14}
          value={body.system_prompt}
          onChange={(event) => change({ system_prompt: event.target.value })}
          hint="Who the agent is, how it works, what it never does."
          error={problem?.forField("system_prompt")}
        />
        <TextField
          className="sm:col-span-2"
          label="Voice"
          optional
          maxLength={500}
          value={body.voice_description}
          onChange={(event) => change({ voice_description: event.target.value })}
          hint="How it sounds, in one line."
          error={problem?.forField("voice_description")}
        />
        <NumberField
          label="Suggested temperature"
          optional
          min={0}
          max={MAX_TEMPERATURE}
          step={0.1}
          value={body.suggested_temperature}
          onChange={(value) => change({ suggested_temperature: value })}
          hint="Counts only where the agent sets none."
          error={problem?.forField("suggested_temperature")}
        />
        <TagsField
          label="Tags"
          value={body.tags}
          onChange={(tags) => change({ tags })}
          error={problem?.forField("tags")}
        />
      </section>
      {problem && <ProblemNote error={problem} />}
      <div className="flex justify-end">
        <Button type="submit" look="primary" busy={edit.isSaving}>
          {isNew ? "Create persona" : "Save changes"}
        </Button>
      </div>
    </form>
  );
}
