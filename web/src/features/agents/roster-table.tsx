import { useMemo } from "react";
import type { Agent } from "@/client";
import { formatAgo, formatTime } from "@/lib/format";
import { useCan } from "@/lib/workspace";
import { Avatar } from "@/ui/avatar";
import { type Column, type Sorting, VirtualTable } from "@/ui/virtual-table";
import { Choose } from "./agent-card";
import { AgentLink, modelOf, spentOf, successOf, tasksOf, workloadOf } from "./agent-facts";
import { type AgentActions, AgentMenu } from "./agent-menu";
import type { Chosen } from "./chosen";
import { AgentBadge } from "./status";

interface Props {
  agents: readonly Agent[];
  total: number;
  chosen: Chosen;
  actions: AgentActions;
  sorting: Sorting;
  onSort: (sorting: Sorting) => void;
  onEnd: () => void;
}

const keyOf = (agent: Agent) => agent.id;

const FACTS: Column<Agent>[] = [
  {
    id: "name",
    header: "Name",
    sort: "name",
    className: "max-w-72",
    cell: (agent) => (
      <span className="flex items-center gap-2.5">
        <Avatar id={agent.id} name={agent.name} className="size-7" />
        <AgentLink agent={agent} className="block min-w-0 truncate font-medium hover:underline" />
      </span>
    ),
  },
  {
    id: "status",
    header: "Status",
    sort: "status",
    cell: (agent) => <AgentBadge status={agent.status} isStopping={agent.stopping !== null} />,
  },
  {
    id: "category",
    header: "Category",
    className: "text-sm text-muted whitespace-nowrap",
    cell: (agent) => agent.marketplace_category,
  },
  {
    id: "model",
    header: "Model",
    className: "max-w-40",
    cell: (agent) => <span className="block truncate">{modelOf(agent)}</span>,
  },
  { id: "workload", header: "Workload", className: "text-sm whitespace-nowrap", cell: workloadOf },
  { id: "tasks", header: "Tasks", className: "text-right tabular", cell: tasksOf },
  { id: "success", header: "Success", sort: "success_rate", className: "text-right tabular", cell: successOf },
  {
    id: "cost",
    header: "Spent",
    sort: "total_cost",
    className: "text-right tabular",
    cell: spentOf,
  },
  {
    id: "last",
    header: "Last work",
    sort: "last_active_at",
    className: "text-sm whitespace-nowrap text-muted",
    cell: (agent) => <span title={formatTime(agent.last_active_at)}>{formatAgo(agent.last_active_at)}</span>,
  },
];

/** The roster as a table that can be ordered by its headings. */
export function RosterTable({ agents, total, chosen, actions, sorting, onSort, onEnd }: Props) {
  const mayEdit = useCan("editor");
  const columns = useMemo((): Column<Agent>[] => {
    const menu: Column<Agent> = {
      id: "menu",
      header: <span className="sr-only">Actions</span>,
      cell: (agent) => <AgentMenu agent={agent} actions={actions} />,
    };
    const tick: Column<Agent> = {
      id: "choose",
      header: <span className="sr-only">Selected</span>,
      cell: (agent) => (
        <Choose
          agent={agent}
          isChosen={chosen.ids.has(agent.id)}
          onChoose={(isChosen) => chosen.set(agent.id, isChosen)}
        />
      ),
    };
    return mayEdit ? [tick, ...FACTS, menu] : [...FACTS, menu];
  }, [mayEdit, chosen, actions]);

  return (
    <VirtualTable
      label="Agents"
      rows={agents}
      total={total}
      keyOf={keyOf}
      columns={columns}
      sorting={sorting}
      onSort={onSort}
      onEnd={onEnd}
      isChosen={(agent) => chosen.ids.has(agent.id)}
    />
  );
}
