import { queryOptions, skipToken, useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";

import type { AgentStatus, ShutdownType, StatusChange, TaskOrder } from "@/client/lifecycle";
import { api, asReading, dataOf } from "@/lib/http";
import { useLiveBus } from "@/lib/live/react";
import { wordOf } from "@/lib/words";
import { useWorkspace } from "@/lib/workspace";

/** Everything about one agent's life sits under "agents", so that the server's hint about agents refreshes it. */
const keyOf = (workspace: string, part: string, id: number) => [workspace, "agents", part, id];

/** How an agent stands right now: its status, what it works on, and the stop that waits, if any. */
export const agentStateQuery = (workspace: string, id: number) =>
  queryOptions({
    queryKey: keyOf(workspace, "state", id),
    queryFn: ({ signal }) =>
      dataOf(api(workspace).GET("/api/agents/{agent_id}/status", { params: { path: { agent_id: id } }, signal })),
  });

/** What a change of status would do. It is asked for again only when the server says that it has changed. */
export const impactQuery = (workspace: string, id: number, status: AgentStatus | null, shutdown: ShutdownType | null) =>
  queryOptions({
    queryKey: [workspace, "agent-impact", id, status, shutdown],
    queryFn:
      status === null
        ? skipToken
        : ({ signal }) =>
            dataOf(
              api(workspace).POST("/api/agents/{agent_id}/status/preview", {
                params: { path: { agent_id: id } },
                fetch: asReading,
                body: { status, ...(shutdown ? { shutdown_type: shutdown } : {}) },
                signal,
              }),
            ),
    staleTime: 0,
    gcTime: 0,
    refetchOnWindowFocus: false,
    retry: false,
  });

/** What deleting an agent would do. */
export const deletionQuery = (workspace: string, id: number) =>
  queryOptions({
    queryKey: [workspace, "agent-impact", id, "deleted"],
    queryFn: ({ signal }) =>
      dataOf(api(workspace).GET("/api/agents/{agent_id}/deletion", { params: { path: { agent_id: id } }, signal })),
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
      dataOf(
        api(workspace).GET("/api/agents/{agent_id}/runs", {
          params: {
            path: { agent_id: id },
            query: { status: wordOf("/api/agents/{agent_id}/runs", "status", status), skip, limit },
          },
          signal,
        }),
      ),
    placeholderData: (previous) => previous,
  });

export const agentVersionsQuery = (workspace: string, id: number) =>
  queryOptions({
    queryKey: keyOf(workspace, "versions", id),
    queryFn: ({ signal }) =>
      dataOf(api(workspace).GET("/api/agents/{agent_id}/versions", { params: { path: { agent_id: id } }, signal })),
  });

export const versionDiffQuery = (workspace: string, id: number, from: number, to: number) =>
  queryOptions({
    queryKey: [...keyOf(workspace, "versions", id), from, to],
    queryFn: ({ signal }) =>
      dataOf(
        api(workspace).GET("/api/agents/{agent_id}/versions/{version}/diff", {
          params: { path: { agent_id: id, version: to }, query: { against: from } },
          signal,
        }),
      ),
    staleTime: Number.POSITIVE_INFINITY,
  });

/** The whole text that a model is given for this agent, part by part. */
export const assembledQuery = (workspace: string, id: number) =>
  queryOptions({
    queryKey: keyOf(workspace, "assembled", id),
    queryFn: ({ signal }) =>
      dataOf(
        api(workspace).GET("/api/agents/{agent_id}/assembled-context", { params: { path: { agent_id: id } }, signal }),
      ),
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
    dataOf(api(workspace).PUT("/api/agents/{agent_id}/status", { params: { path: { agent_id: id } }, body })),
  );

/** Takes back a stop that still waits for work to end. */
export const useCancelStop = (id: number) =>
  useAgentChange((workspace, _: undefined) =>
    dataOf(api(workspace).DELETE("/api/agents/{agent_id}/status/shutdown", { params: { path: { agent_id: id } } })),
  );

export const useDeleteWithImpact = (id: number) =>
  useAgentChange((workspace, { cascade, token }: { cascade: boolean; token: string }) =>
    dataOf(
      api(workspace).DELETE("/api/agents/{agent_id}", {
        params: { path: { agent_id: id }, query: { cascade, impact_token: token } },
      }),
    ),
  );

export const useRestoreVersion = (id: number) =>
  useAgentChange((workspace, version: number) =>
    dataOf(
      api(workspace).POST("/api/agents/{agent_id}/versions/{version}/restore", {
        params: { path: { agent_id: id, version } },
      }),
    ),
  );

/** Gives an agent a task of its own. Repeating a request with the same key starts nothing twice. */
export const useRunTask = (id: number) =>
  useAgentChange((workspace, { key, ...body }: TaskOrder & { key: string }) =>
    dataOf(
      api(workspace).POST("/api/agents/{agent_id}/execute", {
        params: { path: { agent_id: id }, header: { "idempotency-key": key } },
        body,
      }),
    ),
  );
