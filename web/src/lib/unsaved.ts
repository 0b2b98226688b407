import { useBlocker, useRouter } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { underBase } from "./own-path";

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
  const router = useRouter();
  const { history } = router;
  const shownAt = useRef("");
  useEffect(() => {
    const note = () => {
      shownAt.current = history.location.pathname;
    };
    note();
    return router.subscribe("onRendered", note);
  }, [router, history]);
  // A page that was left stays drawn, and its blocker in force, until the next one is there: it has no say by then.
  const isHere = () => {
    const { pathname } = history.location;
    return pathname === shownAt.current || (home !== undefined && pathname.startsWith(underBase(home)));
  };
  useBlocker({
    shouldBlockFn: ({ current, next }) =>
      isDirty &&
      current.pathname !== next.pathname &&
      !(home && next.pathname.startsWith(home)) &&
      !confirm("Your changes are not saved. Leave this page anyway?"),
    enableBeforeUnload: () => isDirty && !isFree && isHere(),
    disabled: !isDirty,
  });
}
