/** What changed between two states of a flat thing, and how two people's changes become one. */

export type Side = "mine" | "theirs";

export function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** The keys whose values differ, in the order of the first. */
export function changedKeys<T extends object>(before: T, after: T): (keyof T)[] {
  return (Object.keys(before) as (keyof T)[]).filter((key) => !isSame(before[key], after[key]));
}

/** Which side to keep unless the person says otherwise: mine where I changed something, theirs elsewhere. */
export function sidesOf<T extends object>(base: T, mine: T, theirs: T): Map<keyof T, Side> {
  const touched = new Set(changedKeys(base, mine));
  return new Map(changedKeys(mine, theirs).map((key) => [key, touched.has(key) ? "mine" : "theirs"]));
}

/** Theirs, with what is kept of mine. */
export function mergedOf<T extends object>(mine: T, theirs: T, sides: ReadonlyMap<keyof T, Side>): T {
  const kept = [...sides].filter(([, side]) => side === "mine").map(([key]) => [key, mine[key]]);
  return { ...theirs, ...Object.fromEntries(kept) };
}

/** The entries of `after` that differ from `before`; for the keys of `deep`, only what differs inside them. */
export function partOf<T extends object>(before: T, after: T, deep: readonly (keyof T)[] = []): Partial<T> {
  const part: Partial<T> = {};
  for (const key of changedKeys(before, after)) {
    const [old, fresh] = [before[key], after[key]];
    const isDeep = deep.includes(key) && typeof old === "object" && old !== null;
    part[key] = isDeep ? (partOf(old as object, fresh as object) as T[keyof T]) : fresh;
  }
  return part;
}
