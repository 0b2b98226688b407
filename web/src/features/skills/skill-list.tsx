import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { GraduationCap } from "lucide-react";
import type { ReactNode } from "react";
import type { Skill } from "@/client/library";
import { formatCount, formatTokens } from "@/lib/format";
import { useWorkspace } from "@/lib/workspace";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { FilterBar, PickFilter, SearchBox } from "@/ui/filters";
import { LoadProblem } from "@/ui/loaded";
import { Empty, SkeletonRows } from "@/ui/states";
import { type SkillFilters, skillsQuery } from "./queries";
import { ORIGIN_OPTIONS, ORIGINS } from "./words";

interface Props {
  filters: SkillFilters;
  onFilter: (part: SkillFilters) => void;
  /** The main action while there is none. */
  start: ReactNode;
}

/** Every skill an agent of this workspace can be given. */
export function SkillLibrary({ filters, onFilter, start }: Props) {
  const { id: workspace } = useWorkspace();
  const skills = useQuery(skillsQuery(workspace, filters));
  const categories = skills.data?.categories ?? [];
  return (
    <>
      <FilterBar>
        <SearchBox
          label="Search skills"
          value={filters.search ?? ""}
          onChange={(text) => onFilter({ search: text || undefined })}
        />
        <PickFilter
          label="All categories"
          options={categories.map((name) => ({ value: name, label: name }))}
          value={filters.category}
          onChange={(category) => onFilter({ category })}
        />
        <PickFilter
          label="Any origin"
          options={ORIGIN_OPTIONS}
          value={filters.source}
          onChange={(source) => onFilter({ source })}
        />
        {skills.data && <p className="text-sm text-muted tabular">{formatCount(skills.data.total, "skill")}</p>}
      </FilterBar>
      {skills.isPending && <SkeletonRows rows={6} />}
      <LoadProblem of={skills} />
      {skills.data?.items.length === 0 && <None filters={filters} onFilter={onFilter} start={start} />}
      {skills.data && skills.data.items.length > 0 && (
        <ul className="card divide-y overflow-hidden">
          {skills.data.items.map((skill) => (
            <SkillRow key={skill.id} skill={skill} />
          ))}
        </ul>
      )}
    </>
  );
}

function None({ filters, onFilter, start }: Props) {
  const isFiltered = Boolean(filters.search || filters.category || filters.source);
  if (!isFiltered) {
    return (
      <Empty icon={<GraduationCap className="size-6" />} title="No skills yet" action={start}>
        A skill is a set of instructions with the files it needs. Agents see its description at all times, and read the
        rest when a task calls for it.
      </Empty>
    );
  }
  return (
    <Empty
      icon={<GraduationCap className="size-6" />}
      title="No skill matches"
      action={
        <Button onClick={() => onFilter({ search: undefined, category: undefined, source: undefined })}>
          Show all skills
        </Button>
      }
    >
      No skill fits the search and the chosen filters.
    </Empty>
  );
}

function SkillRow({ skill }: { skill: Skill }) {
  return (
    <li className="relative grid gap-x-6 gap-y-1.5 px-4 py-3.5 hover:bg-sunken sm:grid-cols-[1fr_auto] sm:items-center sm:px-5">
      <div className="min-w-0">
        <Link
          to="/w/$workspace/skills/$skillId"
          from="/w/$workspace"
          params={{ skillId: String(skill.id) }}
          className="font-medium wrap-anywhere after:absolute after:inset-0"
        >
          {skill.name}
        </Link>
        <p className="line-clamp-2 text-sm text-muted">{skill.description}</p>
      </div>
      <div className="flex flex-wrap items-center gap-x-4 gap-y-1 text-sm text-muted tabular sm:justify-end">
        {skill.agents_count > 0 && <span>{formatCount(skill.agents_count, "agent")}</span>}
        <span title="Length of the instructions">{formatTokens(skill.core_tokens)}</span>
        {skill.notes.length > 0 && <span>{formatCount(skill.notes.length, "note")}</span>}
        <OriginBadge skill={skill} />
      </div>
    </li>
  );
}

export function OriginBadge({ skill }: { skill: Pick<Skill, "source" | "source_name" | "is_active"> }) {
  if (!skill.is_active) return <Badge tone="warn">Switched off</Badge>;
  const label = skill.source === "git" && skill.source_name ? skill.source_name : ORIGINS[skill.source];
  return <Badge tone={skill.source === "seed" ? "neutral" : "accent"}>{label ?? skill.source}</Badge>;
}
