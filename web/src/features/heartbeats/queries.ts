import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import type { HeartbeatBody } from "@/client/agents";
import { api, dataOf, taggedOf } from "@/lib/http";
import { useWorkspace } from "@/lib/workspace";

/** An agent's heartbeat together with the ETag that its next save must name. */
export const heartbeatQuery = (workspace: string, agentId: number) =>
  queryOptions({
    queryKey: [workspace, "heartbeats", "config", agentId],
    queryFn: ({ signal }) =>
      taggedOf(
        api(workspace).GET("/api/heartbeat/agents/{agent_id}/config", {
          params: { path: { agent_id: agentId } },
          signal,
        }),
      ),
  });

/** What came of the newest beat; null before the first. */
export const lastBeatQuery = (workspace: string, agentId: number) =>
  queryOptions({
    queryKey: [workspace, "heartbeats", "last", agentId],
    queryFn: ({ signal }) =>
      dataOf(
        api(workspace).GET("/api/heartbeat/agents/{agent_id}/last", {
          params: { path: { agent_id: agentId } },
          signal,
        }),
      ),
  });

interface Save {
  agentId: number;
  etag: string | null;
  body: HeartbeatBody;
}

/** Saves what changed, unless somebody else has saved meanwhile. */
export function useSaveHeartbeat() {
  const { id: workspace } = useWorkspace();
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ agentId, etag, body }: Save) =>
      taggedOf(
        api(workspace).PUT("/api/heartbeat/agents/{agent_id}/config", {
          params: { path: { agent_id: agentId }, header: { "if-match": etag } },
          body,
        }),
      ),
    onSettled: () => cache.invalidateQueries({ queryKey: [workspace, "heartbeats"] }),
  });
}

export function useBeatNow(agentId: number) {
  const { id: workspace } = useWorkspace();
  const cache = useQueryClient();
  return useMutation({
    mutationFn: () =>
      dataOf(api(workspace).POST("/api/heartbeat/agents/{agent_id}/run", { params: { path: { agent_id: agentId } } })),
    onSettled: () => cache.invalidateQueries({ queryKey: [workspace, "heartbeats"] }),
  });
}
