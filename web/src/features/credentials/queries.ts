import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import type { Credential, CredentialCreate, CredentialList, CredentialTest } from "@/client";
import { http } from "@/lib/http";
import { useWorkspace } from "@/lib/workspace";

export const credentialsQuery = (workspace: string) =>
  queryOptions({
    queryKey: [workspace, "credentials"],
    queryFn: ({ signal }) => http.get<CredentialList>("/api/credentials", { workspace, signal }),
  });

/** A new key changes which models answer, so the models are read again too. */
function useCredentialChange<T, R>(change: (workspace: string, value: T) => Promise<R>) {
  const { id: workspace } = useWorkspace();
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (value: T) => change(workspace, value),
    onSettled: () =>
      Promise.all([
        cache.invalidateQueries({ queryKey: [workspace, "credentials"] }),
        cache.invalidateQueries({ queryKey: [workspace, "models"] }),
      ]),
  });
}

export const useAddCredential = () =>
  useCredentialChange((workspace, body: CredentialCreate) =>
    http.post<Credential>("/api/credentials", { workspace, body }),
  );

export const useDeleteCredential = () =>
  useCredentialChange((workspace, id: string) => http.delete(`/api/credentials/${id}`, { workspace }));

/** Asks the provider whether the stored key works. */
export const useTestCredential = () =>
  useCredentialChange((workspace, id: string) =>
    http.post<CredentialTest>(`/api/credentials/${id}/test`, { workspace }),
  );

/** Asks the provider whether a key works before it is stored. */
export const useTestKey = () =>
  useCredentialChange((workspace, { name: _, ...body }: CredentialCreate) =>
    http.post<CredentialTest>("/api/credentials/test", { workspace, body }),
  );
