import { createRoute } from "@tanstack/react-router";
import { lazyPage } from "@/lib/lazy-page";
import { texts, whole } from "./search";
import { workspace } from "./tree-entrance";

const models = createRoute({
  getParentRoute: () => workspace,
  path: "/settings/models",
  validateSearch: (raw) => ({
    ...texts("q", "provider", "capability", "status")(raw),
    model: whole(raw.model, 1),
  }),
  component: lazyPage(() => import("./models"), "ModelsPage"),
});

const credentials = createRoute({
  getParentRoute: () => workspace,
  path: "/settings/credentials",
  validateSearch: texts("view"),
  component: lazyPage(() => import("./settings-credentials"), "CredentialsPage"),
});

const audit = createRoute({
  getParentRoute: () => workspace,
  path: "/settings/audit",
  validateSearch: texts("action", "actor", "target", "who", "way", "from"),
  component: lazyPage(() => import("./audit"), "AuditPage"),
});

const general = createRoute({
  getParentRoute: () => workspace,
  path: "/settings/{-$section}",
  validateSearch: texts("category"),
  component: lazyPage(() => import("./settings"), "SettingsPage"),
});

/** The settings of a workspace: those with a page of their own, then the rest. */
export const settings = [models, credentials, audit, general] as const;
