import { useQuery } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";
import type { Agent, AgentBody } from "@/client";
import type { Problem } from "@/lib/problem";
import { useUnsavedGuard } from "@/lib/unsaved";
import { useWorkspace } from "@/lib/workspace";
import { Button } from "@/ui/button";
import { CheckField, SelectField, TextArea, TextField } from "@/ui/field";
import { ProblemNote } from "@/ui/problem";
import { agentTypesQuery } from "./queries";

/** An agent while it is being edited: every field has a value. */
export type AgentDraft = Required<Omit<AgentBody, "configuration" | "agent_type" | "tags" | "tools">> & {
  tools: string[];
};

/** What the form starts from: an agent, or nothing yet. */
export function draftOf(agent?: Agent): AgentDraft {
  return {
    name: agent?.name ?? "",
    description: agent?.description ?? "",
    marketplace_category: (agent?.marketplace_category ?? null) as AgentDraft["marketplace_category"],
    custom_persona_prompt: agent?.custom_persona_prompt ?? "",
    use_custom_persona: agent?.use_custom_persona ?? true,
    model_config: agent?.model_config ?? null,
    tools: agent?.tools ?? [],
  };
}

interface Props {
  initial: AgentDraft;
  isNew: boolean;
  isBusy: boolean;
  problem: Problem | null;
  onSave: (draft: AgentDraft, activate: boolean) => void;
  /** The fields that belong to other features: which model, which tools. */
  modelField: (draft: AgentDraft, change: (part: Partial<AgentDraft>) => void) => ReactNode;
  toolsField: (draft: AgentDraft, change: (part: Partial<AgentDraft>) => void) => ReactNode;
  readOnly?: boolean;
}

/** Everything one needs to describe an agent. */
export function AgentForm({
  initial,
  isNew,
  isBusy,
  problem,
  onSave,
  modelField,
  toolsField,
  readOnly = false,
}: Props) {
  const [draft, setDraft] = useState(initial);
  useUnsavedGuard(JSON.stringify(draft) !== JSON.stringify(initial));
  const [activate, setActivate] = useState(true);
  const change = (part: Partial<AgentDraft>) => setDraft((current) => ({ ...current, ...part }));

  function submit(event: FormEvent) {
    event.preventDefault();
    onSave({ ...draft, use_custom_persona: Boolean(draft.custom_persona_prompt?.trim()) }, isNew && activate);
  }

  return (
    <form onSubmit={submit}>
      <fieldset disabled={readOnly} className="grid gap-6">
        <Section title="Who it is">
          <TextField
            label="Name"
            value={draft.name}
            onChange={(event) => change({ name: event.target.value })}
            required
            maxLength={255}
            error={problem?.forField("name")}
          />
          <CategorySelect value={draft.marketplace_category} onChange={change} />
          <TextArea
            className="sm:col-span-2"
            label="Description"
            optional
            rows={2}
            value={draft.description ?? ""}
            onChange={(event) => change({ description: event.target.value })}
            hint="For the people of this workspace; the model does not read it."
            error={problem?.forField("description")}
          />
        </Section>
        <Section title="How it works">
          <TextArea
            className="sm:col-span-2"
            label="Prompt"
            rows={8}
            value={draft.custom_persona_prompt ?? ""}
            onChange={(event) => change({ custom_persona_prompt: event.target.value })}
            hint="What the agent is told before every task: its role, its manner, its limits."
            error={problem?.forField("custom_persona_prompt")}
          />
          <div className="sm:col-span-2">{modelField(draft, change)}</div>
        </Section>
        <Section title="Tools" lead="An agent can do only what is ticked here.">
          <div className="sm:col-span-2">{toolsField(draft, change)}</div>
        </Section>
        {problem && <ProblemNote error={problem} />}
        {!readOnly && (
          <div className="flex flex-wrap items-center justify-end gap-x-6 gap-y-3">
            {isNew && (
              <CheckField
                label="Activate it right away"
                checked={activate}
                onChange={(event) => setActivate(event.target.checked)}
              />
            )}
            <Button type="submit" look="primary" busy={isBusy}>
              {isNew ? "Create agent" : "Save changes"}
            </Button>
          </div>
        )}
      </fieldset>
    </form>
  );
}

function Section({ title, lead, children }: { title: string; lead?: string; children: ReactNode }) {
  return (
    <section className="card grid gap-x-6 gap-y-2 p-5 sm:grid-cols-2 sm:p-6">
      <div className="mb-2 sm:col-span-2">
        <h2 className="text-lg font-semibold">{title}</h2>
        {lead && <p className="text-muted">{lead}</p>}
      </div>
      {children}
    </section>
  );
}

interface CategoryProps {
  value: AgentDraft["marketplace_category"];
  onChange: (part: Partial<AgentDraft>) => void;
}

function CategorySelect({ value, onChange }: CategoryProps) {
  const { id: workspace } = useWorkspace();
  const types = useQuery(agentTypesQuery(workspace));
  const categories = types.data?.categories ?? [];
  return (
    <SelectField
      label="Category"
      value={value ?? ""}
      error={types.error?.message}
      onChange={({ target }) =>
        onChange({ marketplace_category: categories.find((one) => one.name === target.value)?.name ?? null })
      }
    >
      <option value="">None</option>
      {value && !categories.some((one) => one.name === value) && <option>{value}</option>}
      {categories.map(({ name }) => (
        <option key={name}>{name}</option>
      ))}
    </SelectField>
  );
}
