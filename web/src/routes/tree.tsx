import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { rosterSearchOf } from "@/features/agents/roster-state";
import { goHome, requireWorkspace } from "./gate";
import { Failed, Missing, Pending, Root } from "./root";
import { Shell } from "./shell";

/** A search parameter as text; the router reads `?q=7` as a number. */
function text(value: unknown): string | undefined {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value ? value : undefined;
}

/** A whole number of at least `least`; what is no such number is left out. */
function whole(value: unknown, least = 0): number | undefined {
  return Number.isInteger(value) && (value as number) >= least ? (value as number) : undefined;
}

/** Search parameters that are texts. */
function texts<Name extends string>(...names: Name[]) {
  return (raw: Record<string, unknown>) =>
    Object.fromEntries(names.map((name) => [name, text(raw[name])])) as Partial<Record<Name, string | undefined>>;
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
  validateSearch: rosterSearchOf,
  component: lazyRouteComponent(() => import("./agents"), "AgentsPage"),
});

const agentNew = createRoute({
  getParentRoute: () => workspace,
  path: "/agents/new",
  validateSearch: (raw): { step?: number | undefined; from?: number | undefined } => ({
    step: whole(raw.step, 1),
    from: whole(raw.from, 1),
  }),
  component: lazyRouteComponent(() => import("./agent-new"), "NewAgentPage"),
});

const agentSettings = createRoute({
  getParentRoute: () => workspace,
  path: "/agents/$agentId/settings/{-$tab}",
  component: lazyRouteComponent(() => import("./agent-settings"), "AgentSettingsPage"),
});

interface AgentSearch {
  tab?: string | undefined;
  status?: string | undefined;
  skip?: number | undefined;
  from?: number | undefined;
  to?: number | undefined;
}

const agent = createRoute({
  getParentRoute: () => workspace,
  path: "/agents/$agentId",
  validateSearch: (raw): AgentSearch => ({
    tab: text(raw.tab),
    status: text(raw.status),
    skip: whole(raw.skip),
    from: whole(raw.from, 1),
    to: whole(raw.to, 1),
  }),
  component: lazyRouteComponent(() => import("./agent"), "AgentPage"),
});

const agentStatus = createRoute({
  getParentRoute: () => agent,
  path: "/status",
  validateSearch: (raw): { target?: string | undefined; back?: boolean | undefined } => ({
    target: text(raw.target),
    back: raw.back === true || undefined,
  }),
  component: lazyRouteComponent(() => import("./agent-status"), "AgentStatusPage"),
});

const personas = createRoute({
  getParentRoute: () => workspace,
  path: "/personas",
  validateSearch: texts("q", "category", "scope", "view"),
  component: lazyRouteComponent(() => import("./personas"), "PersonasPage"),
});

const personaNew = createRoute({
  getParentRoute: () => workspace,
  path: "/personas/new",
  validateSearch: texts("from"),
  component: lazyRouteComponent(() => import("./personas-edit"), "NewPersonaPage"),
});

const personaEdit = createRoute({
  getParentRoute: () => workspace,
  path: "/personas/$personaId/edit",
  component: lazyRouteComponent(() => import("./personas-edit"), "EditPersonaPage"),
});

const skills = createRoute({
  getParentRoute: () => workspace,
  path: "/skills",
  validateSearch: texts("q", "category", "source", "tab"),
  component: lazyRouteComponent(() => import("./skills"), "SkillsPage"),
});

const skillNew = createRoute({
  getParentRoute: () => workspace,
  path: "/skills/new",
  component: lazyRouteComponent(() => import("./skills-edit"), "NewSkillPage"),
});

const skill = createRoute({
  getParentRoute: () => workspace,
  path: "/skills/$skillId",
  validateSearch: texts("tab", "file"),
  component: lazyRouteComponent(() => import("./skills-detail"), "SkillPage"),
});

const skillEdit = createRoute({
  getParentRoute: () => workspace,
  path: "/skills/$skillId/edit",
  component: lazyRouteComponent(() => import("./skills-edit"), "EditSkillPage"),
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

const models = createRoute({
  getParentRoute: () => workspace,
  path: "/settings/models",
  validateSearch: (raw) => ({
    ...texts("q", "provider", "capability", "status")(raw),
    model: whole(raw.model, 1),
  }),
  component: lazyRouteComponent(() => import("./models"), "ModelsPage"),
});

const credentials = createRoute({
  getParentRoute: () => workspace,
  path: "/settings/credentials",
  validateSearch: texts("view"),
  component: lazyRouteComponent(() => import("./settings-credentials"), "CredentialsPage"),
});

const audit = createRoute({
  getParentRoute: () => workspace,
  path: "/settings/audit",
  validateSearch: texts("action", "actor", "target"),
  component: lazyRouteComponent(() => import("./audit"), "AuditPage"),
});

const settings = createRoute({
  getParentRoute: () => workspace,
  path: "/settings/{-$section}",
  validateSearch: texts("category"),
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
    agentSettings,
    agent.addChildren([agentStatus]),
    personas,
    personaNew,
    personaEdit,
    skills,
    skillNew,
    skill,
    skillEdit,
    recipes,
    recipeNew,
    recipeEdit,
    runs,
    kitchen,
    models,
    credentials,
    audit,
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
