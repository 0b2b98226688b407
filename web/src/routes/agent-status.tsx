import { getRouteApi, useNavigate, useRouter } from "@tanstack/react-router";
import { StatusSheet } from "@/features/agents/status-sheet";

const route = getRouteApi("/w/$workspace/agents/$agentId/status");

/** The status sheet over an agent's profile; closing it leads back to where it was opened. */
export function AgentStatusPage() {
  const { agentId } = route.useParams();
  const { target, back, tab, status, skip, from, to } = route.useSearch();
  const navigate = useNavigate();
  const router = useRouter();
  return (
    <StatusSheet
      key={agentId}
      agentId={Number(agentId)}
      target={target}
      onClose={() => {
        if (back && router.history.canGoBack()) router.history.back();
        else {
          void navigate({
            to: "/w/$workspace/agents/$agentId",
            from: "/w/$workspace",
            params: { agentId },
            search: { tab, status, skip, from, to },
            replace: true,
          });
        }
      }}
    />
  );
}
