import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { whenSignedOut } from "@/lib/http";
import { queryClient } from "@/lib/query";
import { watchTheme } from "@/lib/theme";
import { router } from "@/routes/tree";
import "./styles.css";

watchTheme();
whenSignedOut(() => {
  const { href, pathname } = router.state.location;
  if (!pathname.startsWith("/w/")) return;
  queryClient.clear();
  void router.navigate({ to: "/sign-in", search: { next: href } });
});

const element = document.getElementById("root");
if (element) {
  createRoot(element).render(
    <StrictMode>
      <RouterProvider router={router} />
    </StrictMode>,
  );
}
