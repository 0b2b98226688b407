import { type AgentDraft, BLANK } from "./draft";

/** A new agent as its maker left it, kept on this device. */
export interface KeptDraft {
  draft: AgentDraft;
  activate: boolean;
  keptAt: string;
}

const keyOf = (workspace: string) => `automatos.new-agent.${workspace}`;

type Store = Pick<Storage, "getItem" | "setItem" | "removeItem">;

/** The draft kept for this workspace; null when there is none, or none that can be read. */
export function keptDraft(workspace: string, store: Store = localStorage): KeptDraft | null {
  try {
    const kept = JSON.parse(store.getItem(keyOf(workspace)) ?? "null") as KeptDraft | null;
    // What a later version of the page added starts as on a new agent.
    return kept && { ...kept, draft: { ...BLANK, ...kept.draft } };
  } catch {
    return null;
  }
}

/** Keeps the draft; a device that stores nothing more only loses this comfort. */
export function keepDraft(workspace: string, kept: Omit<KeptDraft, "keptAt">, store: Store = localStorage): void {
  try {
    store.setItem(keyOf(workspace), JSON.stringify({ ...kept, keptAt: new Date().toISOString() }));
  } catch {
    // Full or forbidden: the page itself still holds the draft.
  }
}

export function forgetDraft(workspace: string, store: Store = localStorage): void {
  store.removeItem(keyOf(workspace));
}
