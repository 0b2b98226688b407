import { useRef, useState } from "react";
import {
  changedKeys,
  flatShape,
  isSame,
  mergedOf,
  overlapOf,
  rebased,
  type Shape,
  type Side,
  sidesOf,
} from "./changes";
import type { Tagged } from "./http";
import { type KeptDraft, useKeptDraft } from "./kept-draft";
import { asProblem, Problem } from "./problem";

/** What is to be saved: the state it began from, what became of it, and the tag of the former. */
export interface Change<T> {
  before: T;
  after: T;
  etag: string | null;
}

/** Where the edited thing is stored. */
export interface Storage<T> {
  /** Stores the change unless somebody else has stored one since; answers with what is stored now. */
  send: (change: Change<T>) => Promise<Tagged<T>>;
  /** Reads what is stored, when somebody else was first. */
  read: () => Promise<Tagged<T>>;
}

/** Both sides of a save that came second. */
export interface Conflict<T> {
  base: T;
  mine: T;
  stored: Tagged<T>;
}

/** How a save ended: a conflict waits for a choice, a refusal says why. */
export type Saved = "stored" | "conflict" | "refused";

interface Options<T> {
  shape?: Shape<T>;
  /** The place under which unsaved work is kept on this device; null keeps nothing. */
  keep?: { kind: string; id: string } | null;
  /** What is kept of a state; secrets are left out here. */
  keepable?: (state: T) => T;
}

interface State<T> {
  origin: T;
  etag: string | null;
  draft: T;
  /** The tag of the stored state that was last looked at, so that an old one is not taken for a newer. */
  seen: string | null;
}

/** A stored thing and what a person made of it. */
export interface Edited<T> {
  /** As it was stored when the editing began. */
  origin: T;
  etag: string | null;
  draft: T;
  isDirty: boolean;
  /** Whether somebody else has since saved a field that was changed here too. */
  isStale: boolean;
  isSaving: boolean;
  problem: Problem | null;
  conflict: Conflict<T> | null;
  kept: KeptDraft | null;
  change: (part: Partial<T>) => void;
  discard: () => void;
  save: (storage: Storage<T>) => Promise<Saved>;
  /** Ends a conflict: the fields with the side chosen for each, then saves what remains of mine. */
  settle: (sides: ReadonlyMap<string, Side>, storage: Storage<T>) => Promise<Saved>;
  takeTheirs: () => void;
  closeConflict: () => void;
  clearProblem: () => void;
  /** The fields of both sides of a conflict that differ, with the side that is kept unless somebody says otherwise. */
  sides: () => Map<string, Side>;
  /** Whether something is unsaved right now, also in a function that began earlier. */
  isDirtyNow: () => boolean;
  /** What is unsaved right now, for a page that goes on with it. */
  current: () => Change<T>;
}

/** The status of a save that came second. */
export const STALE = 412;

/** Nobody may think that their work is stored when it is not, nor that it is lost. */
function unreadable(error: unknown): Problem {
  const cause = asProblem(error);
  const detail = `Somebody else saved this first, and what they saved could not be read: ${cause.message} Your changes are still here; save again to compare.`;
  return new Problem(cause.status, { code: "conflict_unread", title: "Not saved", detail }, cause.requestId);
}

/**
 * Edits a draft of what is stored, and saves it: the one way to edit anything here.
 *
 * What is typed while a save is under way stays unsaved and stays in the form. A newer stored state is taken field by
 * field as long as it touches nothing that was changed here; where both changed the same field it waits, and the save
 * asks which to keep. Unsaved work is kept on this device until it is saved or discarded.
 */
