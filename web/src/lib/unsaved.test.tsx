// @vitest-environment happy-dom
import {
  createBrowserHistory,
  createRootRoute,
  createRoute,
  createRouter,
  Outlet,
  RouterProvider,
} from "@tanstack/react-router";
import { act, cleanup, render, screen } from "@testing-library/react";
import { useState } from "react";
import { afterEach, expect, test, vi } from "vitest";
import { useUnsavedGuard } from "./unsaved";

let drawAgain: () => void;

function Editor() {
  const [drawn, setDrawn] = useState(1);
  drawAgain = () => setDrawn(drawn + 1);
  useUnsavedGuard(true);
  return <p>editor {drawn}</p>;
}

function asksBeforeUnload(): boolean {
  return !dispatchEvent(new Event("beforeunload", { cancelable: true }));
}

async function open() {
  vi.stubGlobal("confirm", () => true);
  history.pushState({}, "", "/editor");
  const root = createRootRoute({ component: Outlet });
  const editor = createRoute({ getParentRoute: () => root, path: "/editor", component: Editor });
  const slow = createRoute({ getParentRoute: () => root, path: "/slow", loader: () => new Promise(() => {}) });
  const other = createRoute({ getParentRoute: () => root, path: "/other", component: Editor });
  const router = createRouter({ routeTree: root.addChildren([editor, slow, other]), history: createBrowserHistory() });
  render(<RouterProvider router={router} />);
  await screen.findByText("editor 1");
  return router;
}

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

test("asks before the tab is closed while there is something unsaved", async () => {
  await open();
  expect(asksBeforeUnload()).toBe(true);
});

test("has no say once the page was left, however often it is drawn until the next one is there", async () => {
  const router = await open();
  act(() => void router.navigate({ to: "/slow" as never }));
  await vi.waitFor(() => expect(location.pathname).toBe("/slow"));
  act(() => drawAgain());
  expect(screen.getByText("editor 2")).toBeTruthy();
  expect(asksBeforeUnload()).toBe(false);
});

test("asks again at the address that it is shown at next", async () => {
  const router = await open();
  await act(() => router.navigate({ to: "/other" as never }));
  expect(location.pathname).toBe("/other");
  expect(asksBeforeUnload()).toBe(true);
});
