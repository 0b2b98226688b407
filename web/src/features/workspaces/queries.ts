import { infiniteQueryOptions, queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { ApiKey, Role } from "@/client";
import type { Workspace } from "@/client/system";
import { api, dataOf } from "@/lib/http";
import { useWorkspace } from "@/lib/workspace";

export const membersQuery = (workspace: string) =>
  queryOptions({
    queryKey: [workspace, "members"],
    queryFn: ({ signal }) =>
      dataOf(
        api(workspace).GET("/api/workspaces/{workspace_id}/members", {
          params: { path: { workspace_id: workspace } },
          signal,
        }),
      ),
  });

export const keysQuery = (workspace: string) =>
  queryOptions({
    queryKey: [workspace, "api-keys"],
    queryFn: ({ signal }) => dataOf(api(workspace).GET("/api/api-keys", { signal })),
  });

/** The workspace itself, with what its plan allows. */
export const workspaceQuery = (workspace: string) =>
  queryOptions({
    queryKey: [workspace, "workspace"],
    queryFn: ({ signal }) =>
      dataOf(
        api(workspace).GET("/api/workspaces/{workspace_id}", { params: { path: { workspace_id: workspace } }, signal }),
      ),
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
export function whoOf(who: string | undefined): { user_id?: number; api_key_id?: string } {
  const [kind, id] = who?.split(":") ?? [];
  if (!id) return {};
  return kind === "key" ? { api_key_id: id } : { user_id: Number(id) };
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
      dataOf(
        api(workspace).GET("/api/audit", {
          params: {
            query: {
              action,
              actor,
              ...targetOf(target),
              ...whoOf(who),
              carrier: way,
              client_address: from,
              cursor: pageParam,
            },
          },
          signal,
        }),
      ),
    initialPageParam: null as number | null,
    getNextPageParam: (page) => (page.next_cursor === null ? null : Number(page.next_cursor)),
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
    dataOf(
      api(workspace).POST("/api/workspaces/{workspace_id}/members/invite", {
        params: { path: { workspace_id: workspace } },
        body,
      }),
    ),
  );

export const useRevokeInvitation = () =>
  useChange("members", (workspace, id: string) =>
    dataOf(
      api(workspace).DELETE("/api/workspaces/{workspace_id}/invitations/{invitation_id}", {
        params: { path: { workspace_id: workspace, invitation_id: id } },
      }),
    ),
  );

export const useChangeRole = () =>
  useChange("members", (workspace, { userId, role }: { userId: number; role: Role }) =>
    dataOf(
      api(workspace).PATCH("/api/workspaces/{workspace_id}/members/{user_id}", {
        params: { path: { workspace_id: workspace, user_id: userId } },
        body: { role },
      }),
    ),
  );

export const useRemoveMember = () =>
  useChange("members", (workspace, userId: number) =>
    dataOf(
      api(workspace).DELETE("/api/workspaces/{workspace_id}/members/{user_id}", {
        params: { path: { workspace_id: workspace, user_id: userId } },
      }),
    ),
  );

/** Lets somebody in again who was put out of an organisation's workspace. */
export const useReadmit = () =>
  useChange("members", (workspace, userId: number) =>
    dataOf(
      api(workspace).POST("/api/workspaces/{workspace_id}/members/{user_id}/readmit", {
        params: { path: { workspace_id: workspace, user_id: userId } },
      }),
    ),
  );

export const useCreateKey = () =>
  useChange("api-keys", (workspace, body: { name: string; role: Role; belongs_to: ApiKey["belongs_to"] }) =>
    dataOf(api(workspace).POST("/api/api-keys", { body })),
  );

export const useRevokeKey = () =>
  useChange("api-keys", (workspace, id: string) =>
    dataOf(api(workspace).DELETE("/api/api-keys/{key_id}", { params: { path: { key_id: id } } })),
  );
