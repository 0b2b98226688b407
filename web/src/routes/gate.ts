import { redirect } from "@tanstack/react-router";
import type { Me } from "@/client";
import { authConfigQuery, findWorkspace, homeWorkspace, meQuery } from "@/features/workspaces/session";
import { asProblem } from "@/lib/problem";
import { queryClient } from "@/lib/query";

/** Lets only signed-in people pass: a fresh server leads to set-up, everybody else to sign-in and back. */
export async function requireMe(here: string): Promise<Me> {
  const config = await queryClient.ensureQueryData(authConfigQuery);
  if (config.needs_setup) throw redirect({ to: "/setup", replace: true });
  try {
    return await queryClient.ensureQueryData(meQuery);
  } catch (error) {
    if (asProblem(error).status !== 401) throw error;
    throw redirect({ to: "/sign-in", search: { next: here }, replace: true });
  }
}

/** The workspace that the address names; null if the person is in none of that name. */
export async function requireWorkspace(address: string, here: string) {
  const me = await requireMe(here);
  return findWorkspace(me, address) ?? null;
}

export async function goHome(here: string): Promise<never> {
  const me = await requireMe(here);
  const home = homeWorkspace(me);
  if (!home) throw redirect({ to: "/setup", replace: true });
  throw redirect({ to: "/w/$workspace/recipes", params: { workspace: home.slug }, replace: true });
}
