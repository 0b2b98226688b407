import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Drama } from "lucide-react";
import type { ReactNode } from "react";
import type { Persona } from "@/client/library";
import { formatCount, formatTokens } from "@/lib/format";
import { useWorkspace } from "@/lib/workspace";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { FilterBar, PickFilter, SearchBox } from "@/ui/filters";
import { LoadProblem } from "@/ui/loaded";
import { Empty, SkeletonRows } from "@/ui/states";
import { byCategory } from "./by-category";
import { type PersonaFilters, personasQuery } from "./queries";

interface Props {
  filters: PersonaFilters;
  onFilter: (part: PersonaFilters) => void;
  /** The main action while there is none. */
  start: ReactNode;
}

const SCOPES = [
  { value: "global", label: "Built in" },
  { value: "workspace", label: "Of this workspace" },
];

/** Every voice an agent can be given, by category. */
export function PersonaLibrary({ filters, onFilter, start }: Props) {
  const { id: workspace } = useWorkspace();
  const personas = useQuery(personasQuery(workspace, filters));
  const categories = personas.data?.categories ?? [];
  return (
    <>
      <FilterBar>
        <SearchBox
          label="Search personas"
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
          label="Built in and own"
          options={SCOPES}
          value={filters.scope}
          onChange={(scope) => onFilter({ scope })}
        />
      </FilterBar>
      {personas.isPending && <SkeletonRows rows={4} className="h-28" />}
      <LoadProblem of={personas} />
      {personas.data?.items.length === 0 && <None filters={filters} onFilter={onFilter} start={start} />}
      {byCategory(personas.data?.items ?? []).map(([category, items]) => (
        <section key={category} aria-label={category} className="grid gap-3">
          <h2 className="text-lg font-semibold">{category}</h2>
          <ul className="grid grid-cols-[minmax(0,1fr)] gap-4 sm:grid-cols-2 xl:grid-cols-4">
            {items.map((persona) => (
              <PersonaCard key={persona.id} persona={persona} />
            ))}
          </ul>
        </section>
      ))}
    </>
  );
}

function None({ filters, onFilter, start }: Props) {
  const isFiltered = Boolean(filters.search || filters.category || filters.scope);
  if (!isFiltered) {
    return (
      <Empty icon={<Drama className="size-6" />} title="No personas yet" action={start}>
        A persona says who an agent is: its role, its manner, its limits. Write it once and give it to many agents.
      </Empty>
    );
  }
  return (
    <Empty
      icon={<Drama className="size-6" />}
      title="No persona matches"
      action={
        <Button onClick={() => onFilter({ search: undefined, category: undefined, scope: undefined })}>
          Show all personas
        </Button>
      }
    >
      No persona fits the search and the chosen filters.
    </Empty>
  );
}

function PersonaCard({ persona }: { persona: Persona }) {
  return (
    <li className="card relative flex min-w-0 flex-col gap-2 p-5 focus-within:border-line-strong! hover:border-line-strong!">
      <div className="flex items-start justify-between gap-3">
        <h3 dir="auto" className="min-w-0 font-semibold wrap-anywhere">
          <Link
            to="/w/$workspace/personas"
            from="/w/$workspace"
            search={(current) => ({ ...current, view: persona.id })}
            resetScroll={false}
            className="after:absolute after:inset-0"
          >
            {persona.name}
          </Link>
        </h3>
        <ScopeBadge persona={persona} />
      </div>
      <p dir="auto" className="line-clamp-3 wrap-anywhere text-muted">
        {persona.description || "No description."}
      </p>
      <p className="mt-auto pt-1 text-sm text-muted tabular">
        {formatTokens(persona.token_estimate)}
        {persona.agents_count > 0 && `, used by ${formatCount(persona.agents_count, "agent")}`}
      </p>
    </li>
  );
}

export function ScopeBadge({ persona }: { persona: Pick<Persona, "scope" | "is_active"> }) {
  if (!persona.is_active) return <Badge tone="warn">Switched off</Badge>;
  return persona.scope === "global" ? <Badge tone="neutral">Built in</Badge> : <Badge tone="accent">Own</Badge>;
}
