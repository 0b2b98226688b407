import { queryOptions } from "@tanstack/react-query";
import type { Me, WorkspaceMembership } from "@/client";
import type { Session } from "@/client/system";
import { api, dataOf } from "@/lib/http";

/** How people sign in here, and whether anybody has yet. */
export const authConfigQuery = queryOptions({
  queryKey: ["auth", "config"],
  queryFn: () => dataOf(api().GET("/api/auth/config")),
  staleTime: Number.POSITIVE_INFINITY,
});

/** Who is signed in, with their workspaces. */
export const meQuery = queryOptions({
  queryKey: ["auth", "me"],
  queryFn: () => dataOf(api().GET("/api/auth/me")),
  staleTime: 60_000,
});

/** Whose work is kept on this device; without accounts everybody is the same person. */
export const personOf = (me: Me): string => (me.user ? String(me.user.id) : "local");

export interface FirstAccount {
  name: string;
  email: string;
  password: string;
  token?: string;
}

export const createFirstAccount = (body: FirstAccount) => dataOf(api().POST("/api/setup", { body }));

export const signIn = (body: { email: string; password: string }) => dataOf(api().POST("/api/auth/sign-in", { body }));

/** Opens a session for whoever the request's bearer token names. */
export const openSession = () => dataOf(api().POST("/api/auth/session"));

export const signOut = () => dataOf(api().POST("/api/auth/sign-out"));

/** Where the signed-in person is signed in. */
export const sessionsQuery = queryOptions({
  queryKey: ["auth", "sessions"],
  queryFn: ({ signal }) => dataOf(api().GET("/api/auth/sessions", { signal })),
});

export const endSession = (id: Session["id"]) =>
  dataOf(api().DELETE("/api/auth/sessions/{session_id}", { params: { path: { session_id: id } } }));

export const signOutEverywhere = () => dataOf(api().POST("/api/auth/sign-out-everywhere"));

export const changePassword = (body: { current_password: string; new_password: string }) =>
  dataOf(api().PUT("/api/auth/password", { body }));

/** Ends the session here and says which page ends the identity provider's too. */
export const signOutOfProvider = () => dataOf(api().POST("/api/auth/oidc/sign-out"));

/** Makes the signed-in person the first system admin. */
export const takeOver = (token: string | undefined) => dataOf(api().POST("/api/setup/admin", { body: { token } }));

export const acceptInvitation = (token: string) => dataOf(api().POST("/api/invitations/accept", { body: { token } }));

/** Makes an account for the invited address and signs it in. */
export const signUp = (body: { token: string; name: string; password: string }) =>
  dataOf(api().POST("/api/invitations/sign-up", { body }));

/** The membership that an address names by slug or id. */
export function findWorkspace(me: Me, address: string): WorkspaceMembership | undefined {
  return me.workspaces.find((one) => one.slug === address || one.id === address);
}

/** Where a person lands: the workspace the server resolved, else their first. */
export function homeWorkspace(me: Me): WorkspaceMembership | undefined {
  return findWorkspace(me, me.workspace_id) ?? me.workspaces[0];
}
