import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import type { Persona, PersonaBody, PersonaList } from "@/client/library";
import { exchange, http } from "@/lib/http";
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
      http.get<PersonaList>("/api/personas", { workspace, query: { ...filters, limit: MOST }, signal }),
    placeholderData: (previous) => previous,
  });

/** One persona together with the ETag that its next save must name. */
export const personaQuery = (workspace: string, id: string) =>
  queryOptions({
    queryKey: [workspace, "personas", "one", id],
    queryFn: ({ signal }) => exchange<Persona>("GET", `/api/personas/${id}`, { workspace, signal }),
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
  const base = `/api/workspaces/${workspace}/personas`;
  return useMutation({
    mutationFn: ({ id, etag, body }: Save) => {
      if (id === null) return exchange<Persona>("POST", base, { workspace, body });
      const headers: Record<string, string> = etag ? { "If-Match": etag } : {};
      return exchange<Persona>("PUT", `${base}/${id}`, { workspace, body, headers });
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
    mutationFn: (id: string) => http.delete(`/api/workspaces/${workspace}/personas/${id}`, { workspace }),
    onSuccess: () =>
      Promise.all([
        cache.invalidateQueries({ queryKey: [workspace, "personas"] }),
        cache.invalidateQueries({ queryKey: [workspace, "agents"] }),
      ]),
  });
}
