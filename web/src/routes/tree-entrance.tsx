import { createRootRoute, createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { goHome, requireWorkspace } from "./gate";
import { Missing, Root } from "./root";
import { text } from "./search";
import { Shell } from "./shell";

/** The top of every address. */
export const root = createRootRoute({ component: Root, notFoundComponent: Missing });

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

/** Every page of a workspace stands in this one. */
export const workspace = createRoute({
  getParentRoute: () => root,
  path: "/w/$workspace",
  beforeLoad: async ({ params, location }) => ({
    membership: await requireWorkspace(params.workspace, location.href),
  }),
  component: Shell,
});

/** The ways in: set-up, sign-in, invitations. */
export const entrance = [index, setup, signIn, invite] as const;
