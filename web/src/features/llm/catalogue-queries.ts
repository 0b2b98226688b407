import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import type { ModelNeeds, ModelTrial, ModelUpdate } from "@/client/system";
import { api, dataOf } from "@/lib/http";
import { wordOf } from "@/lib/words";
import { useWorkspace } from "@/lib/workspace";

export interface ModelFilters {
  search?: string | undefined;
  provider?: string | undefined;
  capability?: string | undefined;
  status?: string | undefined;
}

export const catalogueQuery = (workspace: string, filters: ModelFilters) =>
  queryOptions({
    queryKey: [workspace, "models", "catalogue", filters],
    queryFn: ({ signal }) =>
      dataOf(
        api(workspace).GET("/api/models", {
          params: { query: { ...filters, status: wordOf("/api/models", "status", filters.status) ?? "all" } },
          signal,
        }),
      ),
    placeholderData: (previous) => previous,
  });

export const modelQuery = (workspace: string, id: number) =>
  queryOptions({
    queryKey: [workspace, "models", "entry", id],
    queryFn: ({ signal }) =>
      dataOf(api(workspace).GET("/api/models/catalogue/{entry_id}", { params: { path: { entry_id: id } }, signal })),
  });

/** Changes a model for the whole server. */
export function useUpdateModel() {
  const { id: workspace } = useWorkspace();
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ id, body }: { id: number; body: ModelUpdate }) =>
      dataOf(api(workspace).PUT("/api/models/catalogue/{entry_id}", { params: { path: { entry_id: id } }, body })),
    onSettled: () => cache.invalidateQueries({ queryKey: [workspace, "models"] }),
  });
}

/** Asks a model for one word, at its price. */
export function useTryModel() {
  const { id: workspace } = useWorkspace();
  return useMutation({
    mutationFn: (body: ModelTrial) => dataOf(api(workspace).POST("/api/models/test", { body })),
  });
}

/** Ranks the catalogue for a task. */
export function useRecommend() {
  const { id: workspace } = useWorkspace();
  return useMutation({
    mutationFn: (body: ModelNeeds) => dataOf(api(workspace).POST("/api/models/recommend", { body })),
  });
}
