/** What a form needs to know of a field, read from the schema of what the server takes. */

export interface Drawn {
  /** Where it stands in the body, such as `settings.limits.memory`. */
  path: string;
  label: string;
  meaning: string;
  /** The part of the form it belongs to; empty where the schema names none. */
  group: string;
  kind: "number" | "switch" | "choice" | "text";
  initial: number | boolean | string | null;
  /** Null is a value, too: what the server or a provider does by itself. */
  isOptional: boolean;
  /** Of numbers. */
  min: number;
  max: number;
  step: number;
  unit: string;
  /** Of choices. */
  words: readonly string[];
  /** Of texts: how many characters it may have. */
  longest: number;
}

export interface Schema {
  $ref?: string;
  anyOf?: Schema[];
  type?: string;
  title?: string;
  description?: string;
  default?: unknown;
  enum?: string[];
  minimum?: number;
  exclusiveMinimum?: number;
  maximum?: number;
  maxLength?: number;
  properties?: Record<string, Schema>;
  "x-group"?: string;
  "x-unit"?: string;
  "x-order"?: string[];
}

type Schemas = Record<string, Schema>;

const nameIn = (ref: string): string => ref.slice(ref.lastIndexOf("/") + 1);

/** A schema without its reference and without its null: what stands beside them counts before what they lead to. */
function plain(schema: Schema, schemas: Schemas): Schema {
  const { $ref, anyOf, ...own } = schema;
  const inner = anyOf?.find(({ type }) => type !== "null");
  const meant = $ref ? schemas[nameIn($ref)] : inner;
  return meant ? { ...plain(meant, schemas), ...own } : own;
}

function kindOf({ type, enum: words }: Schema): Drawn["kind"] | null {
  if (words) return "choice";
  if (type === "boolean") return "switch";
  if (type === "integer" || type === "number") return "number";
  return type === "string" ? "text" : null;
}

/** The fields of a schema that a form can draw, those of objects inside it too, in the order of the server. */
export function drawnOf(schemas: Schemas, name: string, place: string): Drawn[] {
  const { properties = {}, "x-order": order = Object.keys(properties) } = schemas[name] ?? {};
  return order.flatMap((key) => {
    const schema = properties[key] ?? {};
    const path = `${place}.${key}`;
    const found = plain(schema, schemas);
    const kind = kindOf(found);
    if (found.properties && schema.$ref) return drawnOf(schemas, nameIn(schema.$ref), path);
    return kind ? [fieldOf(path, kind, found, schema.anyOf?.some(({ type }) => type === "null") ?? false)] : [];
  });
}

function fieldOf(path: string, kind: Drawn["kind"], found: Schema, isOptional: boolean): Drawn {
  const step = found.type === "integer" ? 1 : 0.01;
  return {
    path,
    label: found.title ?? path,
    meaning: found.description ?? "",
    group: found["x-group"] ?? "",
    kind,
    initial: (found.default as Drawn["initial"] | undefined) ?? null,
    isOptional,
    min: found.minimum ?? (found.exclusiveMinimum ?? 0) + step,
    max: found.maximum ?? Number.MAX_SAFE_INTEGER,
    step,
    unit: found["x-unit"] ?? "",
    words: found.enum ?? [],
    longest: found.maxLength ?? 10_000,
  };
}

/** A word of the server as people read it: `on_demand` as "On demand". */
export function wordsOf(value: string): string {
  const words = value.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** What stands at a path of an answer; null where nothing does. */
export function valueAt(whole: unknown, path: string): unknown {
  const inside = (part: unknown, name: string) => (part as Record<string, unknown> | null | undefined)?.[name];
  return path.split(".").reduce<unknown>(inside, whole) ?? null;
}

/** The same values as the nested object that the server takes. */
export function nested(values: ReadonlyMap<string, unknown>): Record<string, unknown> {
  const whole: Record<string, unknown> = {};
  for (const [path, value] of values) {
    const names = path.split(".");
    const last = names.pop() ?? "";
    let part = whole;
    for (const name of names) {
      part[name] ??= {};
      part = part[name] as Record<string, unknown>;
    }
    part[last] = value;
  }
  return whole;
}
