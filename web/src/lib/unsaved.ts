import { useBlocker } from "@tanstack/react-router";

let isFree = false;

/** Lets the page go without asking, where what is unsaved is kept and nothing else can be done here. */
export function leaveFreely(): void {
  isFree = true;
}

/**
 * Asks before a page with unsaved changes is left, by link, by the back button or by closing the tab. A page that has
 * several addresses names the one they all begin with.
 */
export function useUnsavedGuard(isDirty: boolean, home?: string): void {
  useBlocker({
    shouldBlockFn: ({ current, next }) =>
      isDirty &&
      current.pathname !== next.pathname &&
      !(home && next.pathname.startsWith(home)) &&
      !confirm("Your changes are not saved. Leave this page anyway?"),
    enableBeforeUnload: () => isDirty && !isFree,
    disabled: !isDirty,
  });
}
