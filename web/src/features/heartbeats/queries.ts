import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import type { HeartbeatBody, HeartbeatConfig, HeartbeatResult } from "@/client/agents";
import { exchange, http } from "@/lib/http";
import { useWorkspace } from "@/lib/workspace";

/** An agent's heartbeat together with the ETag that its next save must name. */
export const heartbeatQuery = (workspace: string, agentId: number) =>
  queryOptions({
    queryKey: [workspace, "heartbeats", "config", agentId],
    queryFn: ({ signal }) =>
      exchange<HeartbeatConfig>("GET", `/api/heartbeat/agents/${agentId}/config`, { workspace, signal }),
  });

/** What came of the newest beat; null before the first. */
export const lastBeatQuery = (workspace: string, agentId: number) =>
  queryOptions({
    queryKey: [workspace, "heartbeats", "last", agentId],
    queryFn: ({ signal }) =>
      http.get<HeartbeatResult | null>(`/api/heartbeat/agents/${agentId}/last`, { workspace, signal }),
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
      exchange<HeartbeatConfig>("PUT", `/api/heartbeat/agents/${agentId}/config`, {
        workspace,
        body,
        headers: etag ? { "If-Match": etag } : {},
      }),
    onSettled: () => cache.invalidateQueries({ queryKey: [workspace, "heartbeats"] }),
  });
}

export function useBeatNow(agentId: number) {
  const { id: workspace } = useWorkspace();
  const cache = useQueryClient();
  return useMutation({
    mutationFn: () => http.post<HeartbeatResult>(`/api/heartbeat/agents/${agentId}/run`, { workspace }),
    onSettled: () => cache.invalidateQueries({ queryKey: [workspace, "heartbeats"] }),
  });
}
