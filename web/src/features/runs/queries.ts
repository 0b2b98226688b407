import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState, useSyncExternalStore } from "react";
import type { RunEvent } from "@/client";
import { api, dataOf } from "@/lib/http";
import { useLiveBus } from "@/lib/live/react";
import { wordOf } from "@/lib/words";
import { useWorkspace } from "@/lib/workspace";
import { RunFeed } from "./feed";
import { isTerminal } from "./kitchen-state";

const LOG_PAGE = 1000;

export interface RunFilters {
  status?: string | undefined;
  recipe?: string | undefined;
  /** Leaves out the runs that steps of other runs have started. */
  top_level?: boolean | undefined;
}

export const runsQuery = (workspace: string, filters: RunFilters, limit = 30) =>
  infiniteQueryOptions({
    queryKey: [workspace, "runs", "list", filters, limit],
    queryFn: ({ pageParam, signal }) =>
      dataOf(
        api(workspace).GET("/api/runs", {
          params: {
            query: { ...filters, status: wordOf("/api/runs", "status", filters.status), limit, cursor: pageParam },
          },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  });

export const runQuery = (workspace: string, id: string) =>
  queryOptions({
    queryKey: [workspace, "runs", "one", id],
    queryFn: ({ signal }) =>
      dataOf(api(workspace).GET("/api/runs/{run_id}", { params: { path: { run_id: id } }, signal })),
  });

export function useCancelRun(id: string) {
  const { id: workspace } = useWorkspace();
  const cache = useQueryClient();
  return useMutation({
    mutationFn: () => dataOf(api(workspace).POST("/api/runs/{run_id}/cancel", { params: { path: { run_id: id } } })),
    onSettled: () => cache.invalidateQueries({ queryKey: [workspace, "runs"] }),
  });
}

/** Pauses the run, or lets it go on. */
export function usePauseRun(id: string) {
  const { id: workspace } = useWorkspace();
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (isPaused: boolean) => {
      const run = { params: { path: { run_id: id } } };
      return isPaused
        ? dataOf(api(workspace).POST("/api/runs/{run_id}/pause", run))
        : dataOf(api(workspace).POST("/api/runs/{run_id}/resume", run));
    },
    onSettled: () => cache.invalidateQueries({ queryKey: [workspace, "runs"] }),
  });
}

export function useForkRun(id: string) {
  const { id: workspace } = useWorkspace();
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (step: string) =>
      dataOf(
        api(workspace).POST("/api/runs/{run_id}/fork", {
          params: { path: { run_id: id } },
          body: { from_step: step },
        }),
      ),
    onSuccess: () => cache.invalidateQueries({ queryKey: [workspace, "runs"] }),
  });
}

async function readLog(workspace: string, id: string, after: number): Promise<RunEvent[]> {
  const query = { after, limit: LOG_PAGE };
  const page = await dataOf(
    api(workspace).GET("/api/runs/{run_id}/events.json", { params: { path: { run_id: id }, query } }),
  );
  return page.items;
}

/** The screen state of one run, built from its stored log and kept live until the run has ended. */
export function useRunFeed(id: string) {
  const { id: workspace } = useWorkspace();
  const bus = useLiveBus();
  const cache = useQueryClient();
  const [feed] = useState(() => new RunFeed((after) => readLog(workspace, id, after)));
  const state = useSyncExternalStore(feed.listen, feed.snapshot);
  const error = useSyncExternalStore(feed.listen, feed.error);
  const isOver = isTerminal(state.status);

  useEffect(() => {
    void feed.read();
  }, [feed]);

  // A run that is over is not followed: each topic that comes or goes opens the browser's one stream anew.
  const isRead = state.lastSeq > 0 || error !== null;
  useEffect(() => {
    if (!bus || isOver || !isRead) return;
    const leave = bus.subscribe(id, (event) => feed.receive(event));
    // What happened since the log was read.
    void feed.read();
    return leave;
  }, [bus, feed, id, isOver, isRead]);

  useEffect(() => {
    if (isOver) void cache.invalidateQueries({ queryKey: [workspace, "runs"] });
  }, [isOver, cache, workspace]);

  return { state, error, retry: () => feed.read() };
}
