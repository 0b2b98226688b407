import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { formatCosts, formatCount, formatNumber, formatShare } from "@/lib/format";
import { useWorkspace } from "@/lib/workspace";
import { Loaded } from "@/ui/loaded";
import { Skeleton } from "@/ui/states";
import { agentStatsQuery } from "./queries";

/** How the workspace's agents are doing as a whole. */
export function StatsBar() {
  const { id: workspace } = useWorkspace();
  const stats = useQuery(agentStatsQuery(workspace));
  return (
    <Loaded of={stats} pending={<Skeleton className="h-[4.6rem]" />}>
      {(found) => {
        const idle = found.agents_by_status.idle ?? 0;
        return (
          <section aria-label="All agents at a glance" className="card overflow-hidden">
            <dl className="-mt-px -ml-px grid grid-cols-3 lg:grid-cols-5">
              <Figure
                label="Agents"
                value={formatNumber(found.total_agents)}
                note={categoriesOf(Object.keys(found.agents_by_category))}
              />
              <Figure
                label="Ready"
                value={formatNumber(found.active_agents)}
                note={idle > 0 ? `${idle} idle` : "to take work"}
              />
              <Figure
                label="Tasks now"
                value={formatNumber(found.tasks_running)}
                note={found.tasks_queued > 0 ? `${found.tasks_queued} queued` : "none waits"}
              />
              <Figure
                label="Success rate"
                value={formatShare(found.average_success_rate)}
                note={found.total_executions > 0 ? `of ${formatCount(found.total_executions, "task")}` : "no task yet"}
              />
              <Figure
                label="Spent"
                value={formatCosts({
                  cost_usd: found.total_cost_usd,
                  known_cost_usd: found.known_cost_usd,
                  unpriced_calls: found.unpriced_requests,
                })}
                note={formatCount(found.total_tokens, "token")}
              />
            </dl>
          </section>
        );
      }}
    </Loaded>
  );
}

const categoriesOf = (names: string[]) => formatCount(names.length, "category", "categories");

function Figure({ label, value, note }: { label: string; value: ReactNode; note: string }) {
  return (
    <div className="grid gap-x-2 border-t border-l px-4 py-3 max-lg:last:col-span-2">
      <dt className="text-sm text-muted">{label}</dt>
      <dd className="flex flex-wrap items-baseline gap-x-2">
        <span className="text-xl font-semibold tabular">{value}</span>
        <span className="text-sm text-muted max-sm:hidden">{note}</span>
      </dd>
    </div>
  );
}
