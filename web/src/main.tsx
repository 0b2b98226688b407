import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { pruneDrafts } from "@/lib/drafts";
import { watchTheme } from "@/lib/theme";
import { router } from "@/routes/tree";
import "./styles.css";

watchTheme();
pruneDrafts();

const element = document.getElementById("root");
if (element) {
  createRoot(element).render(
    <StrictMode>
      <RouterProvider router={router} />
    </StrictMode>,
  );
}
