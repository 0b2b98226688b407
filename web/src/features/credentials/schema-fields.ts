/** The fields of a form, read from the JSON Schema of a credential's type. */

export type FieldKind = "text" | "password" | "long" | "number" | "boolean" | "select";

export interface SchemaField {
  name: string;
  label: string;
  hint: string | undefined;
  kind: FieldKind;
  isSecret: boolean;
  isRequired: boolean;
  options: string[];
  placeholder: string | undefined;
  start: FieldValue;
  minimum: number | undefined;
  maximum: number | undefined;
  maxLength: number | undefined;
}

/** A field as it stands in the form: texts and numbers as they are typed. */
export type FieldValue = string | boolean;
export type FieldValues = Record<string, FieldValue>;

type Json = Record<string, unknown>;

const LONG_TEXT = 10_000;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const textOf = (value: unknown): string | undefined => (typeof value === "string" && value ? value : undefined);
const numberOf = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);

/** The fields of an object's schema: first what must be known, then the secrets, then what can be left as it is. */
export function fieldsOf(schema: Json): SchemaField[] {
  const required = Array.isArray(schema.required) ? schema.required : [];
  const properties = isObject(schema.properties) ? schema.properties : {};
  return Object.entries(properties)
    .filter((entry): entry is [string, Json] => isObject(entry[1]))
    .map(([name, about]) => fieldOf(name, about, required.includes(name)))
    .sort((one, other) => rankOf(one) - rankOf(other));
}

// The server's store does not keep the order of a schema's fields.
function rankOf(field: SchemaField): number {
  if (field.isSecret) return 1;
  return field.isRequired ? 0 : 2;
}

function fieldOf(name: string, about: Json, isRequired: boolean): SchemaField {
  const kind = kindOf(about);
  const options = Array.isArray(about.enum) ? about.enum.map(String) : [];
  const examples = Array.isArray(about.examples) ? about.examples : [];
  return {
    name,
    label: textOf(about.title) ?? titleOf(name),
    hint: textOf(about.description),
    kind,
    isSecret: about["x-secret"] === true || about.writeOnly === true,
    isRequired,
    options,
    placeholder: textOf(examples[0]),
    start: startOf(kind, about.default, isRequired ? options[0] : undefined),
    minimum: numberOf(about.minimum),
    maximum: numberOf(about.maximum),
    maxLength: numberOf(about.maxLength),
  };
}

function kindOf(about: Json): FieldKind {
  if (Array.isArray(about.enum)) return "select";
  if (about.type === "boolean") return "boolean";
  if (about.type === "integer" || about.type === "number") return "number";
  const isLong = about.contentMediaType !== undefined || (numberOf(about.maxLength) ?? 0) >= LONG_TEXT;
  if (isLong) return "long";
  return about["x-secret"] === true || about.writeOnly === true ? "password" : "text";
}

function startOf(kind: FieldKind, given: unknown, first: string | undefined): FieldValue {
  if (kind === "boolean") return given === true;
  return given === undefined || given === null ? (first ?? "") : String(given);
}

function titleOf(name: string): string {
  const words = name.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** What the form shows at first: what is stored where it may be seen, else the type's own values. */
export function valuesOf(
  fields: readonly SchemaField[],
  stored: Record<string, { value?: unknown }> = {},
): FieldValues {
  return Object.fromEntries(
    fields.map((field) => {
      const known = stored[field.name];
      if (!known) return [field.name, field.start];
      return [field.name, startOf(field.kind, known.value, undefined)];
    }),
  );
}

/** The values a new credential is made of; what was left empty is left out. */
export function dataOf(fields: readonly SchemaField[], values: FieldValues): Json {
  const pairs = fields.map((field) => [field.name, plain(field, values[field.name] ?? field.start)]);
  return Object.fromEntries(pairs.filter(([, value]) => value !== null));
}

/** Only what differs from what is stored; a secret that was not typed anew stays, an emptied field is null. */
export function changesOf(fields: readonly SchemaField[], before: FieldValues, after: FieldValues): Json {
  const changed = fields.filter((field) => before[field.name] !== after[field.name]);
  return Object.fromEntries(changed.map((field) => [field.name, plain(field, after[field.name] ?? "")]));
}

function plain(field: SchemaField, value: FieldValue): unknown {
  if (typeof value === "boolean") return value;
  const text = value.trim();
  if (text === "") return null;
  return field.kind === "number" ? Number(text) : text;
}

/** Whether everything that must be there is; `isKept` says which secrets are stored already. */
export function isComplete(
  fields: readonly SchemaField[],
  values: FieldValues,
  isKept: (name: string) => boolean = () => false,
): boolean {
  return fields.every(
    (field) => !field.isRequired || isKept(field.name) || plain(field, values[field.name] ?? field.start) !== null,
  );
}

/** Whether there is a way to find out if it works: a test of its own, or the provider that it opens. */
export const canBeTried = (type: { can_be_tested: boolean; provider: string | null }): boolean =>
  type.can_be_tested || type.provider !== null;
