import { useState } from "react";
import { isSame } from "./changes";
import type { Tagged } from "./http";

/** A stored thing and what a person made of it. */
export interface Edited<T> {
  /** As it was stored when the editing began. */
  origin: T;
  etag: string | null;
  draft: T;
  isDirty: boolean;
  /** Whether somebody else has saved since. */
  isStale: boolean;
  change: (part: Partial<T>) => void;
  /** Goes on from a newer stored state, with the given draft of it or without changes. */
  take: (stored: Tagged<T>, draft?: T) => void;
  discard: () => void;
}

/**
 * Edits a draft of what is stored. A newer stored state is taken at once while nothing was changed; otherwise it waits,
 * so that it cannot pull the form away under the hands.
 */
export function useEdited<T extends object>(stored: Tagged<T>): Edited<T> {
  const [state, setState] = useState({ origin: stored.data, etag: stored.etag, draft: stored.data });
  const isDirty = !isSame(state.origin, state.draft);
  const isNewer = stored.etag !== state.etag;
  const take = ({ data, etag }: Tagged<T>, draft: T = data) => setState({ origin: data, etag, draft });
  if (isNewer && !isDirty) take(stored);
  return {
    ...state,
    isDirty,
    isStale: isNewer && isDirty,
    change: (part) => setState((current) => ({ ...current, draft: { ...current.draft, ...part } })),
    take,
    discard: () => take(stored),
  };
}
