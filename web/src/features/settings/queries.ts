import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import type { SettingWrite } from "@/client/system";
import { api, dataOf } from "@/lib/http";
import { useWorkspace } from "@/lib/workspace";

export const settingsQuery = (workspace: string) =>
  queryOptions({
    queryKey: [workspace, "settings", "list"],
    queryFn: ({ signal }) => dataOf(api(workspace).GET("/api/settings", { signal })),
  });

/** Every setting the server reads, with what it may hold. */
export const settingCatalogueQuery = (workspace: string) =>
  queryOptions({
    queryKey: [workspace, "settings", "catalogue"],
    queryFn: ({ signal }) => dataOf(api(workspace).GET("/api/settings/catalogue", { signal })),
    staleTime: Number.POSITIVE_INFINITY,
  });

interface Save extends SettingWrite {
  category: string;
  key: string;
}

/** Sets a value for the workspace or the whole server; null takes it back, so that what lies beneath holds again. */
export function useSaveSetting() {
  const { id: workspace } = useWorkspace();
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ category, key, ...body }: Save) =>
      dataOf(api(workspace).PUT("/api/settings/{category}/{key}", { params: { path: { category, key } }, body })),
    onSettled: () =>
      Promise.all([
        cache.invalidateQueries({ queryKey: [workspace, "settings", "list"] }),
        cache.invalidateQueries({ queryKey: [workspace, "models"] }),
      ]),
  });
}
