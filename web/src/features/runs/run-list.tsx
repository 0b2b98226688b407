import { useInfiniteQuery } from "@tanstack/react-query";
import { History } from "lucide-react";
import type { ReactNode } from "react";
import { formatTotal } from "@/lib/format";
import { useWorkspace } from "@/lib/workspace";
import { Button } from "@/ui/button";
import { Loaded } from "@/ui/loaded";
import { Empty, SkeletonRows } from "@/ui/states";
import { type RunFilters, runsQuery } from "./queries";
import { RunTable } from "./run-table";

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
      {({ pages }) => {
        const rows = pages.flatMap((page) => page.items);
        if (rows.length === 0) {
          return filters.status || filters.recipe ? <NoMatch onClear={onClearFilters} /> : <NoRuns start={start} />;
        }
        return (
          <div className="grid min-w-0 gap-4">
            <RunTable runs={rows} />
            <div className="flex flex-wrap items-center justify-center gap-4">
              <span className="text-sm text-muted tabular">
                {rows.length} of {formatTotal(pages[0], rows.length)} runs
              </span>
              {runs.hasNextPage && (
                <Button busy={runs.isFetchingNextPage} onClick={() => runs.fetchNextPage()}>
                  Load more
                </Button>
              )}
            </div>
          </div>
        );
      }}
    </Loaded>
  );
}

function NoMatch({ onClear }: { onClear: () => void }) {
  return (
    <Empty
      icon={<History className="size-6" />}
      title="No run matches"
      action={<Button onClick={onClear}>Show all runs</Button>}
    >
      No run of this workspace fits the chosen filter.
    </Empty>
  );
}

function NoRuns({ start }: { start: ReactNode }) {
  return (
    <Empty icon={<History className="size-6" />} title="Nothing has run yet" action={start}>
      Each time you cook a recipe or give an agent a task, its run appears here, live while it works and complete
      afterwards.
    </Empty>
  );
}
