import { useState } from "react";
import type { CredentialType } from "@/client/system";
import { asProblem } from "@/lib/problem";
import { SelectField } from "@/ui/field";
import { useAddCredential, useTestKey } from "./queries";
import { dataOf, type FieldValue, type FieldValues, fieldsOf, isComplete, valuesOf } from "./schema-fields";
import { SchemaForm } from "./schema-form";

const CATEGORIES: Record<string, string> = {
  ai: "Model providers",
  api: "Services",
  cloud: "Clouds",
  database: "Databases",
  infrastructure: "Infrastructure",
};

interface Held {
  values: FieldValues;
  change: (values: FieldValues) => void;
}

/**
 * A credential of a kind while it is typed, how trying it went, and how storing it did. A form that keeps its draft
 * holds the values itself.
 */
export function useCredentialDraft(type: CredentialType, held?: Held) {
  const fields = fieldsOf(type.schema);
  const [own, setOwn] = useState(() => valuesOf(fields));
  const values = held?.values ?? own;
  const setValues = held?.change ?? setOwn;
  const add = useAddCredential();
  const test = useTestKey();
  return {
    fields,
    values,
    add,
    test,
    problem: add.error ? asProblem(add.error) : null,
    isReady: isComplete(fields, values),
    body: () => ({ credential_type: type.name, data: dataOf(fields, values) }),
    change(field: string, value: FieldValue) {
      setValues({ ...values, [field]: value });
      test.reset();
    },
  };
}

export type CredentialDraft = ReturnType<typeof useCredentialDraft>;

interface Props {
  type: CredentialType;
  types: readonly CredentialType[];
  onType: (name: string) => void;
}

/** What kind of credential it is; model providers come first. */
export function KindField({ type, types, onType }: Props) {
  const rank = Object.keys(CATEGORIES);
  const categories = [...new Set(types.map((one) => one.category))].sort(
    (one, other) => rank.indexOf(one) - rank.indexOf(other),
  );
  const options = (category: string) =>
    types
      .filter((one) => one.category === category)
      .map((one) => (
        <option key={one.name} value={one.name}>
          {one.display_name}
        </option>
      ));
  return (
    <>
      <SelectField
        label={categories.length > 1 ? "Kind" : "Provider"}
        value={type.name}
        onChange={(event) => onType(event.target.value)}
        hint={type.description}
      >
        {categories.length > 1
          ? categories.map((category) => (
              <optgroup key={category} label={CATEGORIES[category] ?? category}>
                {options(category)}
              </optgroup>
            ))
          : categories.map(options)}
      </SelectField>
      {type.documentation_url && (
        <p className="-mt-1 mb-2 text-sm">
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
    </>
  );
}

/** The fields of a draft's kind. */
export function DraftFields({ draft }: { draft: CredentialDraft }) {
  return <SchemaForm fields={draft.fields} values={draft.values} problem={draft.problem} onChange={draft.change} />;
}
