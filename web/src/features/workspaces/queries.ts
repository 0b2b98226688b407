import { infiniteQueryOptions, queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { ApiKey, ApiKeyList, ApiKeyMade, AuditPage, InvitationMade, Member, MemberList, Role } from "@/client";
import type { Workspace } from "@/client/system";
import { http } from "@/lib/http";
import { useWorkspace } from "@/lib/workspace";

export const membersQuery = (workspace: string) =>
  queryOptions({
    queryKey: [workspace, "members"],
    queryFn: ({ signal }) =>
      http.get<MemberList>(`/api/workspaces/${workspace}/members`, {
        workspace,
        signal,
      }),
  });

export const keysQuery = (workspace: string) =>
  queryOptions({
    queryKey: [workspace, "api-keys"],
    queryFn: ({ signal }) => http.get<ApiKeyList>("/api/api-keys", { workspace, signal }),
  });

/** The workspace itself, with what its plan allows. */
export const workspaceQuery = (workspace: string) =>
  queryOptions({
    queryKey: [workspace, "workspace"],
    queryFn: ({ signal }) => http.get<Workspace>(`/api/workspaces/${workspace}`, { workspace, signal }),
    staleTime: 60_000,
  });

/** How many of a thing the plan of this workspace allows, in a sentence; nothing where it sets no limit. */
export function usePlanNote(limit: keyof Workspace["plan_limits"], nouns: string): string {
  const { id } = useWorkspace();
  const most = useQuery(workspaceQuery(id)).data?.plan_limits[limit] ?? -1;
  return most < 0 ? "" : ` This workspace may have ${most} ${nouns}.`;
}

export interface AuditFilters {
  action?: string | undefined;
  actor?: string | undefined;
  /** A kind of thing, such as "agent", or one of them: "agent:7". */
  target?: string | undefined;
  /** Who it was: "account:7" or "key:…". */
  who?: string | undefined;
  /** How they came: a carrier. */
  way?: string | undefined;
  /** The address it came from. */
  from?: string | undefined;
}

/** "account:7" as the account, "key:…" as the API key. */
export function whoOf(who: string | undefined): { user_id?: string; api_key_id?: string } {
  const [kind, id] = who?.split(":") ?? [];
  if (!id) return {};
  return kind === "key" ? { api_key_id: id } : { user_id: id };
}

/** "agent:7" as the kind of thing and which one. */
export function targetOf(target: string | undefined): { target_type?: string; target_id?: string } {
  const [type = "", ...id] = target?.split(":") ?? [];
  return { ...(type ? { target_type: type } : {}), ...(id.length > 0 ? { target_id: id.join(":") } : {}) };
}

export const auditQuery = (workspace: string, { action, actor, target, who, way, from }: AuditFilters) =>
  infiniteQueryOptions({
    queryKey: [workspace, "audit", action ?? "", actor ?? "", target ?? "", who ?? "", way ?? "", from ?? ""],
    queryFn: ({ pageParam, signal }) =>
      http.get<AuditPage>("/api/audit", {
        workspace,
        query: {
          action,
          actor,
          ...targetOf(target),
          ...whoOf(who),
          carrier: way,
          client_address: from,
          cursor: pageParam,
        },
        signal,
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  });

/** A change of the workspace's people or keys; the list concerned is read again whatever became of it. */
function useChange<T, R>(list: string, change: (workspace: string, value: T) => Promise<R>) {
  const { id: workspace } = useWorkspace();
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (value: T) => change(workspace, value),
    onSettled: () => cache.invalidateQueries({ queryKey: [workspace, list] }),
  });
}

export const useInvite = () =>
  useChange("members", (workspace, body: { email: string; role: Role }) =>
    http.post<InvitationMade>(`/api/workspaces/${workspace}/members/invite`, { workspace, body }),
  );

export const useRevokeInvitation = () =>
  useChange("members", (workspace, id: string) =>
    http.delete(`/api/workspaces/${workspace}/invitations/${id}`, { workspace }),
  );

export const useChangeRole = () =>
  useChange("members", (workspace, { userId, role }: { userId: number; role: Role }) =>
    http.patch<Member>(`/api/workspaces/${workspace}/members/${userId}`, { workspace, body: { role } }),
  );

export const useRemoveMember = () =>
  useChange("members", (workspace, userId: number) =>
    http.delete(`/api/workspaces/${workspace}/members/${userId}`, { workspace }),
  );

/** Lets somebody in again who was put out of an organisation's workspace. */
export const useReadmit = () =>
  useChange("members", (workspace, userId: number) =>
    http.post(`/api/workspaces/${workspace}/members/${userId}/readmit`, { workspace }),
  );

export const useCreateKey = () =>
  useChange("api-keys", (workspace, body: { name: string; role: Role; belongs_to: ApiKey["belongs_to"] }) =>
    http.post<ApiKeyMade>("/api/api-keys", { workspace, body }),
  );

export const useRevokeKey = () =>
  useChange("api-keys", (workspace, id: string) => http.delete(`/api/api-keys/${id}`, { workspace }));
