/** What changed between two states of a flat thing, and how two people's changes become one. */

export type Side = "mine" | "theirs";

export function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** The keys whose values differ, in the order of the later state; what only the earlier one has comes last. */
export function changedKeys<T extends object>(before: T, after: T): (keyof T)[] {
  const keys = new Set([...Object.keys(after), ...Object.keys(before)]) as Set<string & keyof T>;
  return [...keys].filter((key) => !isSame(before[key], after[key]));
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

/** The fields that both sides changed, to different ends. */
export function overlapOf<T extends object>(base: T, mine: T, theirs: T): (keyof T)[] {
  const changedByThem = new Set(changedKeys(base, theirs));
  return changedKeys(base, mine).filter((key) => changedByThem.has(key) && !isSame(mine[key], theirs[key]));
}

type Fields = Record<string, unknown>;

/** How a thing falls into fields that two people can change apart from each other. */
export interface Shape<T> {
  split: (whole: T) => Fields;
  /** The whole of such fields. What they lack, because one side removed it, comes from the pattern. */
  join: (fields: Fields, pattern: T) => T;
  /** The same stored state, its parts named as in the state it is compared with. */
  align: (stored: T, like: T) => T;
}

/** Every property is a field. */
export function flatShape<T extends object>(): Shape<T> {
  return { split: (whole) => ({ ...whole }) as Fields, join: (fields) => fields as T, align: (stored) => stored };
}

/** My changes made on top of what is stored now: what I touched is mine, all the rest theirs. */
export function rebased<T>(base: T, mine: T, theirs: T, { split, join }: Shape<T>): T {
  const [from, my, their] = [split(base), split(mine), split(theirs)];
  return join(mergedOf(my, their, sidesOf(from, my, their)), mine);
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
