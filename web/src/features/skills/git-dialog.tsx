import { type FormEvent, useState } from "react";
import type { SyncResult } from "@/client/library";
import { useEdited } from "@/lib/edited";
import { asProblem } from "@/lib/problem";
import { Button } from "@/ui/button";
import { Dialog, DialogActions } from "@/ui/dialog";
import { ProblemNote } from "@/ui/problem";
import { RestoreNote } from "@/ui/restore-note";
import { useAddSource } from "./queries";
import { creationOf, isFaulty, NEW_SOURCE } from "./source-draft";
import { type Opening, SourceFields } from "./source-fields";
import { SyncReport } from "./sync-report";

interface Props {
  credentials: readonly Opening[];
  onClose: () => void;
}

/** Takes every skill of a git repository. What was typed is kept on this device until it is read. */
export function GitDialog({ credentials, onClose }: Props) {
  const edit = useEdited({ data: NEW_SOURCE, etag: null }, { keep: { kind: "skill-source", id: "" } });
  const { draft } = edit;
  const [report, setReport] = useState<SyncResult | null>(null);
  const add = useAddSource();
  const problem = add.error ? asProblem(add.error) : null;

  function submit(event: FormEvent) {
    event.preventDefault();
    const onSuccess = (result: SyncResult) => {
      edit.discard();
      setReport(result);
    };
    add.mutate(creationOf(draft), { onSuccess });
  }

  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title="Skills from git"
      description="Every folder with a SKILL.md in the repository becomes a skill. It is read over https."
    >
      {report ? (
        <>
          <SyncReport result={report} />
          <DialogActions>
            <Button look="primary" onClick={onClose}>
              Done
            </Button>
          </DialogActions>
        </>
      ) : (
        <form onSubmit={submit} className="grid gap-2">
          <RestoreNote kept={edit.kept} basis="an empty form" />
          <SourceFields draft={draft} change={edit.change} problem={problem} credentials={credentials} />
          {problem && problem.fields.length === 0 && <ProblemNote error={problem} />}
          <DialogActions>
            <Button onClick={onClose}>Not now</Button>
            <Button type="submit" look="primary" busy={add.isPending} disabled={isFaulty(draft)}>
              Read the repository
            </Button>
          </DialogActions>
        </form>
      )}
    </Dialog>
  );
}
