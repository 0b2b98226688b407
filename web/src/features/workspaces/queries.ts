import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import type { ApiKeyList, ApiKeyMade, AuditPage, InvitationMade, Member, MemberList, Role } from "@/client";
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

export interface AuditFilters {
  action?: string | undefined;
  actor?: string | undefined;
  /** A kind of thing, such as "agent", or one of them: "agent:7". */
  target?: string | undefined;
}

/** "agent:7" as the kind of thing and which one. */
export function targetOf(target: string | undefined): { target_type?: string; target_id?: string } {
  const [type = "", ...id] = target?.split(":") ?? [];
  return { ...(type ? { target_type: type } : {}), ...(id.length > 0 ? { target_id: id.join(":") } : {}) };
}

export const auditQuery = (workspace: string, { action, actor, target }: AuditFilters) =>
  infiniteQueryOptions({
    queryKey: [workspace, "audit", action ?? "", actor ?? "", target ?? ""],
    queryFn: ({ pageParam, signal }) =>
      http.get<AuditPage>("/api/audit", {
        workspace,
        query: { action, actor, ...targetOf(target), cursor: pageParam },
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

export const useCreateKey = () =>
  useChange("api-keys", (workspace, body: { name: string; role: Role }) =>
    http.post<ApiKeyMade>("/api/api-keys", { workspace, body }),
  );

export const useRevokeKey = () =>
  useChange("api-keys", (workspace, id: string) => http.delete(`/api/api-keys/${id}`, { workspace }));
