import type { Role } from "@/client";
import { useEdited } from "@/lib/edited";
import { asProblem } from "@/lib/problem";
import { useCan } from "@/lib/workspace";
import { Dialog } from "@/ui/dialog";
import { DialogDone, DialogForm } from "@/ui/dialog-form";
import { CheckField, SelectField, TextField } from "@/ui/field";
import { Secret } from "@/ui/secret";
import { useCreateKey } from "./queries";

/** Makes a key and shows it once. What was typed is kept on this device until it is made; the key never is. */
export function NewKeyDialog({ onClose }: { onClose: () => void }) {
  const edit = useEdited<{ name: string; role: Role; isShared: boolean }>(
    { data: { name: "", role: "editor", isShared: false }, etag: null },
    { keep: { kind: "api-key", id: "" } },
  );
  const { name, role, isShared } = edit.draft;
  const isOwner = useCan("owner");
  const create = useCreateKey();
  const problem = create.error ? asProblem(create.error) : null;
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()} title="New API key">
      {create.data ? (
        <>
          <Secret label={create.data.name} text={create.data.key} />
          <p className="mt-2 text-sm text-muted">Copy it now: it is stored as a hash and cannot be shown again.</p>
          <DialogDone onClose={onClose} />
        </>
      ) : (
        <DialogForm
          kept={edit.kept}
          basis="an empty form"
          problem={problem}
          action="Make the key"
          busy={create.isPending}
          onSubmit={() =>
            create.mutate(
              { name: name.trim(), role, belongs_to: isShared ? "workspace" : "person" },
              { onSuccess: edit.discard },
            )
          }
          onClose={onClose}
        >
          <TextField
            label="Name"
            required
            maxLength={200}
            value={name}
            onChange={(event) => edit.change({ name: event.target.value })}
            hint="What will use it, for instance “nightly report”."
            error={problem?.forField("name")}
          />
          <SelectField
            label="May do as much as"
            value={role}
            onChange={(event) => edit.change({ role: event.target.value as Role })}
          >
            <option value="viewer">a viewer (read)</option>
            <option value="editor">an editor (create and cook)</option>
            <option value="admin">an admin (manage)</option>
          </SelectField>
          {isOwner && (
            <CheckField
              label="Belongs to the workspace"
              checked={isShared}
              onChange={(event) => edit.change({ isShared: event.target.checked })}
              hint="It stays when you go, until somebody revokes it. Otherwise it ends with your membership."
            />
          )}
        </DialogForm>
      )}
    </Dialog>
  );
}
