import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Bot } from "lucide-react";
import type { Agent } from "@/client";
import { formatCount } from "@/lib/format";
import { useCan, useWorkspace } from "@/lib/workspace";
import { Button, buttonClass } from "@/ui/button";
import { ProblemNote } from "@/ui/problem";
import { Empty, SkeletonRows } from "@/ui/states";
import { type AgentFilters, agentsQuery } from "./queries";
import { AgentBadge } from "./status";
import { SwitchButton } from "./switch-button";

interface Props {
  filters: AgentFilters;
  onClearFilters: () => void;
}

export function AgentList({ filters, onClearFilters }: Props) {
  const { id: workspace } = useWorkspace();
  const agents = useQuery(agentsQuery(workspace, filters));
  const mayEdit = useCan("editor");
  if (agents.isPending) return <SkeletonRows rows={4} className="h-24" />;
  if (agents.isError) return <ProblemNote error={agents.error} onRetry={() => agents.refetch()} />;

  if (agents.data.items.length === 0) {
    return filters.search || filters.status ? (
      <Empty
        icon={<Bot className="size-6" />}
        title="No agent matches"
        action={<Button onClick={onClearFilters}>Show all agents</Button>}
      >
        No agent of this workspace fits the search and the chosen status.
      </Empty>
    ) : (
      <Empty
        icon={<Bot className="size-6" />}
        title="No agents yet"
        action={
          mayEdit && (
            <Link to="/w/$workspace/agents/new" from="/w/$workspace" className={buttonClass({ look: "primary" })}>
              Create an agent
            </Link>
          )
        }
      >
        An agent is a model with a task of its own: a prompt that says who it is, and the tools it may use. Recipes put
        agents to work, step by step.
      </Empty>
    );
  }

  return (
    <ul className="grid gap-4 md:grid-cols-2 xl:grid-cols-3">
      {agents.data.items.map((agent) => (
        <AgentCard key={agent.id} agent={agent} />
      ))}
    </ul>
  );
}

function AgentCard({ agent }: { agent: Agent }) {
  return (
    <li className="card relative flex flex-col gap-3 p-5 focus-within:border-line-strong! hover:border-line-strong!">
      <div className="flex items-start justify-between gap-3">
        <h2 className="min-w-0 font-semibold break-words">
          <Link
            to="/w/$workspace/agents/$agentId"
            from="/w/$workspace"
            params={{ agentId: String(agent.id) }}
            className="after:absolute after:inset-0"
          >
            {agent.name}
          </Link>
        </h2>
        <AgentBadge status={agent.status} />
      </div>
      <p className="line-clamp-2 text-muted">{agent.description || "No description."}</p>
      <div className="mt-auto flex items-end justify-between gap-3 pt-1">
        <p className="min-w-0 text-sm text-muted">
          <span className="block truncate">{agent.model_config ? agent.model_config.model_id : "default model"}</span>
          <span>{formatCount(agent.tools.length, "tool")}</span>
        </p>
        <SwitchButton agent={agent} small />
      </div>
    </li>
  );
}
