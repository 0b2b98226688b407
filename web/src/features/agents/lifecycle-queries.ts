import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import type { Agent } from "@/client";
import type {
  AgentRunList,
  AgentState,
  AgentVersionList,
  AssembledContext,
  Impact,
  Shutdown,
  ShutdownType,
  StatusChange,
  TaskOrder,
  TaskStarted,
  VersionDiff,
} from "@/client/lifecycle";
import { http } from "@/lib/http";
import { useLiveBus } from "@/lib/live/react";
import { useWorkspace } from "@/lib/workspace";

/** Everything about one agent's life sits under "agents", so that the server's hint about agents refreshes it. */
const keyOf = (workspace: string, part: string, id: number) => [workspace, "agents", part, id];

/** How an agent stands right now: its status, what it works on, and the stop that waits, if any. */
export const agentStateQuery = (workspace: string, id: number) =>
  queryOptions({
    queryKey: keyOf(workspace, "state", id),
    queryFn: ({ signal }) => http.get<AgentState>(`/api/agents/${id}/status`, { workspace, signal }),
  });

/** What a change of status would do. It is asked for again only when the server says that it has changed. */
export const impactQuery = (workspace: string, id: number, status: string, shutdown: ShutdownType | null) =>
  queryOptions({
    queryKey: [workspace, "agent-impact", id, status, shutdown],
    queryFn: ({ signal }) =>
      http.post<Impact>(`/api/agents/${id}/status/preview`, {
        workspace,
        body: { status, ...(shutdown ? { shutdown_type: shutdown } : {}) },
        signal,
        isReading: true,
      }),
    staleTime: 0,
    gcTime: 0,
    refetchOnWindowFocus: false,
    retry: false,
  });

/** What deleting an agent would do. */
export const deletionQuery = (workspace: string, id: number) =>
  queryOptions({
    queryKey: [workspace, "agent-impact", id, "deleted"],
    queryFn: ({ signal }) => http.get<Impact>(`/api/agents/${id}/deletion`, { workspace, signal }),
    staleTime: 0,
    gcTime: 0,
    refetchOnWindowFocus: false,
    retry: false,
  });

export interface RunPage {
  status?: string | undefined;
  skip: number;
}

export const RUNS_PER_PAGE = 25;

/** The steps an agent has done or is doing, newest first. */
export const agentRunsQuery = (workspace: string, id: number, { status, skip }: RunPage, limit = RUNS_PER_PAGE) =>
  queryOptions({
    queryKey: [workspace, "runs", "of-agent", id, status ?? "", skip, limit],
    queryFn: ({ signal }) =>
      http.get<AgentRunList>(`/api/agents/${id}/runs`, { workspace, query: { status, skip, limit }, signal }),
    placeholderData: (previous) => previous,
  });

export const agentVersionsQuery = (workspace: string, id: number) =>
  queryOptions({
    queryKey: keyOf(workspace, "versions", id),
    queryFn: ({ signal }) => http.get<AgentVersionList>(`/api/agents/${id}/versions`, { workspace, signal }),
  });

export const versionDiffQuery = (workspace: string, id: number, from: number, to: number) =>
  queryOptions({
    queryKey: [...keyOf(workspace, "versions", id), from, to],
    queryFn: ({ signal }) =>
      http.get<VersionDiff>(`/api/agents/${id}/versions/${to}/diff`, { workspace, query: { against: from }, signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });

/** The whole text that a model is given for this agent, part by part. */
export const assembledQuery = (workspace: string, id: number) =>
  queryOptions({
    queryKey: keyOf(workspace, "assembled", id),
    queryFn: ({ signal }) => http.get<AssembledContext>(`/api/agents/${id}/assembled-context`, { workspace, signal }),
  });

/** Keeps what is shown of one agent fresh while its page is open. */
export function useAgentHints(id: number): void {
  const { id: workspace } = useWorkspace();
  const bus = useLiveBus();
  const cache = useQueryClient();
  useEffect(() => {
    return bus?.onChange(`agent:${id}`, () => {
      void cache.invalidateQueries({ queryKey: [workspace, "agents"] });
      void cache.invalidateQueries({ queryKey: [workspace, "runs", "of-agent", id] });
    });
  }, [bus, cache, workspace, id]);
}

/** A change of an agent; whatever became of it, the agents are read again. */
function useAgentChange<T, R>(change: (workspace: string, value: T) => Promise<R>) {
  const { id: workspace } = useWorkspace();
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (value: T) => change(workspace, value),
    onSettled: () => cache.invalidateQueries({ queryKey: [workspace, "agents"] }),
  });
}

/** Sets a status. The server refuses one with effects until they are confirmed. */
export const useSetStatus = (id: number) =>
  useAgentChange((workspace, body: StatusChange) =>
    http.put<{ agent: Agent; shutdown: Shutdown | null }>(`/api/agents/${id}/status`, { workspace, body }),
  );

/** Takes back a stop that still waits for work to end. */
export const useCancelStop = (id: number) =>
  useAgentChange((workspace, _: undefined) => http.delete<Agent>(`/api/agents/${id}/status/shutdown`, { workspace }));

export const useDeleteWithImpact = (id: number) =>
  useAgentChange((workspace, { cascade, token }: { cascade: boolean; token: string }) =>
    http.delete(`/api/agents/${id}`, { workspace, query: { cascade, impact_token: token } }),
  );

export const useRestoreVersion = (id: number) =>
  useAgentChange((workspace, version: number) =>
    http.post<Agent>(`/api/agents/${id}/versions/${version}/restore`, { workspace }),
  );

/** Gives an agent a task of its own. Repeating a request with the same key starts nothing twice. */
export const useRunTask = (id: number) =>
  useAgentChange((workspace, { key, ...body }: TaskOrder & { key: string }) =>
    http.post<TaskStarted>(`/api/agents/${id}/execute`, { workspace, body, headers: { "Idempotency-Key": key } }),
  );
