import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import type { GitSourceBody, Skill, SkillBody, SkillFile, SourceUpdate } from "@/client/library";
import { api, asReading, dataOf, taggedOf } from "@/lib/http";
import { wordOf } from "@/lib/words";
import { useWorkspace } from "@/lib/workspace";

const MOST = 1000;

export interface SkillFilters {
  search?: string | undefined;
  category?: string | undefined;
  source?: string | undefined;
}

export const skillsQuery = (workspace: string, filters: SkillFilters = {}) =>
  queryOptions({
    queryKey: [workspace, "skills", "list", filters],
    queryFn: ({ signal }) =>
      dataOf(
        api(workspace).GET("/api/skills", {
          params: {
            query: {
              search: filters.search,
              category: wordOf("/api/skills", "category", filters.category),
              source: wordOf("/api/skills", "source", filters.source),
              limit: MOST,
            },
          },
          signal,
        }),
      ),
    placeholderData: (previous) => previous,
  });

export const skillQuery = (workspace: string, id: number) =>
  queryOptions({
    queryKey: [workspace, "skills", "one", id],
    queryFn: ({ signal }) =>
      dataOf(api(workspace).GET("/api/skills/{skill_id}", { params: { path: { skill_id: id } }, signal })),
  });

/** One skill with its instructions, as it is edited, and the ETag that its next save must name. */
export const skillTextQuery = (workspace: string, id: number) =>
  queryOptions({
    queryKey: [workspace, "skills", "text", id],
    queryFn: async ({ signal }) => {
      const [skill, content] = await Promise.all([
        taggedOf(api(workspace).GET("/api/skills/{skill_id}", { params: { path: { skill_id: id } }, signal })),
        dataOf(
          api(workspace).GET("/api/skills/{skill_id}/content", {
            params: { path: { skill_id: id }, query: { level: 2 } },
            signal,
          }),
        ),
      ]);
      return { data: { skill: skill.data, content: content.content }, etag: skill.etag };
    },
  });

/** A skill as an agent loads it: 1 what is always in its prompt, 2 the instructions, 3 one of its files. */
export const contentQuery = (workspace: string, id: number, level: 1 | 2 | 3, file?: string) =>
  queryOptions({
    queryKey: [workspace, "skills", "content", id, level, file ?? ""],
    queryFn: ({ signal }) =>
      dataOf(
        api(workspace).GET("/api/skills/{skill_id}/content", {
          params: { path: { skill_id: id }, query: { level, resource_path: file } },
          signal,
        }),
      ),
    retry: false,
  });

export const skillVersionsQuery = (workspace: string, id: number) =>
  queryOptions({
    queryKey: [workspace, "skills", "versions", id],
    queryFn: ({ signal }) =>
      dataOf(api(workspace).GET("/api/skills/{skill_id}/versions", { params: { path: { skill_id: id } }, signal })),
  });

export const sourcesQuery = (workspace: string) =>
  queryOptions({
    queryKey: [workspace, "skills", "sources"],
    queryFn: ({ signal }) => dataOf(api(workspace).GET("/api/skills/sources", { signal })),
  });

/** One source as it is stored right now. */
export const sourceQuery = (workspace: string, id: string) =>
  queryOptions({
    queryKey: [workspace, "skills", "source", id],
    queryFn: ({ signal }) =>
      dataOf(api(workspace).GET("/api/skills/sources/{source_id}", { params: { path: { source_id: id } }, signal })),
    staleTime: 0,
  });

/** What the server finds wrong with a skill's files, without saving them. */
export const verdictQuery = (workspace: string, files: SkillFile[], isReady: boolean) =>
  queryOptions({
    queryKey: [workspace, "skill-verdict", files],
    queryFn: ({ signal }) =>
      dataOf(api(workspace).POST("/api/skills/validate", { fetch: asReading, body: { files }, signal })),
    enabled: isReady,
    retry: false,
    gcTime: 10_000,
    placeholderData: (previous) => previous,
  });

