import { useQueryClient } from "@tanstack/react-query";
import type { FormEvent } from "react";
import type { SkillSource } from "@/client/library";
import { comparing, taggedByContent } from "@/lib/comparing";
import { type Saved, useEdited } from "@/lib/edited";
import { useWorkspace } from "@/lib/workspace";
import { Button } from "@/ui/button";
import { ConflictDialog } from "@/ui/conflict-dialog";
import { Dialog, DialogActions } from "@/ui/dialog";
import { ProblemNote } from "@/ui/problem";
import { RestoreNote } from "@/ui/restore-note";
import { toast } from "@/ui/toaster";
import { sourceQuery, useUpdateSource } from "./queries";
import { differencesOf, draftOf, isFaulty, type SourceDraft, updateOf } from "./source-draft";
import { type Opening, SourceFields } from "./source-fields";

interface Props {
  source: SkillSource;
  credentials: readonly Opening[];
  onClose: () => void;
}

/** Changes how a repository is read: its name, branch, folder, credential, and whether it is read by itself. */
export function SourceEditDialog({ source, credentials, onClose }: Props) {
  const { id: workspace } = useWorkspace();
  const cache = useQueryClient();
  const update = useUpdateSource();
  const edit = useEdited(taggedByContent(draftOf(source)), { keep: { kind: "skill-source", id: source.id } });
  const { draft, problem } = edit;
  const nameOf = (id: string) => credentials.find((one) => one.id === id)?.name ?? (id ? "another one" : "none");
  const storage = comparing<SourceDraft>({
    send: async ({ before, after }) =>
      taggedByContent(draftOf(await update.mutateAsync({ id: source.id, ...updateOf(before, after) }))),
    read: async () => taggedByContent(draftOf(await cache.fetchQuery(sourceQuery(workspace, source.id)))),
  });

  function goOn(saved: Saved): Saved {
    if (saved !== "stored") return saved;
    toast.success(`${draft.name} is saved. Read it again to take what is there now.`);
    if (!edit.isDirtyNow()) onClose();
    return saved;
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    void edit.save(storage).then(goOn);
  }

  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={`Change ${source.source_name}`}
      description="What you change counts from the next time the repository is read."
    >
      <form onSubmit={submit} className="grid gap-2">
        <RestoreNote kept={edit.kept} etag={edit.etag} />
        <SourceFields draft={draft} change={edit.change} problem={problem} credentials={credentials} isStored />
        {problem && problem.fields.length === 0 && <ProblemNote error={problem} />}
        <DialogActions>
          <Button onClick={onClose}>Not now</Button>
          <Button type="submit" look="primary" busy={edit.isSaving} disabled={!edit.isDirty || isFaulty(draft)}>
            Save changes
          </Button>
        </DialogActions>
      </form>
      <ConflictDialog
        what="repository"
        edit={edit}
        rows={(stored, mine) => differencesOf(stored, mine, nameOf)}
        onSave={(sides) => edit.settle(sides, storage).then(goOn)}
      />
    </Dialog>
  );
}
