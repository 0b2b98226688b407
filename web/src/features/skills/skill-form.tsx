import { useQuery } from "@tanstack/react-query";
import { CircleCheck } from "lucide-react";
import type { FormEvent } from "react";
import type { Edited } from "@/lib/edited";
import { formatTokens } from "@/lib/format";
import { useUnsavedGuard } from "@/lib/unsaved";
import { useSettled } from "@/lib/use-settled";
import { useWorkspace } from "@/lib/workspace";
import { Button } from "@/ui/button";
import { SelectField, TextArea, TextField } from "@/ui/field";
import { ProblemNote } from "@/ui/problem";
import { TagsField } from "@/ui/tags-field";
import { skillsQuery, verdictQuery } from "./queries";
import { type Draft, filesOf, isReadable } from "./skill-draft";
import { KINDS } from "./words";

const SETTLE_MS = 500;

interface Props {
  edit: Edited<Draft>;
  isNew: boolean;
  onSave: () => void;
}

/** A skill written by hand, checked while it is typed. */
export function SkillForm({ edit, isNew, onSave }: Props) {
  const { id: workspace } = useWorkspace();
  const { draft: body, change, problem } = edit;
  const categories = useQuery(skillsQuery(workspace)).data?.categories ?? [body.category];
  useUnsavedGuard(edit.isDirty);

  function submit(event: FormEvent) {
    event.preventDefault();
    onSave();
  }

  return (
    <form onSubmit={submit} className="grid gap-6">
      <section className="card grid gap-x-6 gap-y-2 p-5 sm:grid-cols-2 sm:p-6">
        <TextField
          label="Name"
          required
          maxLength={64}
          pattern="[a-z0-9]+(-[a-z0-9]+)*"
          value={body.name}
          readOnly={!isNew}
          onChange={(event) => change({ name: event.target.value })}
          hint={isNew ? "Lower-case letters, digits and hyphens, as in code-review." : "A skill keeps its name."}
          error={problem?.forField("name")}
        />
        <SelectField
          label="Category"
          value={body.category}
          onChange={(event) => change({ category: event.target.value as Draft["category"] })}
          error={problem?.forField("category")}
        >
          {categories.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </SelectField>
        <TextArea
          className="sm:col-span-2"
          label="Description"
          required
          rows={2}
          maxLength={1024}
          value={body.description}
          onChange={(event) => change({ description: event.target.value })}
          hint="What it does and when to use it. Agents see this at all times and decide by it."
          error={problem?.forField("description")}
        />
        <TextArea
          className="sm:col-span-2"
          label="Instructions"
          required
          rows={18}
          value={body.content}
          onChange={(event) => change({ content: event.target.value })}
          hint="Markdown. An agent reads it when a task calls for the skill."
          error={problem?.forField("content")}
        />
        <SelectField
          label="Kind"
          value={body.skill_type}
          onChange={(event) => change({ skill_type: event.target.value as Draft["skill_type"] })}
          error={problem?.forField("skill_type")}
        >
          {KINDS.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </SelectField>
        <TagsField label="Tags" value={body.tags} onChange={(tags) => change({ tags })} />
      </section>
      <LiveVerdict body={body} />
      {problem && <ProblemNote error={problem} />}
      <div className="flex justify-end">
        <Button type="submit" look="primary" busy={edit.isSaving}>
          {isNew ? "Create skill" : "Save as a new version"}
        </Button>
      </div>
    </form>
  );
}

/** What the server says about the skill as it is typed. */
function LiveVerdict({ body }: { body: Draft }) {
  const { id: workspace } = useWorkspace();
  const settled = useSettled(body, SETTLE_MS);
  const verdict = useQuery(verdictQuery(workspace, filesOf(settled), isReadable(settled)));
  const found = isReadable(settled) ? verdict.data?.items[0] : undefined;
  return (
    <div aria-live="polite" className="-mb-2 min-h-6">
      {found && found.problems.length === 0 && (
        <p className="flex items-center gap-2 text-ok">
          <CircleCheck aria-hidden className="size-4 shrink-0" /> Fit for use: {formatTokens(found.core_tokens)} of
          instructions.
        </p>
      )}
      {found && found.problems.length > 0 && (
        <ul className="list-disc rounded-lg bg-warn-soft py-3 pr-3 pl-8 text-warn">
          {found.problems.map((one) => (
            <li key={one}>{one}</li>
          ))}
        </ul>
      )}
    </div>
  );
}
