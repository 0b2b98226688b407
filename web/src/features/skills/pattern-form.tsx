import { Plus, Trash2 } from "lucide-react";
import type { FormEvent } from "react";
import type { Edited } from "@/lib/edited";
import { useUnsavedGuard } from "@/lib/unsaved";
import { Button, IconButton } from "@/ui/button";
import { SelectField, TextArea, TextField } from "@/ui/field";
import { ProblemNote } from "@/ui/problem";
import { type Draft, faultOf, newPoint, type Point, TYPES } from "./pattern-draft";

interface Props {
  edit: Edited<Draft>;
  isNew: boolean;
  onSave: () => void;
}

/** Everything that makes a pattern. */
export function PatternForm({ edit, isNew, onSave }: Props) {
  const { draft, change, problem } = edit;
  useUnsavedGuard(edit.isDirty);
  const isWrong = draft.points.some((_, index) => faultOf(draft.points, index) !== undefined);

  function submit(event: FormEvent) {
    event.preventDefault();
    if (!isWrong) onSave();
  }

  function changePoint(index: number, part: Partial<Point>) {
    change({ points: draft.points.map((point, at) => (at === index ? { ...point, ...part } : point)) });
  }

  return (
    <form onSubmit={submit} className="grid gap-6">
      <section className="card grid gap-x-6 gap-y-2 p-5 sm:grid-cols-2 sm:p-6">
        <TextField
          label="Name"
          required
          maxLength={200}
          value={draft.name}
          onChange={(event) => change({ name: event.target.value })}
          error={problem?.forField("name")}
        />
        <SelectField
          label="Kind"
          value={draft.pattern_type}
          onChange={(event) => change({ pattern_type: event.target.value as Draft["pattern_type"] })}
          error={problem?.forField("pattern_type")}
        >
          {TYPES.map(({ value, label }) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </SelectField>
        <TextArea
          className="sm:col-span-2"
          label="Description"
          optional
          rows={3}
          maxLength={4000}
          value={draft.description}
          onChange={(event) => change({ description: event.target.value })}
          hint="When to work like this. The model reads it too."
          error={problem?.forField("description")}
        />
      </section>
      <section className="card grid gap-4 p-5 sm:p-6">
        <div>
          <h2 className="text-lg font-semibold">What it says</h2>
          <p className="text-muted">Such as its roles, its steps, its limits; the model reads them in this order.</p>
        </div>
        {draft.points.map((point, index) => (
          <PointFields
            key={point.key}
            point={point}
            number={index + 1}
            fault={faultOf(draft.points, index)}
            onChange={(part) => changePoint(index, part)}
            onRemove={() => change({ points: draft.points.toSpliced(index, 1) })}
          />
        ))}
        <Button className="justify-self-start" onClick={() => change({ points: [...draft.points, newPoint()] })}>
          <Plus aria-hidden className="size-4" /> Add a point
        </Button>
        {problem?.forField("pattern_data") && <p className="text-sm text-bad">{problem.forField("pattern_data")}</p>}
      </section>
      {problem && <ProblemNote error={problem} />}
      <div className="flex justify-end">
        <Button type="submit" look="primary" busy={edit.isSaving}>
          {isNew ? "Create pattern" : "Save changes"}
        </Button>
      </div>
    </form>
  );
}

interface PointProps {
  point: Point;
  number: number;
  fault: string | undefined;
  onChange: (part: Partial<Point>) => void;
  onRemove: () => void;
}

function PointFields({ point, number, fault, onChange, onRemove }: PointProps) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would restyle the whole row
    <div
      role="group"
      aria-label={`Point ${number}`}
      className="grid grid-cols-[minmax(0,1fr)_auto] gap-x-3 sm:grid-cols-[14rem_minmax(0,1fr)_auto]"
    >
      <TextField
        label="Name of the point"
        maxLength={100}
        value={point.name}
        onChange={(event) => onChange({ name: event.target.value })}
        error={fault}
      />
      <TextArea
        className="order-last col-span-2 sm:order-none sm:col-span-1"
        label="Says"
        rows={3}
        value={point.text}
        onChange={(event) => onChange({ text: event.target.value })}
        hint="A sentence, or a list with “- ” before each line, or JSON for what has parts."
      />
      <div className="pt-6">
        <IconButton label={`Remove point ${number}`} onClick={onRemove}>
          <Trash2 aria-hidden className="size-4" />
        </IconButton>
      </div>
    </div>
  );
}
