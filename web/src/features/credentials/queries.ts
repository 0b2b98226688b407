import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import type {
  Credential,
  CredentialAudit,
  CredentialCreate,
  CredentialList,
  CredentialTest,
  CredentialTry,
  CredentialTypeList,
  CredentialUpdate,
} from "@/client/system";
import { http } from "@/lib/http";
import { useWorkspace } from "@/lib/workspace";

export const credentialsQuery = (workspace: string) =>
  queryOptions({
    queryKey: [workspace, "credentials", "list"],
    queryFn: ({ signal }) => http.get<CredentialList>("/api/credentials", { workspace, signal }),
  });

export const credentialQuery = (workspace: string, id: string) =>
  queryOptions({
    queryKey: [workspace, "credentials", "one", id],
    queryFn: ({ signal }) => http.get<Credential>(`/api/credentials/${id}`, { workspace, signal }),
  });

/** Every kind of credential, with the JSON Schema of its fields. */
export const credentialTypesQuery = (workspace: string) =>
  queryOptions({
    queryKey: [workspace, "credential-types"],
    queryFn: ({ signal }) => http.get<CredentialTypeList>("/api/credentials/types", { workspace, signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });

/** What happened with a credential, newest first: each call that used it, each change, each test. */
export const credentialHistoryQuery = (workspace: string, id: string) =>
  infiniteQueryOptions({
    queryKey: [workspace, "credentials", "history", id],
    queryFn: ({ pageParam, signal }) =>
      http.get<CredentialAudit>(`/api/credentials/${id}/audit`, {
        workspace,
        query: { cursor: pageParam, limit: 20 },
        signal,
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
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

/** Changes what is given; fields that are not named stay as they are. */
export const useUpdateCredential = () =>
  useCredentialChange((workspace, { id, body }: { id: string; body: CredentialUpdate }) =>
    http.put<Credential>(`/api/credentials/${id}`, { workspace, body }),
  );

export const useDeleteCredential = () =>
  useCredentialChange((workspace, id: string) => http.delete(`/api/credentials/${id}`, { workspace }));

/** Asks the provider whether the stored key works. */
export const useTestCredential = () =>
  useCredentialChange((workspace, id: string) =>
    http.post<CredentialTest>(`/api/credentials/${id}/test`, { workspace }),
  );

/** Tries a credential before it is stored. */
export const useTestKey = () =>
  useCredentialChange((workspace, body: CredentialTry) =>
    http.post<CredentialTest>("/api/credentials/test", { workspace, body }),
  );
