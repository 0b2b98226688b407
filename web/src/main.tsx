import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { pruneDrafts } from "@/lib/drafts";
import { prefetchPages } from "@/lib/lazy-page";
import { Problem } from "@/lib/problem";
import { watchTheme } from "@/lib/theme";
import { router } from "@/routes/tree";
import "./styles.css";

watchTheme();
pruneDrafts();
// Once the first page stands, so that it never waits for the others.
const stop = router.subscribe("onResolved", () => {
  stop();
  const idle = globalThis.requestIdleCallback ?? ((done: () => void) => setTimeout(done, 2000));
  idle(() => void prefetchPages());
});

const element = document.getElementById("root");
if (element) {
  createRoot(element, {
    // What the page tells in words is no fault of the program; everything else is reported as one.
    onCaughtError: (error) => {
      if (!(error instanceof Problem)) reportError(error);
    },
  }).render(
    <StrictMode>
      <RouterProvider router={router} />
    </StrictMode>,
  );
}
