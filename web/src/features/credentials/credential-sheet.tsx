import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import type { Credential, CredentialType } from "@/client/system";
import { isSame } from "@/lib/changes";
import type { Saved } from "@/lib/edited";
import { useCan, useWorkspace } from "@/lib/workspace";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/confirm";
import { ConflictDialog } from "@/ui/conflict-dialog";
import { CheckField, TextField } from "@/ui/field";
import { ProblemNote } from "@/ui/problem";
import { RestoreNote } from "@/ui/restore-note";
import { Sheet } from "@/ui/sheet";
import { SkeletonRows } from "@/ui/states";
import { toast } from "@/ui/toaster";
import { CredentialHistory } from "./credential-history";
import { StateBadge } from "./credentials-panel";
import { differencesOf, useEditedCredential } from "./edited-credential";
import { EnvironmentSelect } from "./environment-select";
import { credentialQuery, credentialTypesQuery, useDeleteCredential, useTestCredential } from "./queries";
import { canBeTried, fieldsOf, isComplete } from "./schema-fields";
import { SchemaForm } from "./schema-form";
import { Outcome } from "./test-verdict";

const FORM = "credential";

interface Props {
  credentialId: string;
  onClose: () => void;
}

/** One stored credential: change it, try it, see who used it. Its secrets are replaced, never shown. */
export function CredentialSheet({ credentialId, onClose }: Props) {
  const { id: workspace } = useWorkspace();
  const credential = useQuery({ ...credentialQuery(workspace, credentialId), refetchOnWindowFocus: false });
  const types = useQuery(credentialTypesQuery(workspace));
  const type = types.data?.items.find((one) => one.name === credential.data?.credential_type);
  const error = credential.error ?? types.error;
  if (!credential.data || !type) {
    return (
      <Sheet open onOpenChange={(open) => !open && onClose()} title="Credential">
        {error ? <ProblemNote error={error} /> : <SkeletonRows rows={4} />}
      </Sheet>
    );
  }
  return <Editor credential={credential.data} type={type} onClose={onClose} />;
}

interface EditorProps {
  credential: Credential;
  type: CredentialType;
  onClose: () => void;
}

function Editor({ credential, type, onClose }: EditorProps) {
  const mayManage = useCan("admin");
  const fields = fieldsOf(type.schema);
  const { edit, storage } = useEditedCredential(fields, credential);
  const { draft, change, problem } = edit;
  const { name, environment, isActive, values } = draft;
  const [replaced, setReplaced] = useState<string[]>([]);
  const [isDeleting, setDeleting] = useState(false);
  const test = useTestCredential();
  const remove = useDeleteCredential();
  const hasData = !isSame(edit.origin.values, values);
  const isKept = (field: string) => credential.fields[field]?.is_set === true && !replaced.includes(field);

  function submit(event: FormEvent) {
    event.preventDefault();
    void edit.save(storage).then(goOn);
  }

  function goOn(saved: Saved): Saved {
    if (saved !== "stored") return saved;
    toast.success(`${name} is saved.`);
    // What was typed meanwhile stays in sight.
    if (!edit.isDirtyNow()) onClose();
    return saved;
  }

  return (
    <Sheet
      open
      onOpenChange={(open) => !open && onClose()}
      title={credential.name}
      description={
        <span className="flex flex-wrap items-center gap-3">
          {type.display_name} <StateBadge credential={credential} />
        </span>
      }
      footer={
        mayManage ? (
          <>
            <Outcome test={test.data} error={problem ?? test.error} />
            <Button look="danger" className="mr-auto" onClick={() => setDeleting(true)}>
              Delete
            </Button>
            {canBeTried(type) && (
              <Button busy={test.isPending} disabled={hasData} onClick={() => test.mutate(credential.id)}>
                Test
              </Button>
            )}
            <Button
              type="submit"
              form={FORM}
              look="primary"
              busy={edit.isSaving}
              disabled={!edit.isDirty || !isComplete(fields, values, isKept)}
            >
              Save changes
            </Button>
          </>
        ) : (
          <Button onClick={onClose}>Close</Button>
        )
      }
    >
      <div className="grid gap-6">
        <RestoreNote kept={edit.kept} etag={edit.etag} />
        <form id={FORM} onSubmit={submit}>
          <fieldset disabled={!mayManage} className="grid gap-1">
            <TextField
              label="Name"
              required
              maxLength={200}
              value={name}
              onChange={(event) => change({ name: event.target.value })}
              error={problem?.forField("name")}
            />
            <SchemaForm
              fields={fields}
              values={values}
              stored={credential.is_readable ? credential.fields : {}}
              replaced={replaced}
              problem={problem}
              onReplace={(field) => setReplaced((current) => [...current, field])}
              onChange={(field, value) => change({ values: { ...values, [field]: value } })}
            />
            <EnvironmentSelect value={environment} onChange={(to) => change({ environment: to })} />
            <CheckField
              label="In use"
              hint="Switched off, it stays stored and nobody works with it."
              checked={isActive}
              onChange={(event) => change({ isActive: event.target.checked })}
            />
          </fieldset>
        </form>
        {mayManage && <CredentialHistory id={credential.id} />}
      </div>
      <ConflictDialog
        what="credential"
        edit={edit}
        rows={(stored, mine) => differencesOf(fields, stored, mine)}
        onSave={(sides) => edit.settle(sides, storage).then(goOn)}
      />
      <Confirm
        open={isDeleting}
        onOpenChange={setDeleting}
        title={`Delete ${credential.name}?`}
        action="Delete credential"
        onConfirm={async () => {
          await remove.mutateAsync(credential.id);
          onClose();
        }}
      >
        Agents that need it stop working until there is another. Its secrets cannot be brought back.
      </Confirm>
    </Sheet>
  );
}
