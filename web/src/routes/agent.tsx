import { getRouteApi, Link, Outlet, useNavigate } from "@tanstack/react-router";
import { Play, SlidersHorizontal } from "lucide-react";
import { useState } from "react";
import type { Agent } from "@/client";
import { AgentOverview } from "@/features/agents/agent-overview";
import { AgentRuns } from "@/features/agents/agent-runs";
import { TaskDialog } from "@/features/agents/agent-task";
import { AgentUsage } from "@/features/agents/agent-usage";
import { AgentVersions } from "@/features/agents/agent-versions";
import { DeleteAgentSheet } from "@/features/agents/impact-delete";
import { useAgentHints } from "@/features/agents/lifecycle-queries";
import { AgentPrompt } from "@/features/agents/prompt-viewer";
import { exportOf, useAgent } from "@/features/agents/queries";
import { StatusMenu } from "@/features/agents/status-sheet-menu";
import { useCan, useWorkspace } from "@/lib/workspace";
import { Button, buttonClass } from "@/ui/button";
import { Loaded } from "@/ui/loaded";
import { MoreMenu, saveYaml } from "@/ui/more-menu";
import { Page } from "@/ui/page";
import { Tabs, tabOf } from "@/ui/tabs";
import { toast } from "@/ui/toaster";
import { numbered } from "./numbered";

const route = getRouteApi("/w/$workspace/agents/$agentId");

const TABS = [
  { id: "overview", label: "Overview" },
  { id: "runs", label: "Runs" },
  { id: "usage", label: "Usage" },
  { id: "versions", label: "Versions" },
  { id: "prompt", label: "Prompt" },
];

/** One agent: who it is, how it does, what it did; its status sheet opens over this page. */
function OneAgent() {
  const { agentId } = route.useParams();
  const agent = useAgent(Number(agentId));
  useAgentHints(Number(agentId));
  return (
    <Loaded of={agent} page="Agent">
      {(found) => (
        <>
          <Profile key={agentId} agent={found.data} />
          <Outlet />
        </>
      )}
    </Loaded>
  );
}

function Profile({ agent }: { agent: Agent }) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const [isAsking, setAsking] = useState(false);
  const mayEdit = useCan("editor");
  const tab = tabOf(TABS, search.tab);
  const start = mayEdit && (
    <Button look="primary" onClick={() => setAsking(true)}>
      Give it a task
    </Button>
  );

  return (
    <Page
      title={agent.name}
      lead={agent.description}
      action={<Actions agent={agent} onRunTask={() => setAsking(true)} />}
    >
      <Tabs
        label={`About ${agent.name}`}
        tabs={TABS}
        value={tab}
        onChange={(id) => navigate({ search: { tab: id === "overview" ? undefined : id }, replace: true })}
      >
        {tab === "overview" && <AgentOverview agent={agent} />}
        {tab === "runs" && (
          <AgentRuns
            agentId={agent.id}
            status={search.status}
            skip={search.skip ?? 0}
            onShow={(part) => navigate({ search: (current) => ({ ...current, ...part }), replace: true })}
            start={start}
          />
        )}
        {tab === "usage" && <AgentUsage agent={agent} />}
        {tab === "versions" && (
          <AgentVersions
            agent={agent}
            from={search.from}
            to={search.to}
            onCompare={(pair) => navigate({ search: (current) => ({ ...current, ...pair }), replace: true })}
          />
        )}
        {tab === "prompt" && <AgentPrompt agentId={agent.id} />}
      </Tabs>
      {isAsking && <Task agent={agent} onClose={() => setAsking(false)} />}
    </Page>
  );
}

function Task({ agent, onClose }: { agent: Agent; onClose: () => void }) {
  const navigate = useNavigate();
  return (
    <TaskDialog
      agentId={agent.id}
      agentName={agent.name}
      onClose={onClose}
      onStarted={(started) => {
        if (started.waits_for) toast.success(started.message);
        void navigate({
          to: "/w/$workspace/runs/$runId",
          from: "/w/$workspace",
          params: { runId: started.run_id },
        });
      }}
    />
  );
}

function Actions({ agent, onRunTask }: { agent: Agent; onRunTask: () => void }) {
  const navigate = route.useNavigate();
  const mayEdit = useCan("editor");
  const openSheet = (target?: string) =>
    navigate({ to: "/w/$workspace/agents/$agentId/status", search: (current) => ({ ...current, target }) });
  return (
    <div className="flex flex-wrap items-center gap-2">
      <StatusMenu agent={agent} onOpenSheet={openSheet} />
      <Link
        to="/w/$workspace/agents/$agentId/settings/{-$tab}"
        from="/w/$workspace"
        params={{ agentId: String(agent.id) }}
        className={buttonClass()}
      >
        <SlidersHorizontal aria-hidden className="size-4" /> Configure
      </Link>
      {mayEdit && (
        <Button look="primary" onClick={onRunTask}>
          <Play aria-hidden className="size-4" /> Run task
        </Button>
      )}
      <More agent={agent} />
    </div>
  );
}

function More({ agent }: { agent: Agent }) {
  const { id: workspace } = useWorkspace();
  const mayEdit = useCan("editor");
  const navigate = useNavigate();
  const [isDeleting, setDeleting] = useState(false);

  return (
    <>
      <MoreMenu
        mayEdit={mayEdit}
        onDuplicate={() =>
          navigate({ to: "/w/$workspace/agents/new", from: "/w/$workspace", search: { from: agent.id } })
        }
        onExport={() => void saveYaml(agent.name, () => exportOf(workspace, agent.id))}
        onDelete={() => setDeleting(true)}
      />
      {isDeleting && (
        <DeleteAgentSheet
          agent={agent}
          onClose={() => setDeleting(false)}
          onDeleted={() => {
            toast.success(`${agent.name} is deleted.`);
            void navigate({ to: "/w/$workspace/agents", from: "/w/$workspace" });
          }}
        />
      )}
    </>
  );
}

export const AgentPage = numbered("agent", () => route.useParams().agentId, OneAgent);
