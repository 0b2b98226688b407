/** What somebody typed and has not saved yet, kept on this device: it outlives a reload, a crash and a lost session. */

/** The form that something was typed into. */
export interface Place {
  /** Whose work it is; another person of this device is never offered it. */
  person: string;
  workspace: string;
  /** The kind of thing, such as "recipe", and which one. */
  kind: string;
  id: string;
}

export interface Kept<T> {
  keptAt: string;
  /** What was stored when the editing began, and its tag. */
  etag: string | null;
  origin: T;
  draft: T;
  /** Handed from one page to the next by the page itself: taken up without asking. */
  isHandedOver?: boolean;
}

/** One kept draft, by the key under which it lies. */
export interface Found<T> extends Kept<T> {
  key: string;
}

type Store = Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;

/** Raised when the way drafts are stored changes; those of another way are left alone and age out. */
const FORMAT = "2";
const PREFIX = "automatos.draft/";
const LONGEST_DAYS = 30;
const DAY_MS = 86_400_000;

const folderOf = ({ person, workspace, kind, id }: Place) =>
  `${PREFIX}${FORMAT}/${[person, workspace, kind, id].map(encodeURIComponent).join("/")}/`;

/** The key of one editor of a place: each open tab has its own, so that none overwrites another's. */
export const draftKey = (place: Place, editor: string): string => folderOf(place) + editor;

function keysIn(store: Store, folder: string): string[] {
  return Array.from({ length: store.length }, (_, index) => store.key(index) ?? "").filter((key) =>
    key.startsWith(folder),
  );
}

function read<T>(store: Store, key: string): Found<T> | null {
  try {
    const kept = JSON.parse(store.getItem(key) ?? "null") as Kept<T> | null;
    const isWhole = typeof kept?.draft === "object" && kept.draft !== null && !Number.isNaN(Date.parse(kept.keptAt));
    return kept && isWhole ? { ...kept, key } : null;
  } catch {
    return null;
  }
}

/** What is kept for a place, the newest first; `apart` is the caller's own key. */
export function findDrafts<T>(place: Place, apart: string, store: Store = localStorage): Found<T>[] {
  return keysIn(store, folderOf(place))
    .filter((key) => key !== apart)
    .map((key) => read<T>(store, key))
    .filter((kept) => kept !== null)
    .toSorted((one, other) => Date.parse(other.keptAt) - Date.parse(one.keptAt));
}

/** Keeps a draft; a device that stores nothing more only loses this comfort. */
export function keepDraft<T>(key: string, kept: Omit<Kept<T>, "keptAt">, store: Store = localStorage): void {
  try {
    store.setItem(key, JSON.stringify({ ...kept, keptAt: new Date().toISOString() }));
  } catch {
    // Full or forbidden: the page itself still holds the draft.
  }
}

export function forgetDraft(key: string, store: Store = localStorage): void {
  store.removeItem(key);
}

/** Removes what nobody has come back for in a month, and what cannot be read. */
export function pruneDrafts(now: number = Date.now(), store: Store = localStorage): void {
  for (const key of keysIn(store, PREFIX)) {
    const kept = read(store, key);
    if (!kept || now - Date.parse(kept.keptAt) > LONGEST_DAYS * DAY_MS) store.removeItem(key);
  }
}
