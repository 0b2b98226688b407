import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import type {
  AppliedRecipe,
  ExecutionStarted,
  Recipe,
  RecipeBody,
  RecipeCreate,
  RecipeFile,
  RecipeList,
  RecipeVersionList,
  Verdict,
} from "@/client";
import { exchange, http } from "@/lib/http";
import { useWorkspace } from "@/lib/workspace";
import { loadSamples } from "./samples";

const BASE = "/api/workflow-recipes";
const PAGE = 30;

/** The recipes page after page; the server searches. */
export const recipesQuery = (workspace: string, search?: string) =>
  infiniteQueryOptions({
    queryKey: [workspace, "recipes", "list", search ?? ""],
    queryFn: ({ pageParam, signal }) =>
      http.get<RecipeList>(BASE, { workspace, query: { search, skip: pageParam, limit: PAGE }, signal }),
    initialPageParam: 0,
    getNextPageParam: ({ skip, items, total }) => (skip + items.length < total ? skip + items.length : undefined),
    placeholderData: (previous) => previous,
  });

/** The recipes that fit a search best, a few. */
export const foundRecipesQuery = (workspace: string, search: string, limit: number) =>
  queryOptions({
    queryKey: [workspace, "recipes", "found", search, limit],
    queryFn: ({ signal }) => http.get<RecipeList>(BASE, { workspace, query: { search, limit }, signal }),
    placeholderData: (previous) => previous,
  });

/** One recipe together with the ETag that its next save must name. */
export const recipeQuery = (workspace: string, templateId: string) =>
  queryOptions({
    queryKey: [workspace, "recipes", "one", templateId],
    queryFn: ({ signal }) => exchange<Recipe>("GET", `${BASE}/${templateId}`, { workspace, signal }),
  });

/** Every saved state of a recipe, newest first. */
export const recipeVersionsQuery = (workspace: string, templateId: string) =>
  queryOptions({
    queryKey: [workspace, "recipes", "versions", templateId],
    queryFn: ({ signal }) => http.get<RecipeVersionList>(`${BASE}/${templateId}/versions`, { workspace, signal }),
  });

/** The recipe with its agents as a file that can be applied again, here or elsewhere. */
export const exportOf = (workspace: string, templateId: string) =>
  http.text(`${BASE}/${templateId}/export`, { workspace, headers: { Accept: "application/yaml" } });

/** What the server finds wrong with a definition, without saving it. */
export const faultsQuery = (workspace: string, body: RecipeBody, isReady: boolean) =>
  queryOptions({
    queryKey: [workspace, "recipe-faults", body],
    queryFn: ({ signal }) =>
      http
        .post<Verdict>(`${BASE}/validate`, { workspace, body, signal, isReading: true })
        .then((answer) => answer.faults),
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
      http.post<AppliedRecipe>(`${BASE}/apply`, { workspace, body: sample }).then((answer) => answer.recipe),
    onSuccess: () =>
      Promise.all([
        cache.invalidateQueries({ queryKey: [workspace, "recipes"] }),
        cache.invalidateQueries({ queryKey: [workspace, "agents"] }),
      ]),
  });
}

interface Save {
  /** The recipe's address; null creates it. */
  templateId: string | null;
  etag: string | null;
  body: RecipeBody | RecipeCreate;
}

/** Creates the recipe, or saves it unless somebody else has meanwhile. */
export function useSaveRecipe() {
  const { id: workspace } = useWorkspace();
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ templateId, etag, body }: Save) => {
      if (templateId === null) return exchange<Recipe>("POST", BASE, { workspace, body });
      const headers: Record<string, string> = etag ? { "If-Match": etag } : {};
      return exchange<Recipe>("PUT", `${BASE}/${templateId}`, { workspace, body, headers });
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
    mutationFn: (templateId: string) => http.delete(`${BASE}/${templateId}`, { workspace }),
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
      http.post<ExecutionStarted>(`${BASE}/${templateId}/execute`, {
        workspace,
        body: { input_data: inputs },
        headers: { "Idempotency-Key": key },
      }),
    onSuccess: () => cache.invalidateQueries({ queryKey: [workspace, "runs"] }),
  });
}
