import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import type { CredentialType, Environment } from "@/client/system";
import { useWorkspace } from "@/lib/workspace";
import { Button } from "@/ui/button";
import { TextField } from "@/ui/field";
import { LoadProblem } from "@/ui/loaded";
import { Sheet } from "@/ui/sheet";
import { SkeletonRows } from "@/ui/states";
import { toast } from "@/ui/toaster";
import { DraftFields, KindField, useCredentialDraft } from "./credential-fields";
import { EnvironmentSelect } from "./environment-select";
import { credentialTypesQuery } from "./queries";
import { canBeTried } from "./schema-fields";
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
  const [typeName, setTypeName] = useState("");
  const type = types.data?.items.find((one) => one.name === typeName) ?? types.data?.items[0];
  if (!types.data || !type) {
    return (
      <Sheet open onOpenChange={(open) => !open && onClose()} title="New credential">
        {types.error ? <LoadProblem of={types} /> : <SkeletonRows rows={4} />}
      </Sheet>
    );
  }
  return (
    <NewForm
      key={type.name}
      type={type}
      types={types.data.items}
      onType={setTypeName}
      onClose={onClose}
      onStored={onStored}
    />
  );
}

interface FormProps extends Props {
  type: CredentialType;
  types: readonly CredentialType[];
  onType: (name: string) => void;
}

function NewForm({ type, types, onType, onClose, onStored }: FormProps) {
  const draft = useCredentialDraft(type);
  const { add, test } = draft;
  const [name, setName] = useState(type.display_name);
  const [environment, setEnvironment] = useState<Environment>("production");

  function submit(event: FormEvent) {
    event.preventDefault();
    add.mutate(
      { ...draft.body(), name, environment },
      {
        onSuccess: () => {
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
        <KindField type={type} types={types} onType={onType} />
        <TextField
          label="Name"
          required
          maxLength={200}
          value={name}
          onChange={(event) => setName(event.target.value)}
          error={draft.problem?.forField("name")}
        />
        <DraftFields draft={draft} />
        <EnvironmentSelect value={environment} onChange={setEnvironment} />
      </form>
    </Sheet>
  );
}
