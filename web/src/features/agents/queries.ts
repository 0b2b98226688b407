import { infiniteQueryOptions, queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { AgentBody, BulkResult } from "@/client";
import { api, dataOf, taggedOf } from "@/lib/http";
import { useConnection } from "@/lib/live/react";
import { wordOf } from "@/lib/words";
import { useWorkspace } from "@/lib/workspace";

export interface AgentFilters {
  search?: string | undefined;
  status?: string | undefined;
  category?: string | undefined;
  tag?: string | undefined;
  sort?: string | undefined;
  order?: "asc" | "desc" | undefined;
}

/** The filters as the server knows them. */
const asked = ({ status, category, sort, ...others }: AgentFilters) => ({
  ...others,
  status: wordOf("/api/agents", "status", status),
  category: wordOf("/api/agents", "category", category),
  sort: wordOf("/api/agents", "sort", sort),
});

const ROSTER_PAGE = 200;
const AGENT_POLL_MS = 10_000;
const STATS_POLL_MS = 30_000;

/** The agents that fit a search best, a few. */
export const foundAgentsQuery = (workspace: string, search: string, limit: number) =>
  queryOptions({
    queryKey: [workspace, "agents", "found", search, limit],
    queryFn: ({ signal }) =>
      dataOf(api(workspace).GET("/api/agents", { params: { query: { search, limit } }, signal })),
    placeholderData: (previous) => previous,
  });

/** The roster, page after page. It is read again when the server hints at a change, never by the clock. */
export const rosterQuery = (workspace: string, filters: AgentFilters, limit = ROSTER_PAGE) =>
  infiniteQueryOptions({
    queryKey: [workspace, "agents", "roster", filters, limit],
    queryFn: ({ pageParam, signal }) =>
      dataOf(
        api(workspace).GET("/api/agents", {
          params: { query: { ...asked(filters), limit, cursor: pageParam } },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: (previous) => previous,
  });

export const agentStatsQuery = (workspace: string) =>
  queryOptions({
    queryKey: [workspace, "agents", "stats"],
    queryFn: ({ signal }) => dataOf(api(workspace).GET("/api/agents/stats", { signal })),
    staleTime: STATS_POLL_MS,
    refetchInterval: STATS_POLL_MS,
  });

/** One agent together with the ETag that its next save must name. */
export const agentQuery = (workspace: string, id: number) =>
  queryOptions({
    queryKey: [workspace, "agents", "one", id],
    queryFn: ({ signal }) =>
      taggedOf(api(workspace).GET("/api/agents/{agent_id}", { params: { path: { agent_id: id } }, signal })),
    staleTime: AGENT_POLL_MS,
  });

/** One agent, kept fresh by the server's hints, or by asking while there is no live connection. */
export function useAgent(id: number) {
  const { id: workspace } = useWorkspace();
  const isLive = useConnection() === "live";
  return useQuery({ ...agentQuery(workspace, id), refetchInterval: isLive ? false : AGENT_POLL_MS });
}

export const agentTypesQuery = (workspace: string) =>
  queryOptions({
    queryKey: [workspace, "agent-types"],
    queryFn: ({ signal }) => dataOf(api(workspace).GET("/api/agents/types", { signal })),
    staleTime: Number.POSITIVE_INFINITY,
  });

/** A change of agents; whatever became of it, they are read again. */
function useAgentsChange<T, R>(change: (workspace: string, value: T) => Promise<R>) {
  const { id: workspace } = useWorkspace();
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (value: T) => change(workspace, value),
    onSettled: () => cache.invalidateQueries({ queryKey: [workspace, "agents"] }),
  });
}

export const useCreateAgent = () =>
  useAgentsChange((workspace, body: AgentBody) => dataOf(api(workspace).POST("/api/agents", { body })));

interface Save {
  id: number;
  etag: string | null;
  body: Partial<AgentBody>;
}

/** Saves what changed, unless somebody else has saved meanwhile. */
export const useSaveAgent = () =>
  useAgentsChange((workspace, { id, etag, body }: Save) =>
    taggedOf(
      api(workspace).PUT("/api/agents/{agent_id}", {
        params: { path: { agent_id: id }, header: { "if-match": etag } },
        body,
      }),
    ),
  );

export type BulkAction = "activate" | "deactivate" | "pause" | "delete" | "tag" | "untag";

interface Bulk {
  action: BulkAction;
  ids: number[];
  tags?: string[];
}

const BULK_MOST = 200;

/** Does one thing to many agents, each on its own: some may fail while others do not. */
export const useBulkAction = () =>
  useAgentsChange(async (workspace, { action, ids, tags }: Bulk) => {
    const whole: BulkResult = { items: [], succeeded: 0, failed: 0 };
    for (let from = 0; from < ids.length; from += BULK_MOST) {
      const body = { action, agent_ids: ids.slice(from, from + BULK_MOST), ...(tags ? { tags } : {}) };
      const part = await dataOf(api(workspace).POST("/api/agents/bulk/actions", { body }));
      whole.items.push(...part.items);
      whole.succeeded += part.succeeded;
      whole.failed += part.failed;
    }
    return whole;
  });

/** An agent as a file that another workspace or server can import; it holds no secrets. */
export const exportOf = (workspace: string, id: number) =>
  dataOf(
    api(workspace).GET("/api/agents/{agent_id}/export", {
      params: { path: { agent_id: id } },
      parseAs: "text",
      headers: { Accept: "application/yaml" },
    }),
  );
