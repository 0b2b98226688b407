import { useState } from "react";
import type { SyncResult } from "@/client/library";
import { useEdited } from "@/lib/edited";
import { asProblem } from "@/lib/problem";
import { Dialog } from "@/ui/dialog";
import { DialogDone, DialogForm } from "@/ui/dialog-form";
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

  function send() {
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
          <DialogDone onClose={onClose} />
        </>
      ) : (
        <DialogForm
          kept={edit.kept}
          basis="an empty form"
          problem={problem}
          action="Read the repository"
          busy={add.isPending}
          disabled={isFaulty(draft)}
          onSubmit={send}
          onClose={onClose}
        >
          <SourceFields draft={draft} change={edit.change} problem={problem} credentials={credentials} />
        </DialogForm>
      )}
    </Dialog>
  );
}
