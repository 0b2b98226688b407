import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import type { RecipeBody, RecipeCreate, RecipeFile } from "@/client";
import { api, asReading, dataOf, taggedOf } from "@/lib/http";
import { useWorkspace } from "@/lib/workspace";
import { loadSamples } from "./samples";

const PAGE = 30;

/** The recipes page after page; the server searches. */
export const recipesQuery = (workspace: string, search?: string) =>
  infiniteQueryOptions({
    queryKey: [workspace, "recipes", "list", search ?? ""],
    queryFn: ({ pageParam, signal }) =>
      dataOf(
        api(workspace).GET("/api/workflow-recipes", {
          params: { query: { search, skip: pageParam, limit: PAGE } },
          signal,
        }),
      ),
    initialPageParam: 0,
    getNextPageParam: ({ skip, items, total }) => (skip + items.length < total ? skip + items.length : undefined),
    placeholderData: (previous) => previous,
  });

/** The recipes that fit a search best, a few. */
export const foundRecipesQuery = (workspace: string, search: string, limit: number) =>
  queryOptions({
    queryKey: [workspace, "recipes", "found", search, limit],
    queryFn: ({ signal }) =>
      dataOf(api(workspace).GET("/api/workflow-recipes", { params: { query: { search, limit } }, signal })),
    placeholderData: (previous) => previous,
  });

/** One recipe together with the ETag that its next save must name. */
export const recipeQuery = (workspace: string, templateId: string) =>
  queryOptions({
    queryKey: [workspace, "recipes", "one", templateId],
    queryFn: ({ signal }) =>
      taggedOf(
        api(workspace).GET("/api/workflow-recipes/{template_id}", {
          params: { path: { template_id: templateId } },
          signal,
        }),
      ),
  });

/** Every saved state of a recipe, newest first. */
export const recipeVersionsQuery = (workspace: string, templateId: string) =>
  queryOptions({
    queryKey: [workspace, "recipes", "versions", templateId],
    queryFn: ({ signal }) =>
      dataOf(
        api(workspace).GET("/api/workflow-recipes/{template_id}/versions", {
          params: { path: { template_id: templateId } },
          signal,
        }),
      ),
  });

/** The recipe with its agents as a file that can be applied again, here or elsewhere. */
export const exportOf = (workspace: string, templateId: string) =>
  dataOf(
    api(workspace).GET("/api/workflow-recipes/{template_id}/export", {
      params: { path: { template_id: templateId } },
      parseAs: "text",
      headers: { Accept: "application/yaml" },
    }),
  );

/** What the server finds wrong with a definition, without saving it. */
export const faultsQuery = (workspace: string, body: RecipeBody, isReady: boolean) =>
  queryOptions({
    queryKey: [workspace, "recipe-faults", body],
    queryFn: ({ signal }) =>
      dataOf(api(workspace).POST("/api/workflow-recipes/validate", { fetch: asReading, body, signal })).then(
        (answer) => answer.faults,
      ),
    enabled: isReady,
    retry: false,
    gcTime: 10_000,
    placeholderData: (previous) => previous,
  });

export const samplesQuery = queryOptions({
  queryKey: ["recipe-samples"],
  queryFn: loadSamples,
  staleTime: Number.POSITIVE_INFINITY,
});

/** Creates a sample's agents and recipe in the workspace. */
export function useApplySample() {
  const { id: workspace } = useWorkspace();
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (sample: RecipeFile) =>
      dataOf(api(workspace).POST("/api/workflow-recipes/apply", { body: sample })).then((answer) => answer.recipe),
    onSuccess: () =>
      Promise.all([
        cache.invalidateQueries({ queryKey: [workspace, "recipes"] }),
        cache.invalidateQueries({ queryKey: [workspace, "agents"] }),
      ]),
  });
}

/** The recipe's address; null creates it. */
type Save = { etag: string | null } & (
  | { templateId: null; body: RecipeCreate }
  | { templateId: string; body: RecipeBody }
);

/** Creates the recipe, or saves it unless somebody else has meanwhile. */
export function useSaveRecipe() {
  const { id: workspace } = useWorkspace();
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ templateId, etag, body }: Save) => {
      if (templateId === null) return taggedOf(api(workspace).POST("/api/workflow-recipes", { body }));
      return taggedOf(
        api(workspace).PUT("/api/workflow-recipes/{template_id}", {
          params: { path: { template_id: templateId }, header: { "if-match": etag } },
          body,
        }),
      );
    },
    onSuccess: (saved) => {
      cache.setQueryData(recipeQuery(workspace, saved.data.template_id).queryKey, saved);
      void cache.invalidateQueries({ queryKey: [workspace, "recipes", "versions"] });
      return cache.invalidateQueries({ queryKey: [workspace, "recipes", "list"] });
    },
  });
}

export function useDeleteRecipe() {
  const { id: workspace } = useWorkspace();
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (templateId: string) =>
      dataOf(
        api(workspace).DELETE("/api/workflow-recipes/{template_id}", { params: { path: { template_id: templateId } } }),
      ),
    onSuccess: () => cache.invalidateQueries({ queryKey: [workspace, "recipes"] }),
  });
}

interface Cooking {
  templateId: string;
  inputs: Record<string, unknown>;
  /** Repeating a request with the same key starts nothing twice. */
  key: string;
}

export function useCook() {
  const { id: workspace } = useWorkspace();
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ templateId, inputs, key }: Cooking) =>
      dataOf(
        api(workspace).POST("/api/workflow-recipes/{template_id}/execute", {
          params: { path: { template_id: templateId }, header: { "idempotency-key": key } },
          body: { input_data: inputs },
        }),
      ),
    onSuccess: () => cache.invalidateQueries({ queryKey: [workspace, "runs"] }),
  });
}
