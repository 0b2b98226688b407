import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import type {
  Model,
  ModelList,
  ModelNeeds,
  ModelTrial,
  ModelUpdate,
  Recommendations,
  TrialResult,
} from "@/client/system";
import { http } from "@/lib/http";
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
      http.get<ModelList>("/api/models", { workspace, query: { ...filters, status: filters.status ?? "all" }, signal }),
    placeholderData: (previous) => previous,
  });

export const modelQuery = (workspace: string, id: number) =>
  queryOptions({
    queryKey: [workspace, "models", "entry", id],
    queryFn: ({ signal }) => http.get<Model>(`/api/models/catalogue/${id}`, { workspace, signal }),
  });

/** Changes a model for the whole server. */
export function useUpdateModel() {
  const { id: workspace } = useWorkspace();
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ id, body }: { id: number; body: ModelUpdate }) =>
      http.put<Model>(`/api/models/catalogue/${id}`, { workspace, body }),
    onSettled: () => cache.invalidateQueries({ queryKey: [workspace, "models"] }),
  });
}

/** Asks a model for one word, at its price. */
export function useTryModel() {
  const { id: workspace } = useWorkspace();
  return useMutation({
    mutationFn: (body: ModelTrial) => http.post<TrialResult>("/api/models/test", { workspace, body }),
  });
}

/** Ranks the catalogue for a task. */
export function useRecommend() {
  const { id: workspace } = useWorkspace();
  return useMutation({
    mutationFn: (body: ModelNeeds) => http.post<Recommendations>("/api/models/recommend", { workspace, body }),
  });
}
