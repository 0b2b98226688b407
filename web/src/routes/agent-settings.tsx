import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { ArrowLeft } from "lucide-react";
import { useAgent } from "@/features/agents/queries";
import { AgentBadge } from "@/features/agents/status";
import { heartbeatQuery } from "@/features/heartbeats/queries";
import { useWorkspace } from "@/lib/workspace";
import { Page } from "@/ui/page";
import { ProblemNote } from "@/ui/problem";
import { SkeletonRows } from "@/ui/states";
import { AgentSettings } from "./agent-settings-form";

const route = getRouteApi("/w/$workspace/agents/$agentId/settings/{-$tab}");

/** Everything about an agent that can be set, in seven tabs with one save. */
export function AgentSettingsPage() {
  const { agentId } = route.useParams();
  const { id: workspace } = useWorkspace();
  const agent = useAgent(Number(agentId));
  const heartbeat = useQuery(heartbeatQuery(workspace, Number(agentId)));
  const failed = agent.isError ? agent : heartbeat;
  if (failed.isError) {
    return <Page title="Configure">{<ProblemNote error={failed.error} onRetry={() => failed.refetch()} />}</Page>;
  }
  if (!agent.data || !heartbeat.data) return <Page title="Configure">{<SkeletonRows />}</Page>;
  const { data } = agent.data;
  return (
    <Page
      title={`Configure ${data.name}`}
      lead={
        <span className="flex flex-wrap items-center gap-x-4 gap-y-1">
          <Link
            to="/w/$workspace/agents/$agentId"
            from="/w/$workspace"
            params={{ agentId }}
            className="inline-flex items-center gap-1.5 hover:text-ink hover:underline"
          >
            <ArrowLeft aria-hidden className="size-4" /> Its profile
          </Link>
          <AgentBadge status={data.status} isStopping={data.stopping !== null} />
        </span>
      }
    >
      <AgentSettings key={agentId} agent={agent.data} heartbeat={heartbeat.data} />
    </Page>
  );
}
