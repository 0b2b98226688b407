import { createRoute, createRouter, redirect } from "@tanstack/react-router";
import { rosterSearchOf } from "@/features/agents/roster-state";
import { lazyPage } from "@/lib/lazy-page";
import { BASE } from "@/lib/own-path";
import { Failed, Missing, Pending } from "./root";
import { text, texts, whole } from "./search";
import { entrance, root, workspace } from "./tree-entrance";
import { settings } from "./tree-settings";

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
  component: lazyPage(() => import("./agents"), "AgentsPage"),
});

const agentNew = createRoute({
  getParentRoute: () => workspace,
  path: "/agents/new",
  validateSearch: (raw): { step?: number | undefined; from?: number | undefined } => ({
    step: whole(raw.step, 1),
    from: whole(raw.from, 1),
  }),
  component: lazyPage(() => import("./agent-new"), "NewAgentPage"),
});

const agentSettings = createRoute({
  getParentRoute: () => workspace,
  path: "/agents/$agentId/settings/{-$tab}",
  component: lazyPage(() => import("./agent-settings"), "AgentSettingsPage"),
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
  component: lazyPage(() => import("./agent"), "AgentPage"),
});

const agentStatus = createRoute({
  getParentRoute: () => agent,
  path: "/status",
  validateSearch: (raw): { target?: string | undefined; back?: boolean | undefined } => ({
    target: text(raw.target),
    back: raw.back === true || undefined,
  }),
  component: lazyPage(() => import("./agent-status"), "AgentStatusPage"),
});

const personas = createRoute({
  getParentRoute: () => workspace,
  path: "/personas",
  validateSearch: texts("q", "category", "scope", "view"),
  component: lazyPage(() => import("./personas"), "PersonasPage"),
});

const personaNew = createRoute({
  getParentRoute: () => workspace,
  path: "/personas/new",
  validateSearch: texts("from"),
  component: lazyPage(() => import("./personas-edit"), "NewPersonaPage"),
});

const personaEdit = createRoute({
  getParentRoute: () => workspace,
  path: "/personas/$personaId/edit",
  component: lazyPage(() => import("./personas-edit"), "EditPersonaPage"),
});

const skills = createRoute({
  getParentRoute: () => workspace,
  path: "/skills",
  validateSearch: texts("q", "category", "source", "tab"),
  component: lazyPage(() => import("./skills"), "SkillsPage"),
});

const skillNew = createRoute({
  getParentRoute: () => workspace,
  path: "/skills/new",
  component: lazyPage(() => import("./skills-edit"), "NewSkillPage"),
});

const patternNew = createRoute({
  getParentRoute: () => workspace,
  path: "/skills/patterns/new",
  validateSearch: texts("from"),
  component: lazyPage(() => import("./patterns-edit"), "NewPatternPage"),
});

const patternEdit = createRoute({
  getParentRoute: () => workspace,
  path: "/skills/patterns/$slug",
  component: lazyPage(() => import("./patterns-edit"), "EditPatternPage"),
});

const skill = createRoute({
  getParentRoute: () => workspace,
  path: "/skills/$skillId",
  validateSearch: texts("tab", "file"),
  component: lazyPage(() => import("./skills-detail"), "SkillPage"),
});

const skillEdit = createRoute({
  getParentRoute: () => workspace,
  path: "/skills/$skillId/edit",
  component: lazyPage(() => import("./skills-edit"), "EditSkillPage"),
});

const recipes = createRoute({
  getParentRoute: () => workspace,
  path: "/recipes",
  validateSearch: (raw): { q?: string | undefined; cook?: string | undefined } => ({
    q: text(raw.q),
    cook: text(raw.cook),
  }),
  component: lazyPage(() => import("./recipes"), "RecipesPage"),
});

const samples = createRoute({
  getParentRoute: () => workspace,
  path: "/samples",
  component: lazyPage(() => import("./samples"), "SamplesPage"),
});

const recipeNew = createRoute({
  getParentRoute: () => workspace,
  path: "/recipes/new",
  validateSearch: texts("from"),
  component: lazyPage(() => import("./recipe-edit"), "NewRecipePage"),
});

const recipeEdit = createRoute({
  getParentRoute: () => workspace,
  path: "/recipes/$templateId",
  validateSearch: texts("tab"),
  component: lazyPage(() => import("./recipe-edit"), "RecipePage"),
});

const runs = createRoute({
  getParentRoute: () => workspace,
  path: "/runs",
  validateSearch: (raw): { status?: string | undefined; recipe?: string | undefined; all?: true | undefined } => ({
    status: text(raw.status),
    recipe: text(raw.recipe),
    all: raw.all === true || undefined,
  }),
  component: lazyPage(() => import("./runs"), "RunsPage"),
});

const kitchen = createRoute({
  getParentRoute: () => workspace,
  path: "/runs/$runId",
  validateSearch: (raw): { step?: number | undefined } => ({
    step: Number.isInteger(raw.step) ? (raw.step as number) : undefined,
  }),
  component: lazyPage(() => import("./kitchen"), "KitchenPage"),
});

const account = createRoute({
  getParentRoute: () => workspace,
  path: "/account",
  component: lazyPage(() => import("./account"), "AccountPage"),
});

const tree = root.addChildren([
  ...entrance,
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
    patternNew,
    patternEdit,
    skill,
    skillEdit,
    recipes,
    samples,
    recipeNew,
    recipeEdit,
    runs,
    kitchen,
    account,
    ...settings,
  ]),
]);

/** Every address of the app; pages load on first visit. */
export const router = createRouter({
  routeTree: tree,
  basepath: BASE || "/",
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
