import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import type { Agent, AgentBody, AgentList, AgentTypes } from "@/client";
import { exchange, http } from "@/lib/http";
import { useWorkspace } from "@/lib/workspace";

export interface AgentFilters {
  search?: string | undefined;
  status?: string | undefined;
}

const MOST = 200;

export const agentsQuery = (workspace: string, filters: AgentFilters = {}) =>
  queryOptions({
    queryKey: [workspace, "agents", "list", filters],
    queryFn: ({ signal }) =>
      http.get<AgentList>("/api/agents", { workspace, query: { ...filters, limit: MOST }, signal }),
  });

/** One agent together with the ETag that its next save must name. */
export const agentQuery = (workspace: string, id: number) =>
  queryOptions({
    queryKey: [workspace, "agents", "one", id],
    queryFn: ({ signal }) => exchange<Agent>("GET", `/api/agents/${id}`, { workspace, signal }),
  });

export const agentTypesQuery = (workspace: string) =>
  queryOptions({
    queryKey: [workspace, "agent-types"],
    queryFn: ({ signal }) => http.get<AgentTypes>("/api/agents/types", { workspace, signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });

interface Save {
  id: number | null;
  etag: string | null;
  body: AgentBody;
}

/** Creates the agent, or saves it unless somebody else has meanwhile. */
export function useSaveAgent() {
  const { id: workspace } = useWorkspace();
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ id, etag, body }: Save) => {
      if (id === null) return exchange<Agent>("POST", "/api/agents", { workspace, body });
      const headers: Record<string, string> = etag ? { "If-Match": etag } : {};
      return exchange<Agent>("PUT", `/api/agents/${id}`, { workspace, body, headers });
    },
    onSuccess: () => cache.invalidateQueries({ queryKey: [workspace, "agents"] }),
  });
}

/** Switches an agent on or off. */
export function useSwitchAgent() {
  const { id: workspace } = useWorkspace();
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ id, verb }: { id: number; verb: "activate" | "deactivate" }) =>
      http.post<Agent>(`/api/agents/${id}/${verb}`, { workspace }),
    onSettled: () => cache.invalidateQueries({ queryKey: [workspace, "agents"] }),
  });
}

export function useDeleteAgent() {
  const { id: workspace } = useWorkspace();
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (id: number) => http.delete(`/api/agents/${id}`, { workspace }),
    onSuccess: () => cache.invalidateQueries({ queryKey: [workspace, "agents"] }),
  });
}
