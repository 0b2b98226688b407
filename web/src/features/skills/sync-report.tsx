import type { SyncResult } from "@/client/library";
import { formatCount } from "@/lib/format";

type Changes = Pick<SyncResult, "added" | "updated" | "unchanged"> &
  Partial<Pick<SyncResult, "removed" | "problems" | "notes">>;

/** What reading a repository or an upload has changed, skill by skill. */
export function SyncReport({ result }: { result: Changes }) {
  const removed = result.removed ?? [];
  const problems = result.problems ?? [];
  const isQuiet = result.added.length + result.updated.length + removed.length === 0;
  return (
    <div role="status" className="grid max-h-[60vh] gap-2 overflow-y-auto rounded-lg bg-sunken p-3">
      {isQuiet && <p>Nothing has changed: {formatCount(result.unchanged.length, "skill")} as before.</p>}
      <Named label="New" names={result.added} />
      <Named label="Changed" names={result.updated} />
      <Named label="Gone" names={removed} />
      <Notes of={result.notes ?? []} />
      {problems.length > 0 && (
        <p className="font-medium">Left out: {formatCount(problems.length, "folder or file", "folders and files")}</p>
      )}
      {problems.map((one) => (
        <div key={one.path} className="text-bad">
          <p className="font-mono text-sm break-all">{one.path || "/"}</p>
          <ul className="list-disc pl-5 text-sm">
            {one.problems.map((problem) => (
              <li key={problem}>{problem}</li>
            ))}
          </ul>
        </div>
      ))}
    </div>
  );
}

/** What was odd and taken all the same. */
export function Notes({ of: notes }: { of: readonly string[] }) {
  if (notes.length === 0) return null;
  return (
    <ul className="list-disc pl-5 text-sm text-muted">
      {notes.map((note) => (
        <li key={note} className="break-words">
          {note}
        </li>
      ))}
    </ul>
  );
}

function Named({ label, names }: { label: string; names: readonly string[] }) {
  if (names.length === 0) return null;
  return (
    <p className="wrap-anywhere">
      <span className="text-muted">{label}:</span> {names.join(", ")}
    </p>
  );
}
