import { useEffect, useState } from "react";
import { isSame } from "./changes";
import { draftKey, type Found, findDrafts, forgetDraft, keepDraft, type Place } from "./drafts";
import { randomId } from "./id";
import { usePerson, useWorkspace } from "./workspace";

/** Work of an earlier visit that was never saved, waiting for a word about it. */
export interface KeptDraft {
  keptAt: string;
  /** Whether the stored thing has been saved since. */
  isOutdated: (etag: string | null) => boolean;
  restore: () => void;
  discard: () => void;
}

interface Options<T> {
  place: { kind: string; id: string } | null;
  isDirty: boolean;
  state: { origin: T; etag: string | null; draft: T };
  keepable?: ((state: T) => T) | undefined;
  onRestore: (found: Found<T>) => void;
}

/** The whole name of a place of the person and the workspace at hand. */
export function usePlace(place: { kind: string; id: string } | null): Place | null {
  const person = usePerson();
  const { id: workspace } = useWorkspace();
  return place && { ...place, person, workspace };
}

/** Keeps what is unsaved, and says whether something of an earlier visit waits. What is saved or discarded is forgotten. */
export function useKeptDraft<T>({ place: part, isDirty, state, keepable, onRestore }: Options<T>): KeptDraft | null {
  const place = usePlace(part);
  const [editor] = useState(randomId);
  const own = place && draftKey(place, editor);
  const [waiting, setWaiting] = useState(() => (place && own ? findDrafts<T>(place, own) : []));
  const offered = waiting[0];

  useEffect(() => {
    if (!own) return;
    const { origin, etag, draft } = state;
    const kept = keepable ? { origin: keepable(origin), etag, draft: keepable(draft) } : { origin, etag, draft };
    // A secret alone is not kept, so there is nothing of it to offer.
    if (!isDirty || isSame(kept.origin, kept.draft)) forgetDraft(own);
    else keepDraft(own, kept);
  }, [own, isDirty, keepable, state]);

  function drop() {
    if (offered) forgetDraft(offered.key);
    setWaiting((all) => all.slice(1));
  }

  function restore() {
    if (!offered) return;
    onRestore(offered);
    drop();
  }

  useEffect(() => {
    // The page before this one handed over what was typed while it saved.
    if (offered?.isHandedOver) restore();
  });

  if (!offered || offered.isHandedOver) return null;
  return {
    keptAt: offered.keptAt,
    isOutdated: (etag) => offered.etag !== etag,
    restore,
    discard: drop,
  };
}

/** Leaves unsaved work for the page that comes next, which takes it up without asking. */
export function handOver<T>(place: Place, change: { before: T; after: T; etag: string | null }): void {
  const kept = { origin: change.before, draft: change.after, etag: change.etag, isHandedOver: true };
  keepDraft(draftKey(place, randomId()), kept);
}
