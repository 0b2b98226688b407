import type { SkillBody, SkillDocument, SkillFile } from "@/client/library";
import { changedKeys } from "@/lib/changes";
import type { Difference } from "@/ui/diff-list";

/** A skill while it is being written; its files and tools stay as they are. */
export type Draft = Required<Omit<SkillBody, "files" | "tools_schema">> & Pick<SkillBody, "files">;

/** What the editor starts from: a skill with its instructions, or nothing yet. */
export function bodyOf(skill?: SkillDocument, content = ""): Draft {
  return {
    name: skill?.name ?? "",
    description: skill?.description ?? "",
    content,
    tags: skill?.tags ?? [],
    category: skill?.category ?? "development",
    skill_type: skill?.skill_type ?? "technical",
  };
}

const LABELS: Partial<Record<keyof Draft, string>> = {
  name: "Name",
  description: "Description",
  content: "Instructions",
  tags: "Tags",
  category: "Category",
  skill_type: "Kind",
};

/** What differs between two states of a skill, in the words of the form. */
export function differencesOf(before: Draft, after: Draft): Difference[] {
  const words = (value: unknown) => (Array.isArray(value) ? value.join(", ") : String(value ?? ""));
  return changedKeys(before, after).map((key) => ({
    key,
    label: LABELS[key] ?? key,
    before: words(before[key]),
    after: words(after[key]),
  }));
}

/** Whether there is enough to be looked at. */
export const isReadable = (body: Draft): boolean => Boolean(body.name && body.description && body.content);

/** The skill as the folder it stands for, so that the server can check it like any other. */
export function filesOf(body: Draft): SkillFile[] {
  // A JSON text is a YAML text too, whatever quotes or line breaks it holds.
  const head = `---\nname: ${JSON.stringify(body.name)}\ndescription: ${JSON.stringify(body.description)}\n---\n\n`;
  const folder = body.name || "skill";
  return [
    { path: `${folder}/SKILL.md`, content: head + body.content },
    ...(body.files ?? []).map((file) => ({ ...file, path: `${folder}/${file.path}` })),
  ];
}
