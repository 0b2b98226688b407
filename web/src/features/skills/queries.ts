import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import type {
  GitSourceBody,
  PatternBody,
  Skill,
  SkillBody,
  SkillContent,
  SkillDocument,
  SkillFile,
  SkillList,
  SkillPattern,
  SkillPatternList,
  SkillSource,
  SkillSourceList,
  SkillsImported,
  SkillVerdict,
  SkillVersionList,
  SourceUpdate,
  SyncResult,
} from "@/client/library";
import { exchange, http } from "@/lib/http";
import { useWorkspace } from "@/lib/workspace";

const MOST = 1000;
const BASE = "/api/skills";

export interface SkillFilters {
  search?: string | undefined;
  category?: string | undefined;
  source?: string | undefined;
}

export const skillsQuery = (workspace: string, filters: SkillFilters = {}) =>
  queryOptions({
    queryKey: [workspace, "skills", "list", filters],
    queryFn: ({ signal }) => http.get<SkillList>(BASE, { workspace, query: { ...filters, limit: MOST }, signal }),
    placeholderData: (previous) => previous,
  });

export const skillQuery = (workspace: string, id: number) =>
  queryOptions({
    queryKey: [workspace, "skills", "one", id],
    queryFn: ({ signal }) => http.get<SkillDocument>(`${BASE}/${id}`, { workspace, signal }),
  });

/** One skill with its instructions, as it is edited, and the ETag that its next save must name. */
export const skillTextQuery = (workspace: string, id: number) =>
  queryOptions({
    queryKey: [workspace, "skills", "text", id],
    queryFn: async ({ signal }) => {
      const [skill, content] = await Promise.all([
        exchange<SkillDocument>("GET", `${BASE}/${id}`, { workspace, signal }),
        http.get<SkillContent>(`${BASE}/${id}/content`, { workspace, query: { level: 2 }, signal }),
      ]);
      return { data: { skill: skill.data, content: content.content }, etag: skill.etag };
    },
  });

/** A skill as an agent loads it: 1 what is always in its prompt, 2 the instructions, 3 one of its files. */
export const contentQuery = (workspace: string, id: number, level: 1 | 2 | 3, file?: string) =>
  queryOptions({
    queryKey: [workspace, "skills", "content", id, level, file ?? ""],
    queryFn: ({ signal }) =>
      http.get<SkillContent>(`${BASE}/${id}/content`, { workspace, query: { level, resource_path: file }, signal }),
    retry: false,
  });

export const skillVersionsQuery = (workspace: string, id: number) =>
  queryOptions({
    queryKey: [workspace, "skills", "versions", id],
    queryFn: ({ signal }) => http.get<SkillVersionList>(`${BASE}/${id}/versions`, { workspace, signal }),
  });

export const sourcesQuery = (workspace: string) =>
  queryOptions({
    queryKey: [workspace, "skills", "sources"],
    queryFn: ({ signal }) => http.get<SkillSourceList>(`${BASE}/sources`, { workspace, signal }),
  });

/** One source as it is stored right now. */
export const sourceQuery = (workspace: string, id: string) =>
  queryOptions({
    queryKey: [workspace, "skills", "source", id],
    queryFn: ({ signal }) => http.get<SkillSource>(`${BASE}/sources/${id}`, { workspace, signal }),
    staleTime: 0,
  });

const PATTERNS = "/api/patterns";

export const patternsQuery = (workspace: string) =>
  queryOptions({
    queryKey: [workspace, "skills", "patterns"],
    queryFn: ({ signal }) => http.get<SkillPatternList>(PATTERNS, { workspace, signal }),
  });

/** One pattern together with the ETag that its next save must name. */
export const patternQuery = (workspace: string, slug: string) =>
  queryOptions({
    queryKey: [workspace, "skills", "pattern", slug],
    queryFn: ({ signal }) => exchange<SkillPattern>("GET", `${PATTERNS}/${slug}`, { workspace, signal }),
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
      if (slug === null) return exchange<SkillPattern>("POST", PATTERNS, { workspace, body });
      const headers: Record<string, string> = etag ? { "If-Match": etag } : {};
      return exchange<SkillPattern>("PUT", `${PATTERNS}/${slug}`, { workspace, body, headers });
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
    mutationFn: (slug: string) => http.delete(`${PATTERNS}/${slug}`, { workspace }),
    onSuccess: () => cache.invalidateQueries({ queryKey: patternsQuery(workspace).queryKey }),
  });
}

/** What the server finds wrong with a skill's files, without saving them. */
export const verdictQuery = (workspace: string, files: SkillFile[], isReady: boolean) =>
  queryOptions({
    queryKey: [workspace, "skill-verdict", files],
    queryFn: ({ signal }) =>
      http.post<SkillVerdict>(`${BASE}/validate`, { workspace, body: { files }, signal, isReading: true }),
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
export const useSaveSkill = () =>
  useSkillChange(
    (workspace, { id, etag, body }: { id: number | null; etag: string | null; body: Partial<SkillBody> }) => {
      if (id === null) return exchange<SkillDocument>("POST", BASE, { workspace, body });
      const headers: Record<string, string> = etag ? { "If-Match": etag } : {};
      return exchange<SkillDocument>("PUT", `${BASE}/${id}`, { workspace, body, headers });
    },
  );

export const useSwitchSkill = () =>
  useSkillChange((workspace, { id, isOn }: { id: number; isOn: boolean }) =>
    http.put<SkillDocument>(`${BASE}/${id}`, { workspace, body: { is_active: isOn } }),
  );

export const useDeleteSkill = () =>
  useSkillChange((workspace, { skill, force }: { skill: Pick<Skill, "id">; force: boolean }) =>
    http.delete(`${BASE}/${skill.id}`, { workspace, query: { force } }),
  );

export const useRestoreSkill = () =>
  useSkillChange((workspace, { id, version }: { id: number; version: number }) =>
    http.post<SkillDocument>(`${BASE}/${id}/versions/${version}/restore`, { workspace }),
  );

/** Takes every skill of a ZIP file that can be used. */
export const useUploadSkills = () =>
  useSkillChange((workspace, file: Blob) =>
    http.post<SkillsImported>(`${BASE}/upload`, { workspace, body: new Blob([file], { type: "application/zip" }) }),
  );

export const useAddSource = () =>
  useSkillChange((workspace, body: GitSourceBody) => http.post<SyncResult>(`${BASE}/sources/git`, { workspace, body }));

export const useUpdateSource = () =>
  useSkillChange((workspace, { id, ...body }: SourceUpdate & { id: string }) =>
    http.put<SkillSource>(`${BASE}/sources/${id}`, { workspace, body }),
  );

export const useDeleteSource = () =>
  useSkillChange((workspace, { id, force }: { id: string; force: boolean }) =>
    http.delete(`${BASE}/sources/${id}`, { workspace, query: { force } }),
  );

export const useSyncSource = () =>
  useSkillChange((workspace, id: string) => http.post<SyncResult>(`${BASE}/sources/${id}/sync`, { workspace }));

/** Stays at one commit; null follows the branch again. */
export const usePinSource = () =>
  useSkillChange((workspace, { id, commit }: { id: string; commit: string | null }) =>
    http.post<SyncResult>(`${BASE}/sources/${id}/pin`, { workspace, body: { commit_sha: commit } }),
  );

export const useRollBackSource = () =>
  useSkillChange((workspace, { id, commit }: { id: string; commit: string }) =>
    http.post<SyncResult>(`${BASE}/sources/${id}/rollback`, { workspace, body: { commit_sha: commit } }),
  );
