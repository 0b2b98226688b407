import { useQueryClient } from "@tanstack/react-query";
import type { SkillSource } from "@/client/library";
import { comparing, taggedByContent } from "@/lib/comparing";
import { type Saved, useEdited } from "@/lib/edited";
import { useWorkspace } from "@/lib/workspace";
import { ConflictDialog } from "@/ui/conflict-dialog";
import { Dialog } from "@/ui/dialog";
import { DialogForm } from "@/ui/dialog-form";
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

  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={`Change ${source.source_name}`}
      description="What you change counts from the next time the repository is read."
    >
      <DialogForm
        kept={edit.kept}
        etag={edit.etag}
        problem={problem}
        action="Save changes"
        busy={edit.isSaving}
        disabled={!edit.isDirty || isFaulty(draft)}
        onSubmit={() => void edit.save(storage).then(goOn)}
        onClose={onClose}
      >
        <SourceFields draft={draft} change={edit.change} problem={problem} credentials={credentials} isStored />
      </DialogForm>
      <ConflictDialog
        what="repository"
        edit={edit}
        rows={(stored, mine) => differencesOf(stored, mine, nameOf)}
        onSave={(sides) => edit.settle(sides, storage).then(goOn)}
      />
    </Dialog>
  );
}
