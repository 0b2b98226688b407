import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import type { PersonaBody } from "@/client/library";
import { api, dataOf, taggedOf } from "@/lib/http";
import { wordOf } from "@/lib/words";
import { useWorkspace } from "@/lib/workspace";

const MOST = 200;

export interface PersonaFilters {
  search?: string | undefined;
  category?: string | undefined;
  scope?: string | undefined;
}

export const personasQuery = (workspace: string, filters: PersonaFilters = {}) =>
  queryOptions({
    queryKey: [workspace, "personas", "list", filters],
    queryFn: ({ signal }) =>
      dataOf(
        api(workspace).GET("/api/personas", {
          params: { query: { ...filters, scope: wordOf("/api/personas", "scope", filters.scope), limit: MOST } },
          signal,
        }),
      ),
    placeholderData: (previous) => previous,
  });

/** One persona together with the ETag that its next save must name. */
export const personaQuery = (workspace: string, id: string) =>
  queryOptions({
    queryKey: [workspace, "personas", "one", id],
    queryFn: ({ signal }) =>
      taggedOf(api(workspace).GET("/api/personas/{persona_id}", { params: { path: { persona_id: id } }, signal })),
  });

interface Save {
  /** Null creates a persona of the workspace. */
  id: string | null;
  etag: string | null;
  body: PersonaBody;
}

/** Creates a persona of the workspace, or saves one unless somebody else has meanwhile. */
export function useSavePersona() {
  const { id: workspace } = useWorkspace();
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ id, etag, body }: Save) => {
      if (id === null)
        return taggedOf(
          api(workspace).POST("/api/workspaces/{workspace_id}/personas", {
            params: { path: { workspace_id: workspace } },
            body,
          }),
        );
      return taggedOf(
        api(workspace).PUT("/api/workspaces/{workspace_id}/personas/{persona_id}", {
          params: { path: { workspace_id: workspace, persona_id: id }, header: { "if-match": etag } },
          body,
        }),
      );
    },
    onSuccess: (saved) => {
      cache.setQueryData(personaQuery(workspace, saved.data.id).queryKey, saved);
      return cache.invalidateQueries({ queryKey: [workspace, "personas"] });
    },
  });
}

export function useDeletePersona() {
  const { id: workspace } = useWorkspace();
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      dataOf(
        api(workspace).DELETE("/api/workspaces/{workspace_id}/personas/{persona_id}", {
          params: { path: { workspace_id: workspace, persona_id: id } },
        }),
      ),
    onSuccess: () =>
      Promise.all([
        cache.invalidateQueries({ queryKey: [workspace, "personas"] }),
        cache.invalidateQueries({ queryKey: [workspace, "agents"] }),
      ]),
  });
}
