/** Reading the search parameters of an address. What does not fit is left out, never refused. */

/** A search parameter as text; the router reads `?q=7` as a number. */
export function text(value: unknown): string | undefined {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value ? value : undefined;
}

/** A whole number of at least `least`; what is no such number is left out. */
export function whole(value: unknown, least = 0): number | undefined {
  return Number.isInteger(value) && (value as number) >= least ? (value as number) : undefined;
}

/** Search parameters that are texts. */
export function texts<Name extends string>(...names: Name[]) {
  return (raw: Record<string, unknown>) =>
    Object.fromEntries(names.map((name) => [name, text(raw[name])])) as Partial<Record<Name, string | undefined>>;
}
