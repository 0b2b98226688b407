import { useQuery } from "@tanstack/react-query";
import { GitBranch, Pencil, RefreshCw } from "lucide-react";
import { type ReactNode, useState } from "react";
import type { SkillSource, SyncResult } from "@/client/library";
import { formatAgo, formatCount } from "@/lib/format";
import { useCan, useWorkspace } from "@/lib/workspace";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/confirm";
import { Loaded } from "@/ui/loaded";
import { ProblemNote } from "@/ui/problem";
import { Empty, SkeletonRows } from "@/ui/states";
import { toast } from "@/ui/toaster";
import { sourcesQuery, useDeleteSource, usePinSource, useRollBackSource, useSyncSource } from "./queries";
import { SourceEditDialog } from "./source-edit";
import type { Opening } from "./source-fields";
import { SourceHistory } from "./source-history";
import { Notes, SyncReport } from "./sync-report";
import { shortSha } from "./words";

const SHOWN_NOTES = 5;

/** The repositories that skills are taken from. */
export function SourceList({ start, credentials }: { start: ReactNode; credentials: readonly Opening[] }) {
  const { id: workspace } = useWorkspace();
  const sources = useQuery(sourcesQuery(workspace));
  return (
    <Loaded of={sources} pending={<SkeletonRows rows={2} className="h-40" />}>
      {(found) => {
        if (found.items.length === 0) {
          return (
            <Empty icon={<GitBranch className="size-6" />} title="No repositories yet" action={start}>
              Point at a git repository: every folder with a SKILL.md in it becomes a skill here, and follows the
              repository for as long as you like.
            </Empty>
          );
        }
        return (
          <ul className="grid grid-cols-1 gap-4">
            {found.items.map((source) => (
              <SourceCard key={source.id} source={source} credentials={credentials} />
            ))}
          </ul>
        );
      }}
    </Loaded>
  );
}

function SourceCard({ source, credentials }: { source: SkillSource; credentials: readonly Opening[] }) {
  const mayManage = useCan("admin");
  const [report, setReport] = useState<SyncResult | null>(null);
  const [isDeleting, setDeleting] = useState(false);
  const [isEditing, setEditing] = useState(false);
  const sync = useSyncSource();
  const pin = usePinSource();
  const rollBack = useRollBackSource();
  const remove = useDeleteSource();
  const error = sync.error ?? pin.error ?? rollBack.error;
  const isBusy = sync.isPending || pin.isPending || rollBack.isPending;
  const done = { onSuccess: setReport };

  return (
    <li className="card grid grid-cols-1 gap-4 p-5">
      <div className="flex flex-wrap items-start justify-between gap-3">
        <div className="min-w-0">
          <h2 className="font-semibold wrap-anywhere">{source.source_name}</h2>
          <p className="font-mono text-sm break-all text-muted">{source.git_url}</p>
        </div>
        <SourceBadge source={source} />
      </div>
      <SourceState source={source} credentials={credentials} />
      {!report && <Notes of={source.last_sync_notes.slice(0, SHOWN_NOTES)} />}
      {error && <ProblemNote error={error} />}
      {report && <SyncReport result={report} />}
      {mayManage && (
        <div className="flex flex-wrap gap-2">
          <Button size="sm" busy={sync.isPending} disabled={isBusy} onClick={() => sync.mutate(source.id, done)}>
            {!sync.isPending && <RefreshCw aria-hidden className="size-4" />} Read again
          </Button>
          <Button
            size="sm"
            busy={pin.isPending}
            disabled={isBusy || source.git_commit_sha === null}
            onClick={() =>
              pin.mutate({ id: source.id, commit: source.pinned_commit ? null : source.git_commit_sha }, done)
            }
          >
            {source.pinned_commit ? "Follow the branch again" : "Stay at this commit"}
          </Button>
          <Button size="sm" onClick={() => setEditing(true)}>
            <Pencil aria-hidden className="size-4" /> Change
          </Button>
          <Button size="sm" look="danger" onClick={() => setDeleting(true)}>
            Remove
          </Button>
        </div>
      )}
      <SourceHistory
        source={source}
        onRollBack={mayManage ? (commit) => rollBack.mutate({ id: source.id, commit }, done) : null}
        isBusy={isBusy}
      />
      {isEditing && <SourceEditDialog source={source} credentials={credentials} onClose={() => setEditing(false)} />}
      <Confirm
        open={isDeleting}
        onOpenChange={setDeleting}
        title={`Remove ${source.source_name}?`}
        action="Remove source and skills"
        onConfirm={async () => {
          await remove.mutateAsync({ id: source.id, force: true });
          toast.success(`${source.source_name} is removed.`);
        }}
      >
        {formatCount(source.skills_taken, "skill")} of it go too, also from the agents that use them.
      </Confirm>
    </li>
  );
}

/** What a source holds, how it is kept, and what went wrong the last time. */
function SourceState({ source, credentials }: { source: SkillSource; credentials: readonly Opening[] }) {
  const nameOf = (id: string) => credentials.find((one) => one.id === id)?.name ?? "A stored credential";
  return (
    <>
      <p className="text-muted">
        {formatCount(source.skills_taken, "skill")} from {source.git_branch ?? "the default branch"}
        {source.git_folder && (
          <>
            {" "}
            below <code className="text-sm break-all">{source.git_folder}</code>
          </>
        )}
        {source.git_commit_sha && (
          <>
            {" "}
            at <code className="text-sm">{shortSha(source.git_commit_sha)}</code>
          </>
        )}
        , read {formatAgo(source.last_sync_at)}.{" "}
        {source.auto_update
          ? `It is read again every ${formatCount(source.update_frequency_hours, "hour")}.`
          : "It is read again when you say so."}
        {source.credential_id && ` ${nameOf(source.credential_id)} opens it.`}
      </p>
      {source.last_sync_error && (
        <p
          className={
            source.status === "error"
              ? "max-h-48 overflow-y-auto rounded-lg bg-bad-soft p-3 break-words whitespace-pre-line text-bad"
              : "max-h-48 overflow-y-auto rounded-lg bg-sunken p-3 break-words whitespace-pre-line"
          }
        >
          {source.status === "error" ? "" : "Left out:\n"}
          {source.last_sync_error}
        </p>
      )}
    </>
  );
}

function SourceBadge({ source }: { source: SkillSource }) {
  if (source.status === "error") return <Badge tone="bad">Could not be read</Badge>;
  if (source.status === "inactive") return <Badge tone="neutral">Switched off</Badge>;
  if (source.last_sync_status === "partial") return <Badge tone="warn">Not all of it</Badge>;
  if (source.pinned_commit) return <Badge tone="accent">Pinned</Badge>;
  return <Badge tone="ok">Up to date</Badge>;
}
