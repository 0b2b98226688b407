import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { History } from "lucide-react";
import type { ReactNode } from "react";
import type { RunSummary } from "@/client";
import { formatAgo, formatCost, formatDuration, formatTime, formatTokens } from "@/lib/format";
import { useWorkspace } from "@/lib/workspace";
import { Button } from "@/ui/button";
import { Loaded } from "@/ui/loaded";
import { Empty, SkeletonRows } from "@/ui/states";
import { type RunFilters, runsQuery } from "./queries";
import { kindOf, RunBadge } from "./status";

interface Props {
  filters: RunFilters;
  /** The main action of a workspace in which nothing has run yet. */
  start: ReactNode;
  onClearFilters: () => void;
}

/** The runs of the workspace, newest first, one page after the other. */
export function RunList({ filters, start, onClearFilters }: Props) {
  const { id: workspace } = useWorkspace();
  const runs = useInfiniteQuery(runsQuery(workspace, filters));
  return (
    <Loaded of={runs} pending={<SkeletonRows rows={6} />}>
      {(found) => {
        const rows = found.pages.flatMap((page) => page.items);

        if (rows.length === 0) {
          const isFiltered = Boolean(filters.status || filters.recipe);
          return isFiltered ? (
            <Empty
              icon={<History className="size-6" />}
              title="No run matches"
              action={<Button onClick={onClearFilters}>Show all runs</Button>}
            >
              No run of this workspace fits the chosen filter.
            </Empty>
          ) : (
            <Empty icon={<History className="size-6" />} title="Nothing has run yet" action={start}>
              Each time you cook a recipe or give an agent a task, its run appears here, live while it works and
              complete afterwards.
            </Empty>
          );
        }

        return (
          <div className="grid gap-4">
            <ul className="card divide-y overflow-hidden">
              {rows.map((run) => (
                <RunRow key={run.id} run={run} />
              ))}
            </ul>
            {runs.hasNextPage && (
              <Button
                className="justify-self-center"
                busy={runs.isFetchingNextPage}
                onClick={() => runs.fetchNextPage()}
              >
                Load more
              </Button>
            )}
          </div>
        );
      }}
    </Loaded>
  );
}

function RunRow({ run }: { run: RunSummary }) {
  return (
    <li className="relative grid gap-x-4 gap-y-1.5 px-4 py-3.5 hover:bg-sunken sm:grid-cols-[1fr_auto] sm:items-center sm:px-5">
      <div className="min-w-0">
        <Link
          to="/w/$workspace/runs/$runId"
          from="/w/$workspace"
          params={{ runId: run.id }}
          className="block truncate font-medium after:absolute after:inset-0"
        >
          {run.recipe_name} <span className="font-normal text-muted">{kindOf(run)}</span>
        </Link>
        <p className="truncate text-sm text-muted">
          <time dateTime={run.created_at} title={formatTime(run.created_at)}>
            {formatAgo(run.created_at)}
          </time>
          {run.triggered_by && ` · by ${run.triggered_by}`}
          {run.error && ` · ${run.error.message}`}
        </p>
      </div>
      <div className="flex flex-wrap items-center gap-x-4 gap-y-1 text-sm text-muted tabular sm:justify-end">
        {run.kind === "recipe" && (
          <span>
            step {Math.min(Math.max(run.current_step, 0), run.total_steps)} of {run.total_steps}
          </span>
        )}
        <span>{formatTokens(run.total_tokens)}</span>
        <span>{formatCost(run.cost_usd)}</span>
        {run.duration_ms !== null && <span>{formatDuration(run.duration_ms)}</span>}
        <RunBadge status={run.status} />
      </div>
    </li>
  );
}
