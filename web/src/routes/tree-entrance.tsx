import { createRootRoute, createRoute } from "@tanstack/react-router";
import { lazyPage } from "@/lib/lazy-page";
import { goHome, requireWorkspace } from "./gate";
import { Missing, MissingHere, Root } from "./root";
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
  component: lazyPage(() => import("./setup"), "SetupPage"),
});

interface SignInSearch {
  next?: string | undefined;
  leaving?: boolean | undefined;
  problem?: string | undefined;
}

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: (raw): SignInSearch => ({
    next: text(raw.next),
    problem: text(raw.problem),
    leaving: raw.leaving === true || undefined,
  }),
  component: lazyPage(() => import("./sign-in"), "SignInPage"),
});

const invite = createRoute({
  getParentRoute: () => root,
  path: "/invitations/accept",
  component: lazyPage(() => import("./invite"), "InvitePage"),
});

/** Every page of a workspace stands in this one. */
export const workspace = createRoute({
  getParentRoute: () => root,
  path: "/w/$workspace",
  beforeLoad: async ({ params, location }) => ({
    membership: await requireWorkspace(params.workspace, location.href),
  }),
  component: Shell,
  notFoundComponent: MissingHere,
});

/** The ways in: set-up, sign-in, invitations. */
export const entrance = [index, setup, signIn, invite] as const;
