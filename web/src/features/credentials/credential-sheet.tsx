import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import type { Credential, CredentialType } from "@/client/system";
import { asProblem } from "@/lib/problem";
import { useCan, useWorkspace } from "@/lib/workspace";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/confirm";
import { CheckField, TextField } from "@/ui/field";
import { ProblemNote } from "@/ui/problem";
import { Sheet } from "@/ui/sheet";
import { SkeletonRows } from "@/ui/states";
import { toast } from "@/ui/toaster";
import { CredentialHistory } from "./credential-history";
import { StateBadge } from "./credentials-panel";
import { EnvironmentSelect } from "./environment-select";
import {
  credentialQuery,
  credentialTypesQuery,
  useDeleteCredential,
  useTestCredential,
  useUpdateCredential,
} from "./queries";
import { canBeTried, changesOf, fieldsOf, isComplete, valuesOf } from "./schema-fields";
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
  const [before] = useState(() => valuesOf(fields, credential.fields));
  const [values, setValues] = useState(before);
  const [replaced, setReplaced] = useState<string[]>([]);
  const [name, setName] = useState(credential.name);
  const [environment, setEnvironment] = useState(credential.environment);
  const [isActive, setActive] = useState(credential.is_active);
  const [isDeleting, setDeleting] = useState(false);
  const save = useUpdateCredential();
  const test = useTestCredential();
  const remove = useDeleteCredential();
  const problem = save.error ? asProblem(save.error) : null;
  const data = changesOf(fields, before, values);
  const hasData = Object.keys(data).length > 0;
  const isChanged =
    hasData || name !== credential.name || environment !== credential.environment || isActive !== credential.is_active;
  const isKept = (field: string) => credential.fields[field]?.is_set === true && !replaced.includes(field);

  function submit(event: FormEvent) {
    event.preventDefault();
    const body = { name, environment, is_active: isActive, ...(hasData ? { data } : {}) };
    save.mutate(
      { id: credential.id, body },
      {
        onSuccess: () => {
          toast.success(`${name} is saved.`);
          onClose();
        },
      },
    );
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
            <Outcome test={test.data} error={save.error ?? test.error} />
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
              busy={save.isPending}
              disabled={!isChanged || !isComplete(fields, values, isKept)}
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
        <form id={FORM} onSubmit={submit}>
          <fieldset disabled={!mayManage} className="grid gap-1">
            <TextField
              label="Name"
              required
              maxLength={200}
              value={name}
              onChange={(event) => setName(event.target.value)}
              error={problem?.forField("name")}
            />
            <SchemaForm
              fields={fields}
              values={values}
              stored={credential.is_readable ? credential.fields : {}}
              replaced={replaced}
              problem={problem}
              onReplace={(field) => setReplaced((current) => [...current, field])}
              onChange={(field, value) => setValues((current) => ({ ...current, [field]: value }))}
            />
            <EnvironmentSelect value={environment} onChange={setEnvironment} />
            <CheckField
              label="In use"
              hint="Switched off, it stays stored and nobody works with it."
              checked={isActive}
              onChange={(event) => setActive(event.target.checked)}
            />
          </fieldset>
        </form>
        {mayManage && <CredentialHistory id={credential.id} />}
      </div>
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
