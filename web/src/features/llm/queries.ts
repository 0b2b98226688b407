import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, dataOf } from "@/lib/http";
import { useWorkspace } from "@/lib/workspace";

export const modelsQuery = (workspace: string) =>
  queryOptions({
    queryKey: [workspace, "models", "list"],
    queryFn: ({ signal }) => dataOf(api(workspace).GET("/api/models", { signal })),
    staleTime: 60_000,
  });

export const providersQuery = (workspace: string) =>
  queryOptions({
    queryKey: [workspace, "models", "providers"],
    queryFn: ({ signal }) => dataOf(api(workspace).GET("/api/models/providers", { signal })),
  });

/** The models that a provider itself lists for the workspace's key. */
export const offeredQuery = (workspace: string, provider: string) =>
  queryOptions({
    queryKey: [workspace, "models", "offered", provider],
    queryFn: ({ signal }) =>
      dataOf(api(workspace).GET("/api/models/offered", { params: { query: { provider } }, signal })),
    staleTime: 60_000,
    retry: false,
  });

export const defaultModelQuery = (workspace: string) =>
  queryOptions({
    queryKey: [workspace, "models", "default"],
    queryFn: ({ signal }) => dataOf(api(workspace).GET("/api/models/default", { signal })),
  });

/** Makes a model the workspace's choice for every agent that names none. */
export function useChooseDefaultModel() {
  const { id: workspace } = useWorkspace();
  const cache = useQueryClient();
  return useMutation({
    mutationFn: async ({ provider, model_id }: { provider: string; model_id: string }) => {
      const values = { llm_provider: provider, llm_model: model_id };
      await dataOf(
        api(workspace).PUT("/api/settings/{category}", {
          params: { path: { category: "orchestrator_llm" } },
          body: { values },
        }),
      );
    },
    onSettled: () => cache.invalidateQueries({ queryKey: [workspace, "models"] }),
  });
}
