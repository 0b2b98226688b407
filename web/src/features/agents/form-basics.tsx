import { useQuery } from "@tanstack/react-query";
import { useWorkspace } from "@/lib/workspace";
import { SelectField, TextArea, TextField } from "@/ui/field";
import { TagsField } from "@/ui/tags-field";
import { agentTypesQuery } from "./queries";
import type { PartProps } from "./slots";

/** What an agent is called and what kind of work it does. */
export function BasicsFields({ draft, change, fault }: PartProps) {
  return (
    <div className="grid gap-x-6 gap-y-2 sm:grid-cols-2">
      <TextField
        label="Name"
        value={draft.name}
        maxLength={255}
        onChange={(event) => change({ name: event.target.value })}
        error={fault("name")}
      />
      <CategoryField draft={draft} change={change} fault={fault} />
      <TextArea
        className="sm:col-span-2"
        label="Description"
        optional
        rows={2}
        maxLength={10_000}
        value={draft.description}
        onChange={(event) => change({ description: event.target.value })}
        hint="What it is good for, in a sentence. People read it here, and so does the model."
        error={fault("description")}
      />
      <div className="sm:col-span-2">
        <TagsField label="Tags" value={draft.tags} onChange={(tags) => change({ tags })} error={fault("tags")} />
      </div>
    </div>
  );
}

function CategoryField({ draft, change, fault }: PartProps) {
  const { id: workspace } = useWorkspace();
  const types = useQuery(agentTypesQuery(workspace));
  const categories = types.data?.categories ?? [];
  const isListed = !draft.category || categories.some((one) => one.name === draft.category);
  return (
    <SelectField
      label="Category"
      value={draft.category ?? ""}
      error={fault("category") ?? types.error?.message}
      onChange={({ target }) => change({ category: categories.find((one) => one.name === target.value)?.name ?? null })}
    >
      <option value="">Choose a category</option>
      {!isListed && <option>{draft.category}</option>}
      {categories.map(({ name }) => (
        <option key={name}>{name}</option>
      ))}
    </SelectField>
  );
}
