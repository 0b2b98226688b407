import { createContext, use } from "react";
import type { Role, WorkspaceMembership } from "@/client";

const RANKS: Record<Role, number> = { viewer: 0, editor: 1, admin: 2, owner: 3 };

const Current = createContext<WorkspaceMembership | null>(null);

/** Gives the pages below it the workspace that the address names. */
export const WorkspaceProvider = Current.Provider;

/** The workspace that the address names, with the caller's role in it. */
export function useWorkspace(): WorkspaceMembership {
  const workspace = use(Current);
  if (!workspace) throw new Error("useWorkspace is used outside of a workspace's pages");
  return workspace;
}

const Person = createContext("local");

/** Gives the pages below it the id of whoever is signed in; without accounts it is one and the same. */
export const PersonProvider = Person.Provider;

/** Whose work this is: what is kept on the device is kept for this person alone. */
export const usePerson = (): string => use(Person);

/** Whether the caller's role here is at least `role`. The server decides; this only hides what it would refuse. */
export function useCan(role: Role): boolean {
  return RANKS[useWorkspace().role] >= RANKS[role];
}
