import { CirclePause, Power, PowerOff, Tag, Trash2, X } from "lucide-react";
import { type FormEvent, useState } from "react";
import type { Agent, BulkResult } from "@/client";
import { formatCount, formatNumber } from "@/lib/format";
import { asProblem } from "@/lib/problem";
import { Button, IconButton } from "@/ui/button";
import { Confirm } from "@/ui/confirm";
import { Dialog, DialogActions } from "@/ui/dialog";
import { TagsField } from "@/ui/tags-field";
import { toast } from "@/ui/toaster";
import type { AgentActions } from "./agent-menu";
import { BulkReport } from "./bulk-report";
import type { Chosen } from "./chosen";
import { type BulkAction, useBulkAction } from "./queries";

interface Props {
  agents: readonly Agent[];
  total: number;
  chosen: Chosen;
  actions: AgentActions;
  /** Ticks every agent that fits, also those not loaded yet. */
  onChooseAll: () => void;
  isLoading: boolean;
}

const DONE: Record<BulkAction, string> = {
  activate: "activated",
  deactivate: "stopped",
  pause: "paused",
  delete: "deleted",
  tag: "tagged",
  untag: "untagged",
};

/** What one can do with the ticked agents; stays in sight while the list scrolls. */
export function BulkBar({ agents, total, chosen, actions, onChooseAll, isLoading }: Props) {
  const bulk = useBulkAction();
  const [asking, setAsking] = useState<"tag" | "delete" | null>(null);
  const [report, setReport] = useState<{ action: BulkAction; result: BulkResult } | null>(null);
  const count = formatCount(chosen.ids.size, "agent");

  async function act(action: BulkAction, tags?: string[]) {
    const result = await bulk.mutateAsync({ action, ids: [...chosen.ids], ...(tags ? { tags } : {}) });
    const failed = result.items.filter((item) => !item.ok);
    chosen.replace(failed.map((item) => item.id));
    if (failed.length > 0) setReport({ action, result });
    else toast.success(`${formatCount(result.succeeded, "agent")} ${DONE[action]}.`);
  }

  const press = (action: BulkAction) => () => void act(action).catch((error) => toast.error(asProblem(error).message));

  return (
    <section
      aria-label="Selected agents"
      className="card sticky bottom-20 z-20 flex flex-wrap items-center gap-2 p-3 shadow-lg md:bottom-4"
    >
      <p className="mr-auto flex items-center gap-2 font-medium" role="status">
        <IconButton label="Select none" small onClick={() => chosen.replace([])}>
          <X aria-hidden className="size-4" />
        </IconButton>
        {count} selected
      </p>
      {chosen.ids.size < total && (
        <Button size="sm" look="quiet" busy={isLoading} onClick={onChooseAll}>
          Select all {formatNumber(total)}
        </Button>
      )}
      <Button size="sm" disabled={bulk.isPending} onClick={press("activate")}>
        <Power aria-hidden className="size-4" /> Activate
      </Button>
      <Button size="sm" disabled={bulk.isPending} onClick={press("pause")}>
        <CirclePause aria-hidden className="size-4" /> Pause
      </Button>
      <Button size="sm" disabled={bulk.isPending} onClick={press("deactivate")}>
        <PowerOff aria-hidden className="size-4" /> Stop
      </Button>
      <Button size="sm" disabled={bulk.isPending} onClick={() => setAsking("tag")}>
        <Tag aria-hidden className="size-4" /> Tag
      </Button>
      <Button size="sm" look="danger" disabled={bulk.isPending} onClick={() => setAsking("delete")}>
        <Trash2 aria-hidden className="size-4" /> Delete
      </Button>
      {asking === "tag" && <TagDialog count={count} onClose={() => setAsking(null)} onTag={act} />}
      <Confirm
        open={asking === "delete"}
        onOpenChange={(isOpen) => setAsking(isOpen ? "delete" : null)}
        title={`Delete ${count}?`}
        action={`Delete ${count}`}
        onConfirm={() => act("delete")}
      >
        Their past runs stay. An agent that something still needs is not deleted, and you are told what needs it.
      </Confirm>
      {report && (
        <BulkReport
          done={DONE[report.action]}
          result={report.result}
          agents={agents}
          actions={actions}
          onClose={() => setReport(null)}
        />
      )}
    </section>
  );
}

interface TagProps {
  count: string;
  onClose: () => void;
  onTag: (action: "tag" | "untag", tags: string[]) => Promise<void>;
}

/** Adds tags to all ticked agents, or takes them away. */
function TagDialog({ count, onClose, onTag }: TagProps) {
  const [tags, setTags] = useState<string[]>([]);
  const [fault, setFault] = useState<string | undefined>(undefined);
  const [busy, setBusy] = useState<"tag" | "untag" | null>(null);

  async function send(action: "tag" | "untag") {
    if (tags.length === 0) {
      setFault("Enter at least one tag.");
      return;
    }
    setBusy(action);
    await onTag(action, tags).catch((error) => toast.error(asProblem(error).message));
    onClose();
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    void send("tag");
  }

  return (
    <Dialog open onOpenChange={(isOpen) => !isOpen && onClose()} title={`Tag ${count}`}>
      <form onSubmit={submit}>
        <TagsField label="Tags" value={tags} onChange={setTags} error={tags.length === 0 ? fault : undefined} />
        <DialogActions>
          <Button busy={busy === "untag"} onClick={() => void send("untag")}>
            Take these tags away
          </Button>
          <Button type="submit" look="primary" busy={busy === "tag"}>
            Add these tags
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
