import { useSyncExternalStore } from "react";

const paper = () => matchMedia("print");

function listen(changed: () => void): () => void {
  const query = paper();
  query.addEventListener("change", changed);
  return () => query.removeEventListener("change", changed);
}

/** Whether the page is being printed: what is folded on screen is whole on paper. */
export function useIsPrinting(): boolean {
  return useSyncExternalStore(listen, () => paper().matches);
}
