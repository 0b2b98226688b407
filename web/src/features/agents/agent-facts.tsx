import { Link } from "@tanstack/react-router";
import type { Agent } from "@/client";
import { formatCosts, formatCount, formatShare } from "@/lib/format";

/** An agent's name as the way to its page. */
export function AgentLink({ agent, className }: { agent: Agent; className?: string }) {
  return (
    <Link
      to="/w/$workspace/agents/$agentId"
      from="/w/$workspace"
      params={{ agentId: String(agent.id) }}
      dir="auto"
      className={className}
      title={agent.name}
    >
      {agent.name}
    </Link>
  );
}

export const modelOf = (agent: Agent) => agent.model_config?.model_id ?? "default model";

/** What an agent's calls cost, with what that sum lacks. */
export function spentOf(agent: Agent): string {
  const { total_cost, known_cost, unpriced_requests } = agent.model_usage_stats;
  return formatCosts({ cost_usd: total_cost, known_cost_usd: known_cost, unpriced_calls: unpriced_requests });
}

/** How often the agent's tasks succeeded; a dash before the first. */
export const successOf = (agent: Agent) => formatShare(agent.performance_metrics.success_rate);

export const tasksOf = (agent: Agent) => agent.performance_metrics.total_tasks_executed;

/** What the agent has to do right now. */
export function workloadOf(agent: Agent): string {
  const { running, queued } = agent.workload;
  if (running === 0 && queued === 0) return "free";
  return queued > 0 ? `${running} at work, ${queued} queued` : formatCount(running, "task at work", "tasks at work");
}
