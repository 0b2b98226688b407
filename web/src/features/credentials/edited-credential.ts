import { useQueryClient } from "@tanstack/react-query";
import type { Credential } from "@/client/system";
import { changedKeys, partOf, type Shape } from "@/lib/changes";
import { comparing, taggedByContent } from "@/lib/comparing";
import { type Storage, useEdited } from "@/lib/edited";
import { useWorkspace } from "@/lib/workspace";
import type { Difference } from "@/ui/diff-list";
import { credentialQuery, useUpdateCredential } from "./queries";
import { changesOf, type FieldValues, type SchemaField, valuesOf } from "./schema-fields";

/** A credential as it is edited; secrets are empty until they are typed anew. */
export interface CredentialDraft {
  name: string;
  environment: Credential["environment"];
  isActive: boolean;
  values: FieldValues;
}

const PREFIX = "values/";

const shape: Shape<CredentialDraft> = {
  split: ({ values, ...rest }) => ({
    ...rest,
    ...Object.fromEntries(Object.entries(values).map(([name, value]) => [PREFIX + name, value])),
  }),
  join: (fields, pattern) => {
    const own = (isValue: boolean) => Object.entries(fields).filter(([name]) => name.startsWith(PREFIX) === isValue);
    const values = own(true).map(([name, value]) => [name.slice(PREFIX.length), value]);
    return { ...pattern, ...Object.fromEntries(own(false)), values: Object.fromEntries(values) };
  },
  align: (stored) => stored,
};

function draftOf(fields: readonly SchemaField[], credential: Credential): CredentialDraft {
  const { name, environment, is_active } = credential;
  return { name, environment, isActive: is_active, values: valuesOf(fields, credential.fields) };
}

/** The same without what must not be stored on this device. */
export function withoutSecrets(fields: readonly SchemaField[], values: FieldValues): FieldValues {
  const secret = new Set(fields.filter((field) => field.isSecret).map((field) => field.name));
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, secret.has(name) ? "" : value]));
}

/** What differs between two states of a credential; of a secret only that it does. */
export function differencesOf(
  fields: readonly SchemaField[],
  before: CredentialDraft,
  after: CredentialDraft,
): Difference[] {
  const labels: Record<string, string> = { name: "Name", environment: "Environment", isActive: "In use" };
  const [from, to] = [shape.split(before), shape.split(after)];
  return changedKeys(from, to).map((key) => {
    const field = fields.find((one) => PREFIX + one.name === key);
    const words = (value: unknown) => (field?.isSecret && value ? "a new secret" : String(value ?? ""));
    return { key, label: field?.label ?? labels[key] ?? key, before: words(from[key]), after: words(to[key]) };
  });
}

/** Edits a stored credential; only what changed is sent. */
export function useEditedCredential(fields: readonly SchemaField[], credential: Credential) {
  const { id: workspace } = useWorkspace();
  const cache = useQueryClient();
  const update = useUpdateCredential();
  const edit = useEdited(taggedByContent(draftOf(fields, credential)), {
    shape,
    keep: { kind: "credential", id: credential.id },
    keepable: (state) => ({ ...state, values: withoutSecrets(fields, state.values) }),
  });
  const storage: Storage<CredentialDraft> = comparing({
    send: async ({ before, after }) => {
      const { values, isActive, ...rest } = after;
      const data = changesOf(fields, before.values, values);
      const head = partOf(
        { name: before.name, environment: before.environment, is_active: before.isActive },
        { ...rest, is_active: isActive },
      );
      const body = { ...head, ...(Object.keys(data).length > 0 ? { data } : {}) };
      return taggedByContent(draftOf(fields, await update.mutateAsync({ id: credential.id, body })));
    },
    read: async () => {
      const found = await cache.fetchQuery({ ...credentialQuery(workspace, credential.id), staleTime: 0 });
      return taggedByContent(draftOf(fields, found));
    },
  });
  return { edit, storage };
}
