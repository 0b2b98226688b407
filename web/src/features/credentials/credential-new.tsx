import { useQuery } from "@tanstack/react-query";
import type { FormEvent } from "react";
import type { CredentialType, Environment } from "@/client/system";
import { useEdited } from "@/lib/edited";
import { useWorkspace } from "@/lib/workspace";
import { Button } from "@/ui/button";
import { TextField } from "@/ui/field";
import { LoadProblem } from "@/ui/loaded";
import { RestoreNote } from "@/ui/restore-note";
import { Sheet } from "@/ui/sheet";
import { SkeletonRows } from "@/ui/states";
import { toast } from "@/ui/toaster";
import { DraftFields, KindField, useCredentialDraft } from "./credential-fields";
import { withoutSecrets } from "./edited-credential";
import { EnvironmentSelect } from "./environment-select";
import { credentialTypesQuery } from "./queries";
import { canBeTried, type FieldValues, fieldsOf, valuesOf } from "./schema-fields";
import { Outcome } from "./test-verdict";

const FORM = "new-credential";

interface Props {
  onClose: () => void;
  /** Stored; with the model provider that agents can be answered by now, if it is the key of one. */
  onStored: (provider: string | null) => void;
}

/** A new credential: what kind it is, then exactly the fields that this kind has. */
export function NewCredentialSheet({ onClose, onStored }: Props) {
  const { id: workspace } = useWorkspace();
  const types = useQuery(credentialTypesQuery(workspace));
  const first = types.data?.items[0];
  if (!types.data || !first) {
    return (
      <Sheet open onOpenChange={(open) => !open && onClose()} title="New credential">
        {types.error ? <LoadProblem of={types} /> : <SkeletonRows rows={4} />}
      </Sheet>
    );
  }
  return <NewForm first={first} types={types.data.items} onClose={onClose} onStored={onStored} />;
}

interface FormProps extends Props {
  /** The kind that is offered first. */
  first: CredentialType;
  types: readonly CredentialType[];
}

interface Typed {
  typeName: string;
  name: string;
  environment: Environment;
  values: FieldValues;
}

const startOf = (type: CredentialType): Typed => ({
  typeName: type.name,
  name: type.display_name,
  environment: "production",
  values: valuesOf(fieldsOf(type.schema)),
});

function NewForm({ first, types, onClose, onStored }: FormProps) {
  const typeOf = (typed: Typed) => types.find((one) => one.name === typed.typeName) ?? first;
  const edit = useEdited(
    { data: startOf(first), etag: null },
    {
      keep: { kind: "credential", id: "" },
      keepable: (typed) => ({ ...typed, values: withoutSecrets(fieldsOf(typeOf(typed).schema), typed.values) }),
    },
  );
  const { name, environment, values } = edit.draft;
  const type = typeOf(edit.draft);
  const draft = useCredentialDraft(type, { values, change: (to) => edit.change({ values: to }) });
  const { add, test } = draft;

  function choose(typeName: string) {
    const chosen = types.find((one) => one.name === typeName) ?? first;
    add.reset();
    test.reset();
    edit.change({ ...startOf(chosen), environment });
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    add.mutate(
      { ...draft.body(), name, environment },
      {
        onSuccess: () => {
          edit.discard();
          toast.success(`${name} is stored.`);
          onStored(environment === "production" ? type.provider : null);
        },
      },
    );
  }

  return (
    <Sheet
      open
      onOpenChange={(open) => !open && onClose()}
      title="New credential"
      description="Stored encrypted. Its secrets can be replaced later, but not read."
      footer={
        <>
          <Outcome test={test.data} error={add.error ?? test.error} />
          <Button onClick={onClose}>Not now</Button>
          {canBeTried(type) && (
            <Button busy={test.isPending} disabled={!draft.isReady} onClick={() => test.mutate(draft.body())}>
              Test
            </Button>
          )}
          <Button
            type="submit"
            form={FORM}
            look="primary"
            busy={add.isPending}
            disabled={!draft.isReady || !name.trim()}
          >
            Save
          </Button>
        </>
      }
    >
      <form id={FORM} onSubmit={submit} className="grid gap-1">
        <RestoreNote kept={edit.kept} basis="an empty form; secrets are never kept, type them again" />
        <KindField type={type} types={types} onType={choose} />
        <TextField
          label="Name"
          required
          maxLength={200}
          value={name}
          onChange={(event) => edit.change({ name: event.target.value })}
          error={draft.problem?.forField("name")}
        />
        <DraftFields draft={draft} />
        <EnvironmentSelect value={environment} onChange={(to) => edit.change({ environment: to })} />
      </form>
    </Sheet>
  );
}
