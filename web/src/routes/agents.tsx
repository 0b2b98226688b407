import { getRouteApi, Link } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { AgentList } from "@/features/agents/agent-list";
import { AGENT_STATUSES } from "@/features/agents/status";
import { useCan } from "@/lib/workspace";
import { buttonClass } from "@/ui/button";
import { FilterBar, SearchBox, StatusFilter } from "@/ui/filters";
import { Page } from "@/ui/page";

const route = getRouteApi("/w/$workspace/agents");

export function AgentsPage() {
  const { q, status } = route.useSearch();
  const navigate = route.useNavigate();
  const mayEdit = useCan("editor");
  const show = (part: { q?: string | undefined; status?: string | undefined }) =>
    navigate({ search: (current) => ({ ...current, ...part }), replace: true });

  return (
    <Page
      title="Agents"
      lead="The models at work here, each with its own prompt and tools."
      action={
        mayEdit && (
          <Link to="/w/$workspace/agents/new" from="/w/$workspace" className={buttonClass({ look: "primary" })}>
            <Plus aria-hidden className="size-4" /> New agent
          </Link>
        )
      }
    >
      <FilterBar>
        <SearchBox label="Search agents" value={q ?? ""} onChange={(text) => show({ q: text || undefined })} />
        <StatusFilter options={AGENT_STATUSES} value={status} onChange={(value) => show({ status: value })} />
      </FilterBar>
      <AgentList filters={{ search: q, status }} onClearFilters={() => show({ q: undefined, status: undefined })} />
    </Page>
  );
}
