import { queryOptions, useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { formatTokens } from "@/lib/format";
import { api, dataOf } from "@/lib/http";
import { useWorkspace } from "@/lib/workspace";
import { Checklist } from "@/ui/checklist";
import { Loaded } from "@/ui/loaded";
import { Skeleton } from "@/ui/states";

const MOST = 200;

/** Skills to choose from. */
export const skillChoicesQuery = (workspace: string) =>
  queryOptions({
    queryKey: [workspace, "skills", "choices"],
    queryFn: ({ signal }) => dataOf(api(workspace).GET("/api/skills", { params: { query: { limit: MOST } }, signal })),
    staleTime: 60_000,
  });

interface Props {
  value: number[];
  onChange: (ids: number[]) => void;
  /** Where the workspace's skills are kept, for when there are none yet. */
  whereSkillsAre: ReactNode;
}

/** Which skills an agent has, each with what its text costs when it is read. */
export function SkillChecklist({ value, onChange, whereSkillsAre }: Props) {
  const { id: workspace } = useWorkspace();
  const skills = useQuery(skillChoicesQuery(workspace));
  return (
    <Loaded of={skills} pending={<Skeleton className="h-40" />}>
      {(found) => {
        if (found.items.length === 0) {
          return <p className="text-muted">This workspace has no skills yet. {whereSkillsAre}</p>;
        }
        const chosen = found.items.filter((skill) => value.includes(skill.id));
        const tokens = chosen.reduce((sum, skill) => sum + skill.core_tokens, 0);
        return (
          <div className="grid gap-4">
            <Checklist
              label="Skills"
              value={value}
              onChange={onChange}
              items={found.items.map((skill) => ({
                value: skill.id,
                label: skill.name,
                hint: (
                  <>
                    <span className="line-clamp-2">{skill.description}</span>
                    <span className="tabular">
                      {formatTokens(skill.core_tokens)}
                      {!skill.is_active && ", switched off"}
                    </span>
                  </>
                ),
                isOff: !skill.is_active,
                words: `${skill.name} ${skill.description} ${skill.tags.join(" ")}`,
              }))}
            />
            <p role="status" className="text-sm text-muted">
              {chosen.length === 0
                ? "No skill chosen."
                : `${chosen.length} chosen, ${formatTokens(tokens)} when all are read.`}
            </p>
          </div>
        );
      }}
    </Loaded>
  );
}
