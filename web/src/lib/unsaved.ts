import { useBlocker } from "@tanstack/react-router";

/** Asks before a page with unsaved changes is left, by link, by the back button or by closing the tab. */
export function useUnsavedGuard(isDirty: boolean): void {
  useBlocker({
    shouldBlockFn: ({ current, next }) =>
      isDirty && current.pathname !== next.pathname && !confirm("Your changes are not saved. Leave this page anyway?"),
    enableBeforeUnload: () => isDirty,
    disabled: !isDirty,
  });
}