/** A change of the library; whatever became of it, the skills are read again. */
function useSkillChange<T, R>(change: (workspace: string, value: T) => Promise<R>) {
  const { id: workspace } = useWorkspace();
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (value: T) => change(workspace, value),
    onSettled: () => cache.invalidateQueries({ queryKey: [workspace, "skills"] }),
  });
}

/** Creates a skill, or saves what changed of it as a new version unless somebody else has meanwhile. */
type SaveSkill = { etag: string | null } & ({ id: null; body: SkillBody } | { id: number; body: Partial<SkillBody> });

export const useSaveSkill = () =>
  useSkillChange((workspace, { id, etag, body }: SaveSkill) => {
    if (id === null) return taggedOf(api(workspace).POST("/api/skills", { body }));
    return taggedOf(
      api(workspace).PUT("/api/skills/{skill_id}", {
        params: { path: { skill_id: id }, header: { "if-match": etag } },
        body,
      }),
    );
  });

export const useSwitchSkill = () =>
  useSkillChange((workspace, { id, isOn }: { id: number; isOn: boolean }) =>
    dataOf(
      api(workspace).PUT("/api/skills/{skill_id}", { params: { path: { skill_id: id } }, body: { is_active: isOn } }),
    ),
  );

export const useDeleteSkill = () =>
  useSkillChange((workspace, { skill, force }: { skill: Pick<Skill, "id">; force: boolean }) =>
    dataOf(
      api(workspace).DELETE("/api/skills/{skill_id}", { params: { path: { skill_id: skill.id }, query: { force } } }),
    ),
  );

export const useRestoreSkill = () =>
  useSkillChange((workspace, { id, version }: { id: number; version: number }) =>
    dataOf(
      api(workspace).POST("/api/skills/{skill_id}/versions/{version}/restore", {
        params: { path: { skill_id: id, version } },
      }),
    ),
  );

/** Takes every skill of a ZIP file that can be used. */
export const useUploadSkills = () =>
  useSkillChange((workspace, file: Blob) =>
    dataOf(
      api(workspace).POST("/api/skills/upload", {
        body: file,
        bodySerializer: () => file,
        headers: { "Content-Type": "application/zip" },
      }),
    ),
  );

export const useAddSource = () =>
  useSkillChange((workspace, body: GitSourceBody) => dataOf(api(workspace).POST("/api/skills/sources/git", { body })));

export const useUpdateSource = () =>
  useSkillChange((workspace, { id, ...body }: SourceUpdate & { id: string }) =>
    dataOf(api(workspace).PUT("/api/skills/sources/{source_id}", { params: { path: { source_id: id } }, body })),
  );

export const useDeleteSource = () =>
  useSkillChange((workspace, { id, force }: { id: string; force: boolean }) =>
    dataOf(
      api(workspace).DELETE("/api/skills/sources/{source_id}", {
        params: { path: { source_id: id }, query: { force } },
      }),
    ),
  );

export const useSyncSource = () =>
  useSkillChange((workspace, id: string) =>
    dataOf(api(workspace).POST("/api/skills/sources/{source_id}/sync", { params: { path: { source_id: id } } })),
  );

/** Stays at one commit; null follows the branch again. */
export const usePinSource = () =>
  useSkillChange((workspace, { id, commit }: { id: string; commit: string | null }) =>
    dataOf(
      api(workspace).POST("/api/skills/sources/{source_id}/pin", {
        params: { path: { source_id: id } },
        body: { commit_sha: commit },
      }),
    ),
  );

export const useRollBackSource = () =>
  useSkillChange((workspace, { id, commit }: { id: string; commit: string }) =>
    dataOf(
      api(workspace).POST("/api/skills/sources/{source_id}/rollback", {
        params: { path: { source_id: id } },
        body: { commit_sha: commit },
      }),
    ),
  );
