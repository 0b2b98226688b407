import { SelectField } from "@/ui/field";
import type { PartProps } from "./slots";

/** Whether the text of skills is read when it is needed, or all of it at the start of every task. */
export function SkillLoadingField({ draft, change, fault }: PartProps) {
  return (
    <SelectField
      className="max-w-md"
      label="How skills are read"
      value={draft.skillLoading}
      onChange={({ target }) => change({ skillLoading: target.value === "preload" ? "preload" : "on_demand" })}
      hint={
        draft.skillLoading === "preload"
          ? "Every task pays for the text of every skill."
          : "A task pays for a skill’s text only when it uses the skill."
      }
      error={fault("skillLoading")}
    >
      <option value="on_demand">When the agent needs them</option>
      <option value="preload">All at the start</option>
    </SelectField>
  );
}

/** Says honestly that there is nothing to choose from yet. */
export function PluginsNote() {
  return <p className="text-muted">No plugin is enabled in this workspace, so there is none to assign.</p>;
}