export function useEdited<T extends object>(stored: Tagged<T>, options: Options<T> = {}): Edited<T> {
  const { shape = flatShape<T>(), keep = null, keepable } = options;
  const [state, setState] = useState<State<T>>(() => ({ ...fresh(stored), seen: stored.etag }));
  const [problem, setProblem] = useState<Problem | null>(null);
  const [conflict, setConflict] = useState<Conflict<T> | null>(null);
  const [isSaving, setSaving] = useState(false);
  // Functions that began before the last drawing must see what was typed since.
  const latest = useRef(state);
  latest.current = state;
  const set = (next: (current: State<T>) => State<T>) => {
    latest.current = next(latest.current);
    setState(latest.current);
  };

  const isDirty = !isSame(state.origin, state.draft);
  const isNewer = stored.etag !== state.etag && stored.etag !== state.seen;
  const theirs = isNewer ? shape.align(stored.data, state.origin) : stored.data;
  const isContested =
    isNewer &&
    isDirty &&
    overlapOf(shape.split(state.origin), shape.split(state.draft), shape.split(theirs)).length > 0;
  if (isNewer && !isContested) set((current) => onTopOf(current, { data: theirs, etag: stored.etag }));

  /** The draft with its changes made on top of a newer stored state. */
  function onTopOf(current: State<T>, next: Tagged<T>): State<T> {
    const draft = rebased(current.origin, current.draft, next.data, shape);
    return { origin: next.data, etag: next.etag, draft, seen: next.etag };
  }

  const kept = useKeptDraft<T>({
    place: keep,
    isDirty,
    state: { origin: state.origin, etag: state.etag, draft: state.draft },
    keepable,
    onRestore: (found) => {
      // What a later version of the page added is as it is stored now.
      const origin = { ...stored.data, ...found.origin };
      const draft = { ...stored.data, ...found.draft };
      // Looked at again in the next drawing: taken field by field if nobody else changed the same.
      set(() => ({ origin, draft, etag: found.etag, seen: null }));
    },
  });

  async function store(change: Change<T>, storage: Storage<T>): Promise<Saved> {
    setProblem(null);
    setSaving(true);
    try {
      const { data, etag } = await storage.send(change);
      const now = shape.align(data, change.after);
      set((current) => ({
        origin: now,
        etag,
        draft: rebased(change.after, current.draft, now, shape),
        seen: current.seen,
      }));
      setConflict(null);
      return "stored";
    } catch (error) {
      const refused = asProblem(error);
      if (refused.status === STALE) return await meet(change.before, storage);
      setProblem(refused);
      setConflict(null);
      return "refused";
    } finally {
      setSaving(false);
    }
  }

  async function meet(base: T, storage: Storage<T>): Promise<Saved> {
    try {
      const found = await storage.read();
      const aligned = { data: shape.align(found.data, base), etag: found.etag };
      setConflict({ base, mine: latest.current.draft, stored: aligned });
      return "conflict";
    } catch (error) {
      setProblem(unreadable(error));
      return "refused";
    }
  }

  async function settle(sides: ReadonlyMap<string, Side>, storage: Storage<T>): Promise<Saved> {
    if (!conflict) return "stored";
    const { stored: found, mine } = conflict;
    const after = shape.join(mergedOf(shape.split(mine), shape.split(found.data), sides), mine);
    set(() => ({ origin: found.data, etag: found.etag, draft: after, seen: found.etag }));
    if (!isSame(found.data, after)) return store({ before: found.data, after, etag: found.etag }, storage);
    setConflict(null);
    return "stored";
  }

  const current = () => {
    const { origin, draft, etag } = latest.current;
    return { before: origin, after: draft, etag };
  };

  return {
    origin: state.origin,
    etag: state.etag,
    draft: state.draft,
    isDirty,
    isStale: isContested,
    isSaving,
    problem,
    conflict,
    kept,
    change: (part) => set((before) => ({ ...before, draft: { ...before.draft, ...part } })),
    discard: () => {
      setProblem(null);
      setConflict(null);
      set(() => ({ ...fresh(stored), seen: stored.etag }));
    },
    save: (storage) => store(current(), storage),
    settle,
    takeTheirs: () => {
      if (conflict) set(() => ({ ...fresh(conflict.stored), seen: conflict.stored.etag }));
      setProblem(null);
      setConflict(null);
    },
    closeConflict: () => setConflict(null),
    clearProblem: () => setProblem(null),
    sides: () =>
      conflict
        ? sidesOf(shape.split(conflict.base), shape.split(conflict.mine), shape.split(conflict.stored.data))
        : new Map(),
    isDirtyNow: () => !isSame(latest.current.origin, latest.current.draft),
    current,
  };
}

function fresh<T>({ data, etag }: Tagged<T>) {
  return { origin: data, etag, draft: data };
}

/** How many fields are changed. */
export function countOf<T extends object>(edit: Edited<T>, shape: Shape<T> = flatShape<T>()): number {
  return changedKeys(shape.split(edit.origin), shape.split(edit.draft)).length;
}
