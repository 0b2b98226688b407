import { useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { type FormEvent, type ReactNode, useState } from "react";
import type { Edited } from "@/lib/edited";
import { useUnsavedGuard } from "@/lib/unsaved";
import { useSettled } from "@/lib/use-settled";
import { useWorkspace } from "@/lib/workspace";
import { Button } from "@/ui/button";
import { TextArea, TextField } from "@/ui/field";
import { ProblemNote } from "@/ui/problem";
import { bodyOf, type Draft, type DraftStep, faultAt, moved, newStep, variablesFor } from "./draft";
import { InputsEditor } from "./editor-inputs";
import { type AgentSelector, StepEditor } from "./editor-step";
import type { PatternOption } from "./pattern-select";
import { faultsQuery } from "./queries";

interface Props {
  /** The id by which buttons outside the form submit it. */
  form: string;
  edit: Edited<Draft>;
  agentSelect: AgentSelector;
  patterns: readonly PatternOption[];
  /** Told by which button, so that saving can lead on to cooking. */
  onSave: (by: string) => void;
  readOnly: boolean;
}

/** The list form of a recipe: what it is, what it asks for, and its steps in order. */
export function RecipeEditor({ form, edit, agentSelect, patterns, onSave, readOnly }: Props) {
  const { id: workspace } = useWorkspace();
  const { draft, change, problem } = edit;
  const [announcement, announce] = useState("");

  useUnsavedGuard(edit.isDirty);
  const settled = useSettled(bodyOf(draft), 500);
  const isComplete = draft.steps.length > 0 && draft.steps.every((step) => step.agentId !== null && step.prompt !== "");
  const found = useQuery(faultsQuery(workspace, settled, isComplete && draft.name !== "" && !readOnly));
  const faults = [
    ...(found.data ?? []),
    ...(problem?.fields ?? []).map(({ field, reason }) => ({ where: field, message: reason })),
  ];

  function changeStep(index: number, part: Partial<DraftStep>) {
    change({ steps: draft.steps.map((step, at) => (at === index ? { ...step, ...part } : step)) });
  }

  function move(index: number, by: -1 | 1) {
    const steps = moved(draft.steps, index, by);
    if (steps === draft.steps) return;
    change({ steps });
    announce(`${draft.steps[index]?.stepId} is now step ${index + by + 1} of ${steps.length}.`);
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    onSave(((event.nativeEvent as SubmitEvent).submitter as HTMLButtonElement | null)?.value ?? "");
  }

  return (
    <form id={form} onSubmit={submit}>
      <fieldset disabled={readOnly} className="grid gap-6">
        <Section title="What it does">
          <TextField
            label="Name"
            required
            maxLength={200}
            value={draft.name}
            onChange={(event) => change({ name: event.target.value })}
            error={faultAt(faults, "name") ?? faultAt(faults, "template_id")}
          />
          <TextArea
            label="Description"
            optional
            rows={2}
            value={draft.description}
            onChange={(event) => change({ description: event.target.value })}
            error={faultAt(faults, "description")}
          />
        </Section>
        <Section title="Inputs" lead="What the person who cooks it is asked for.">
          <InputsEditor inputs={draft.inputs} faults={faults} onChange={(inputs) => change({ inputs })} />
        </Section>
        <Section title="Steps" lead="They run from top to bottom; each can use what earlier ones gave.">
          <ol className="grid gap-4">
            {draft.steps.map((step, index) => (
              <StepEditor
                key={step.key}
                step={step}
                index={index}
                count={draft.steps.length}
                agentSelect={agentSelect}
                patterns={patterns}
                variables={variablesFor(draft, index)}
                faults={faults}
                onChange={(part) => changeStep(index, part)}
                onMove={(by) => move(index, by)}
                onRemove={() => change({ steps: draft.steps.toSpliced(index, 1) })}
              />
            ))}
          </ol>
          <Button
            className="justify-self-start"
            onClick={() => change({ steps: [...draft.steps, newStep(draft.steps.length + 1)] })}
          >
            <Plus aria-hidden className="size-4" /> Add a step
          </Button>
          <p aria-live="polite" className="sr-only">
            {announcement}
          </p>
        </Section>
        {problem && <ProblemNote error={problem} />}
      </fieldset>
    </form>
  );
}

function Section({ title, lead, children }: { title: string; lead?: string; children: ReactNode }) {
  return (
    <section className="card grid gap-2 p-4 sm:p-6">
      <div className="mb-2">
        <h2 className="text-lg font-semibold">{title}</h2>
        {lead && <p className="text-muted">{lead}</p>}
      </div>
      {children}
    </section>
  );
}
