import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import type { DefaultModel, ModelList, OfferedModels, ProviderList } from "@/client";
import { http } from "@/lib/http";
import { useWorkspace } from "@/lib/workspace";

export const modelsQuery = (workspace: string) =>
  queryOptions({
    queryKey: [workspace, "models", "list"],
    queryFn: ({ signal }) => http.get<ModelList>("/api/models", { workspace, signal }),
    staleTime: 60_000,
  });

export const providersQuery = (workspace: string) =>
  queryOptions({
    queryKey: [workspace, "models", "providers"],
    queryFn: ({ signal }) => http.get<ProviderList>("/api/models/providers", { workspace, signal }),
  });

/** The models that a provider itself lists for the workspace's key. */
export const offeredQuery = (workspace: string, provider: string) =>
  queryOptions({
    queryKey: [workspace, "models", "offered", provider],
    queryFn: ({ signal }) => http.get<OfferedModels>("/api/models/offered", { workspace, query: { provider }, signal }),
    staleTime: 60_000,
    retry: false,
  });

export const defaultModelQuery = (workspace: string) =>
  queryOptions({
    queryKey: [workspace, "models", "default"],
    queryFn: ({ signal }) => http.get<DefaultModel>("/api/models/default", { workspace, signal }),
  });

/** Makes a model the workspace's choice for every agent that names none. */
export function useChooseDefaultModel() {
  const { id: workspace } = useWorkspace();
  const cache = useQueryClient();
  return useMutation({
    mutationFn: async ({ provider, model_id }: { provider: string; model_id: string }) => {
      const values = { llm_provider: provider, llm_model: model_id };
      await http.put("/api/settings/orchestrator_llm", { workspace, body: { values } });
    },
    onSettled: () => cache.invalidateQueries({ queryKey: [workspace, "models"] }),
  });
}
