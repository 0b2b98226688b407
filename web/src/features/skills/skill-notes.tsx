import type { SkillDocument } from "@/client/library";
import { Badge } from "@/ui/badge";
import { CopyButton } from "@/ui/copy";
import { Panel } from "@/ui/panel";
import { Notes } from "./sync-report";

/** Whether a skill conforms to its format, what is odd about it, what it goes without, and its head as it was written. */
export function SkillNotes({ skill }: { skill: SkillDocument }) {
  const isOdd = skill.notes.length > 0;
  const notes = skill.notes.filter((note) => !skill.left_out.some((file) => note.startsWith(`${file.path}: `)));
  return (
    <Panel
      title="Format"
      action={<Badge tone={isOdd ? "warn" : "ok"}>{isOdd ? "Usable, with notes" : "Conforms"}</Badge>}
    >
      <Notes of={notes} />
      {skill.left_out.length > 0 && (
        <div className="grid gap-1">
          <h3 className="text-sm text-muted">Left out</h3>
          <ul className="grid gap-1 text-sm">
            {skill.left_out.map((file) => (
              <li key={file.path} className="break-words">
                <span className="font-mono break-all">{file.path}</span>, because {file.reason}
              </li>
            ))}
          </ul>
        </div>
      )}
      {skill.front_matter !== null && (
        <details>
          <summary className="cursor-pointer text-sm text-muted">Front matter as it was written</summary>
          <div className="mt-2 grid justify-items-end gap-1">
            <pre className="w-full overflow-x-auto rounded-lg bg-sunken px-3 py-2 font-mono text-sm break-words whitespace-pre-wrap">
              {skill.front_matter}
            </pre>
            <CopyButton text={skill.front_matter} label="Copy the front matter" />
          </div>
        </details>
      )}
    </Panel>
  );
}
