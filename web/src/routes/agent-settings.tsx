import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { ArrowLeft } from "lucide-react";
import type { Agent } from "@/client";
import type { HeartbeatConfig } from "@/client/agents";
import { useAgent } from "@/features/agents/queries";
import { AgentBadge } from "@/features/agents/status";
import { heartbeatQuery } from "@/features/heartbeats/queries";
import type { Tagged } from "@/lib/http";
import { useWorkspace } from "@/lib/workspace";
import { Loaded, together } from "@/ui/loaded";
import { Page } from "@/ui/page";
import { AgentSettings } from "./agent-settings-form";
import { numbered } from "./numbered";

const route = getRouteApi("/w/$workspace/agents/$agentId/settings/{-$tab}");

/** Everything about an agent that can be set, in seven tabs with one save. */
function Settings() {
  const { agentId } = route.useParams();
  const { id: workspace } = useWorkspace();
  const agent = useAgent(Number(agentId));
  const heartbeat = useQuery(heartbeatQuery(workspace, Number(agentId)));
  return (
    <Loaded of={together(agent, heartbeat)} page="Configure">
      {([found, beat]) => <Configure key={agentId} agent={found} heartbeat={beat} />}
    </Loaded>
  );
}

function Configure({ agent, heartbeat }: { agent: Tagged<Agent>; heartbeat: Tagged<HeartbeatConfig> }) {
  const { data } = agent;
  return (
    <Page
      title={`Configure ${data.name}`}
      lead={
        <span className="flex flex-wrap items-center gap-x-4 gap-y-1">
          <Link
            to="/w/$workspace/agents/$agentId"
            from="/w/$workspace"
            params={{ agentId: String(data.id) }}
            className="inline-flex items-center gap-1.5 hover:text-ink hover:underline"
          >
            <ArrowLeft aria-hidden className="size-4" /> Its profile
          </Link>
          <AgentBadge status={data.status} isStopping={data.stopping !== null} />
        </span>
      }
    >
      <AgentSettings agent={agent} heartbeat={heartbeat} />
    </Page>
  );
}

export const AgentSettingsPage = numbered("agent", () => route.useParams().agentId, Settings);
