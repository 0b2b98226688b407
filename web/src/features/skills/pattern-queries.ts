import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import type { PatternBody } from "@/client/library";
import { api, dataOf, taggedOf } from "@/lib/http";
import { useWorkspace } from "@/lib/workspace";

export const patternsQuery = (workspace: string) =>
  queryOptions({
    queryKey: [workspace, "skills", "patterns"],
    queryFn: ({ signal }) => dataOf(api(workspace).GET("/api/patterns", { signal })),
  });

/** One pattern together with the ETag that its next save must name. */
export const patternQuery = (workspace: string, slug: string) =>
  queryOptions({
    queryKey: [workspace, "skills", "pattern", slug],
    queryFn: ({ signal }) =>
      taggedOf(
        api(workspace).GET("/api/patterns/{pattern_slug}", { params: { path: { pattern_slug: slug } }, signal }),
      ),
  });

interface SavePattern {
  /** Null creates a pattern of the workspace. */
  slug: string | null;
  etag: string | null;
  body: PatternBody;
}

/** Creates a pattern of the workspace, or saves one unless somebody else has meanwhile. */
export function useSavePattern() {
  const { id: workspace } = useWorkspace();
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ slug, etag, body }: SavePattern) => {
      if (slug === null) return taggedOf(api(workspace).POST("/api/patterns", { body }));
      return taggedOf(
        api(workspace).PUT("/api/patterns/{pattern_slug}", {
          params: { path: { pattern_slug: slug }, header: { "if-match": etag } },
          body,
        }),
      );
    },
    onSuccess: (saved) => {
      cache.setQueryData(patternQuery(workspace, saved.data.slug).queryKey, saved);
      return cache.invalidateQueries({ queryKey: patternsQuery(workspace).queryKey });
    },
  });
}

export function useDeletePattern() {
  const { id: workspace } = useWorkspace();
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (slug: string) =>
      dataOf(api(workspace).DELETE("/api/patterns/{pattern_slug}", { params: { path: { pattern_slug: slug } } })),
    onSuccess: () => cache.invalidateQueries({ queryKey: patternsQuery(workspace).queryKey }),
  });
}
