import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import type { CredentialCreate, CredentialTry, CredentialUpdate } from "@/client/system";
import { api, dataOf } from "@/lib/http";
import { useWorkspace } from "@/lib/workspace";

export const credentialsQuery = (workspace: string) =>
  queryOptions({
    queryKey: [workspace, "credentials", "list"],
    queryFn: ({ signal }) => dataOf(api(workspace).GET("/api/credentials", { signal })),
  });

export const credentialQuery = (workspace: string, id: string) =>
  queryOptions({
    queryKey: [workspace, "credentials", "one", id],
    queryFn: ({ signal }) =>
      dataOf(
        api(workspace).GET("/api/credentials/{credential_id}", { params: { path: { credential_id: id } }, signal }),
      ),
  });

/** Every kind of credential, with the JSON Schema of its fields. */
export const credentialTypesQuery = (workspace: string) =>
  queryOptions({
    queryKey: [workspace, "credential-types"],
    queryFn: ({ signal }) => dataOf(api(workspace).GET("/api/credentials/types", { signal })),
    staleTime: Number.POSITIVE_INFINITY,
  });

/** What happened with a credential, newest first: each call that used it, each change, each test. */
export const credentialHistoryQuery = (workspace: string, id: string) =>
  infiniteQueryOptions({
    queryKey: [workspace, "credentials", "history", id],
    queryFn: ({ pageParam, signal }) =>
      dataOf(
        api(workspace).GET("/api/credentials/{credential_id}/audit", {
          params: { path: { credential_id: id }, query: { cursor: pageParam, limit: 20 } },
          signal,
        }),
      ),
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
  useCredentialChange((workspace, body: CredentialCreate) => dataOf(api(workspace).POST("/api/credentials", { body })));

/** Changes what is given; fields that are not named stay as they are. */
export const useUpdateCredential = () =>
  useCredentialChange((workspace, { id, body }: { id: string; body: CredentialUpdate }) =>
    dataOf(api(workspace).PUT("/api/credentials/{credential_id}", { params: { path: { credential_id: id } }, body })),
  );

export const useDeleteCredential = () =>
  useCredentialChange((workspace, id: string) =>
    dataOf(api(workspace).DELETE("/api/credentials/{credential_id}", { params: { path: { credential_id: id } } })),
  );

/** Asks the provider whether the stored key works. */
export const useTestCredential = () =>
  useCredentialChange((workspace, id: string) =>
    dataOf(api(workspace).POST("/api/credentials/{credential_id}/test", { params: { path: { credential_id: id } } })),
  );

/** Tries a credential before it is stored. */
export const useTestKey = () =>
  useCredentialChange((workspace, body: CredentialTry) =>
    dataOf(api(workspace).POST("/api/credentials/test", { body })),
  );
