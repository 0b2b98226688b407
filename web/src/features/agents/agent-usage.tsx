import { useQuery } from "@tanstack/react-query";
import type { Agent } from "@/client";
import { formatAgo, formatCosts, formatCount, formatDuration, formatTime, formatTokens } from "@/lib/format";
import { useWorkspace } from "@/lib/workspace";
import { LoadProblem } from "@/ui/loaded";
import { Panel } from "@/ui/panel";
import { Stat, Stats } from "@/ui/stat";
import { SkeletonRows } from "@/ui/states";
import { Cell, Table } from "@/ui/table";
import { spentOf } from "./agent-facts";
import { RunName } from "./agent-runs";
import { agentRunsQuery } from "./lifecycle-queries";

const SHOWN = 20;
const COLUMNS = [
  { label: "Work" },
  { label: "Started" },
  { label: "Read", isNumber: true },
  { label: "Written", isNumber: true },
  { label: "Cost", isNumber: true },
  { label: "Time", isNumber: true },
];

/** The share of tasks that ended well, in words; nothing is claimed before there was a task. */
export function successOf(agent: Agent): { rate: string; basis: string } {
  const { success_rate, total_tasks_executed, failure_count } = agent.performance_metrics;
  if (!total_tasks_executed || success_rate == null) return { rate: "–", basis: "no task has ended yet" };
  return {
    rate: `${Math.round(success_rate * 1000) / 10}%`,
    basis: `${formatCount(total_tasks_executed, "task")}, ${failure_count ?? 0} failed`,
  };
}

/** What an agent has used: its totals, and what each of its latest steps took. */
export function AgentUsage({ agent }: { agent: Agent }) {
  const { id: workspace } = useWorkspace();
  const usage = agent.model_usage_stats;
  const runs = useQuery(agentRunsQuery(workspace, agent.id, { skip: 0 }, SHOWN));
  return (
    <>
      <Stats>
        <Stat label="Requests to models" value={usage.total_requests.toLocaleString("en")} />
        <Stat
          label="Tokens"
          value={usage.total_tokens.toLocaleString("en")}
          hint={`${formatTokens(Math.round(usage.avg_tokens_per_request))} a request`}
        />
        <Stat
          label="Cost"
          value={spentOf(agent)}
          hint={usage.unpriced_requests > 0 ? "a price nobody has entered is not added as free" : undefined}
        />
        <Stat label="Last used" value={usage.last_used_at ? formatAgo(usage.last_used_at) : "not yet"} />
      </Stats>
      <Panel
        title="Latest steps"
        lead="What each took; a price that nobody has entered is shown as unknown, not as free."
      >
        {runs.isPending && <SkeletonRows rows={4} className="h-10" />}
        <LoadProblem of={runs} />
        {runs.data?.items.length === 0 && <p className="text-muted">This agent has not worked yet.</p>}
        {runs.data && runs.data.items.length > 0 && (
          <Table label="Latest steps" columns={COLUMNS}>
            {runs.data.items.map((run) => (
              <tr key={`${run.run_id} ${run.step_id}`}>
                <Cell>
                  <RunName run={run} />
                </Cell>
                <Cell isQuiet title={formatTime(run.started_at)}>
                  {run.started_at ? formatAgo(run.started_at) : "not yet"}
                </Cell>
                <Cell isNumber>{formatTokens(run.input_tokens)}</Cell>
                <Cell isNumber>{formatTokens(run.output_tokens)}</Cell>
                <Cell isNumber>{run.finished_at ? formatCosts(run) : "–"}</Cell>
                <Cell isNumber>{formatDuration(run.duration_ms)}</Cell>
              </tr>
            ))}
          </Table>
        )}
      </Panel>
    </>
  );
}
