import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { goHome, requireWorkspace } from "./gate";
import { Failed, Missing, Pending, Root } from "./root";
import { Shell } from "./shell";

/** A search parameter as text; the router reads `?q=7` as a number. */
function text(value: unknown): string | undefined {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value ? value : undefined;
}

const root = createRootRoute({ component: Root, notFoundComponent: Missing });

const index = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: ({ location }) => goHome(location.href),
});

const setup = createRoute({
  getParentRoute: () => root,
  path: "/setup",
  validateSearch: (raw): { token?: string | undefined } => ({ token: text(raw.token) }),
  component: lazyRouteComponent(() => import("./setup"), "SetupPage"),
});

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: (raw): { next?: string | undefined; leaving?: boolean | undefined } => ({
    next: text(raw.next),
    leaving: raw.leaving === true || undefined,
  }),
  component: lazyRouteComponent(() => import("./sign-in"), "SignInPage"),
});

const invite = createRoute({
  getParentRoute: () => root,
  path: "/invitations/accept",
  component: lazyRouteComponent(() => import("./invite"), "InvitePage"),
});

const workspace = createRoute({
  getParentRoute: () => root,
  path: "/w/$workspace",
  beforeLoad: async ({ params, location }) => ({
    membership: await requireWorkspace(params.workspace, location.href),
  }),
  component: Shell,
});

const workspaceIndex = createRoute({
  getParentRoute: () => workspace,
  path: "/",
  beforeLoad: ({ params }) => {
    throw redirect({ to: "/w/$workspace/recipes", params, replace: true });
  },
});

const agents = createRoute({
  getParentRoute: () => workspace,
  path: "/agents",
  validateSearch: (raw): { q?: string | undefined; status?: string | undefined } => ({
    q: text(raw.q),
    status: text(raw.status),
  }),
  component: lazyRouteComponent(() => import("./agents"), "AgentsPage"),
});

const agentNew = createRoute({
  getParentRoute: () => workspace,
  path: "/agents/new",
  component: lazyRouteComponent(() => import("./agent-edit"), "NewAgentPage"),
});

const agentEdit = createRoute({
  getParentRoute: () => workspace,
  path: "/agents/$agentId",
  component: lazyRouteComponent(() => import("./agent-edit"), "AgentPage"),
});

const recipes = createRoute({
  getParentRoute: () => workspace,
  path: "/recipes",
  validateSearch: (raw): { q?: string | undefined; cook?: string | undefined } => ({
    q: text(raw.q),
    cook: text(raw.cook),
  }),
  component: lazyRouteComponent(() => import("./recipes"), "RecipesPage"),
});

const recipeNew = createRoute({
  getParentRoute: () => workspace,
  path: "/recipes/new",
  component: lazyRouteComponent(() => import("./recipe-edit"), "NewRecipePage"),
});

const recipeEdit = createRoute({
  getParentRoute: () => workspace,
  path: "/recipes/$templateId",
  component: lazyRouteComponent(() => import("./recipe-edit"), "RecipePage"),
});

const runs = createRoute({
  getParentRoute: () => workspace,
  path: "/runs",
  validateSearch: (raw): { status?: string | undefined; recipe?: string | undefined } => ({
    status: text(raw.status),
    recipe: text(raw.recipe),
  }),
  component: lazyRouteComponent(() => import("./runs"), "RunsPage"),
});

const kitchen = createRoute({
  getParentRoute: () => workspace,
  path: "/runs/$runId",
  validateSearch: (raw): { step?: number | undefined } => ({
    step: Number.isInteger(raw.step) ? (raw.step as number) : undefined,
  }),
  component: lazyRouteComponent(() => import("./kitchen"), "KitchenPage"),
});

const settings = createRoute({
  getParentRoute: () => workspace,
  path: "/settings/{-$section}",
  component: lazyRouteComponent(() => import("./settings"), "SettingsPage"),
});

const tree = root.addChildren([
  index,
  setup,
  signIn,
  invite,
  workspace.addChildren([
    workspaceIndex,
    agents,
    agentNew,
    agentEdit,
    recipes,
    recipeNew,
    recipeEdit,
    runs,
    kitchen,
    settings,
  ]),
]);

/** Every address of the app; pages load on first visit. */
export const router = createRouter({
  routeTree: tree,
  defaultPreload: "intent",
  defaultPendingComponent: Pending,
  defaultErrorComponent: Failed,
  defaultNotFoundComponent: Missing,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
