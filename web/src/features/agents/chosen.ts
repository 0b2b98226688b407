import { useCallback, useMemo, useState } from "react";

/** The agents that were ticked, by id. */
export interface Chosen {
  ids: ReadonlySet<number>;
  set: (id: number, isChosen: boolean) => void;
  replace: (ids: Iterable<number>) => void;
}

export function useChosen(): Chosen {
  const [ids, setIds] = useState<ReadonlySet<number>>(new Set());
  const set = useCallback((id: number, isChosen: boolean) => {
    setIds((current) => {
      const next = new Set(current);
      if (isChosen) next.add(id);
      else next.delete(id);
      return next;
    });
  }, []);
  const replace = useCallback((fresh: Iterable<number>) => setIds(new Set(fresh)), []);
  return useMemo(() => ({ ids, set, replace }), [ids, set, replace]);
}
