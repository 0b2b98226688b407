import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import type { CredentialType, Environment } from "@/client/system";
import { asProblem } from "@/lib/problem";
import { useWorkspace } from "@/lib/workspace";
import { Button } from "@/ui/button";
import { SelectField, TextField } from "@/ui/field";
import { LoadProblem } from "@/ui/loaded";
import { Sheet } from "@/ui/sheet";
import { SkeletonRows } from "@/ui/states";
import { toast } from "@/ui/toaster";
import { EnvironmentSelect } from "./environment-select";
import { credentialTypesQuery, useAddCredential, useTestKey } from "./queries";
import { canBeTried, dataOf, fieldsOf, isComplete, valuesOf } from "./schema-fields";
import { SchemaForm } from "./schema-form";
import { Outcome } from "./test-verdict";

const FORM = "new-credential";

/** A new credential: what kind it is, then exactly the fields that this kind has. */
export function NewCredentialSheet({ onClose }: { onClose: () => void }) {
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
      categories={types.data.categories}
      onType={setTypeName}
      onClose={onClose}
    />
  );
}

interface FormProps {
  type: CredentialType;
  types: readonly CredentialType[];
  categories: readonly string[];
  onType: (name: string) => void;
  onClose: () => void;
}

function NewForm({ type, types, categories, onType, onClose }: FormProps) {
  const fields = fieldsOf(type.schema);
  const [values, setValues] = useState(() => valuesOf(fields));
  const [name, setName] = useState(type.display_name);
  const [environment, setEnvironment] = useState<Environment>("production");
  const add = useAddCredential();
  const test = useTestKey();
  const problem = add.error ? asProblem(add.error) : null;
  const body = () => ({ credential_type: type.name, data: dataOf(fields, values) });
  const isReady = isComplete(fields, values);

  function submit(event: FormEvent) {
    event.preventDefault();
    add.mutate(
      { ...body(), name, environment },
      {
        onSuccess: () => {
          toast.success(`${name} is stored.`);
          onClose();
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
            <Button busy={test.isPending} disabled={!isReady} onClick={() => test.mutate(body())}>
              Test
            </Button>
          )}
          <Button type="submit" form={FORM} look="primary" busy={add.isPending} disabled={!isReady || !name.trim()}>
            Save
          </Button>
        </>
      }
    >
      <form id={FORM} onSubmit={submit} className="grid gap-1">
        <SelectField
          label="Kind"
          value={type.name}
          onChange={(event) => onType(event.target.value)}
          hint={type.description}
        >
          {categories.map((category) => (
            <optgroup key={category} label={category}>
              {types
                .filter((one) => one.category === category)
                .map((one) => (
                  <option key={one.name} value={one.name}>
                    {one.display_name}
                  </option>
                ))}
            </optgroup>
          ))}
        </SelectField>
        {type.documentation_url && (
          <p className="-mt-2 mb-2 text-sm">
            <a
              href={type.documentation_url}
              target="_blank"
              rel="noreferrer"
              className="text-accent underline underline-offset-2"
            >
              Where to get it
            </a>
          </p>
        )}
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
          problem={problem}
          onChange={(field, value) => {
            setValues((current) => ({ ...current, [field]: value }));
            test.reset();
          }}
        />
        <EnvironmentSelect value={environment} onChange={setEnvironment} />
      </form>
    </Sheet>
  );
}
