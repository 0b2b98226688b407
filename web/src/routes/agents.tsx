import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useMemo, useState } from "react";
import type { Agent } from "@/client";
import type { AgentActions } from "@/features/agents/agent-menu";
import { DeleteAgentSheet } from "@/features/agents/impact-delete";
import { agentStatsQuery } from "@/features/agents/queries";
import { Roster } from "@/features/agents/roster";
import { chooseView, chosenView, type RosterSearch } from "@/features/agents/roster-state";
import { StatsBar } from "@/features/agents/stats-bar";
import { StatusSheet } from "@/features/agents/status-sheet";
import { usePlanNote } from "@/features/workspaces/queries";
import { useCan, useWorkspace } from "@/lib/workspace";
import { buttonClass } from "@/ui/button";
import { Page } from "@/ui/page";
import { toast } from "@/ui/toaster";

const route = getRouteApi("/w/$workspace/agents");

export function AgentsPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { id: workspace } = useWorkspace();
  const mayEdit = useCan("editor");
  const planNote = usePlanNote("max_agents", "agents");
  const isEmpty = useQuery(agentStatsQuery(workspace)).data?.total_agents === 0;
  const [view, setView] = useState(search.view ?? chosenView());
  const [deleting, setDeleting] = useState<Agent | null>(null);
  const actions = useAgentActions(setDeleting);
  const show = (part: RosterSearch) => navigate({ search: (current) => ({ ...current, ...part }), replace: true });
  const newAgent = (
    <Link to="/w/$workspace/agents/new" from="/w/$workspace" className={buttonClass({ look: "primary" })}>
      <Plus aria-hidden className="size-4" /> New agent
    </Link>
  );

  return (
    <Page
      wide
      title="Agents"
      lead={`The models at work here, each with its own persona, skills and tools.${planNote}`}
      action={mayEdit && !isEmpty && newAgent}
    >
      {!isEmpty && <StatsBar />}
      <Roster
        search={search}
        view={search.view ?? view}
        onShow={(part) => void show(part)}
        onView={(next) => {
          chooseView(next);
          setView(next);
          void show({ view: next });
        }}
        actions={actions}
        start={newAgent}
      />
      {search.change !== undefined && (
        <StatusSheet agentId={search.change} onClose={() => void show({ change: undefined })} />
      )}
      {deleting && (
        <DeleteAgentSheet
          agent={deleting}
          onClose={() => setDeleting(null)}
          onDeleted={() => {
            toast.success(`${deleting.name} is deleted.`);
            setDeleting(null);
          }}
        />
      )}
    </Page>
  );
}

/** Where each item of an agent's menu leads. */
function useAgentActions(onDelete: (agent: Agent) => void): AgentActions {
  const go = useNavigate();
  return useMemo(() => {
    const place = { from: "/w/$workspace" as const };
    const params = (agent: Agent) => ({ agentId: String(agent.id) });
    return {
      onOpen: (agent) => void go({ ...place, to: "/w/$workspace/agents/$agentId", params: params(agent) }),
      onEdit: (agent) =>
        void go({ ...place, to: "/w/$workspace/agents/$agentId/settings/{-$tab}", params: params(agent) }),
      onDuplicate: (agent) => void go({ ...place, to: "/w/$workspace/agents/new", search: { from: agent.id } }),
      onChangeStatus: (agent) =>
        void go({ ...place, to: "/w/$workspace/agents", search: (current) => ({ ...current, change: agent.id }) }),
      onDelete,
    };
  }, [go, onDelete]);
}
