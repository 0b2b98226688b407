const MARKED = '[cmdk-item][aria-selected="true"]';
const ANY = '[cmdk-item]:not([aria-disabled="true"])';

/**
 * Marks the first entry of a list to search whenever the marked one has gone, as when the server found others: Enter
 * always chooses something, and screen readers are told what. For `ref` of a cmdk root; cmdk itself loses the mark
 * when several entries go at once.
 */
export function keepOneMarked(root: HTMLElement | null) {
  if (!root) return;
  const observer = new MutationObserver(() => {
    if (root.querySelector(MARKED) || !root.querySelector(ANY)) return;
    root.dispatchEvent(new KeyboardEvent("keydown", { key: "Home", bubbles: true }));
  });
  observer.observe(root, { childList: true, subtree: true });
  return () => observer.disconnect();
}
