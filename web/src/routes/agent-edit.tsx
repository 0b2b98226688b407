import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { Trash2 } from "lucide-react";
import { useState } from "react";
import type { Agent } from "@/client";
import { type AgentDraft, AgentForm, draftOf } from "@/features/agents/agent-form";
import { agentQuery, useDeleteAgent, useSaveAgent, useSwitchAgent } from "@/features/agents/queries";
import { AgentBadge } from "@/features/agents/status";
import { SwitchButton } from "@/features/agents/switch-button";
import { ModelSelect } from "@/features/llm/model-select";
import { ToolChecklist } from "@/features/tools/tool-checklist";
import { asProblem } from "@/lib/problem";
import { useCan, useWorkspace } from "@/lib/workspace";
import { Button, IconButton } from "@/ui/button";
import { Confirm } from "@/ui/confirm";
import { Page } from "@/ui/page";
import { ProblemNote } from "@/ui/problem";
import { SkeletonRows } from "@/ui/states";
import { toast } from "@/ui/toaster";

const route = getRouteApi("/w/$workspace/agents/$agentId");

export function NewAgentPage() {
  return (
    <Page title="New agent" lead="Give it a name, a prompt and the tools it needs.">
      <Editor agent={null} etag={null} />
    </Page>
  );
}

export function AgentPage() {
  const { agentId } = route.useParams();
  const { id: workspace } = useWorkspace();
  const agent = useQuery(agentQuery(workspace, Number(agentId)));
  if (agent.isPending) return <Page title="Agent">{<SkeletonRows />}</Page>;
  if (agent.isError) {
    return <Page title="Agent">{<ProblemNote error={agent.error} onRetry={() => agent.refetch()} />}</Page>;
  }
  const { data, etag } = agent.data;
  return (
    <Page
      title={data.name}
      lead={<AgentBadge status={data.status} />}
      action={
        <div className="flex items-center gap-2">
          <DeleteAgent agent={data} />
          <SwitchButton agent={data} />
        </div>
      }
    >
      <Editor key={agentId} agent={data} etag={etag} />
    </Page>
  );
}

/** Starts from the agent as it was when the page opened; a change by somebody else shows up when saving. */
function Editor({ agent, etag }: { agent: Agent | null; etag: string | null }) {
  const [origin, setOrigin] = useState({ agent, etag });
  const save = useSaveAgent();
  const activation = useSwitchAgent();
  const mayEdit = useCan("editor");
  const navigate = useNavigate();
  const problem = save.error ? asProblem(save.error) : null;

  async function store(body: AgentDraft, activate: boolean) {
    const saved = await save.mutateAsync({ id: origin.agent?.id ?? null, etag: origin.etag, body });
    if (origin.agent) {
      setOrigin({ agent: saved.data, etag: saved.etag });
      toast.success("Saved.");
      return;
    }
    if (activate) {
      await activation
        .mutateAsync({ id: saved.data.id, verb: "activate" })
        .catch((error) => toast.error(`Created, but not active: ${asProblem(error).message}`));
    }
    toast.success(`${saved.data.name} is created.`);
    await navigate({ to: "/w/$workspace/agents", from: "/w/$workspace", ignoreBlocker: true });
  }

  return (
    <>
      <AgentForm
        key={origin.etag}
        initial={draftOf(origin.agent ?? undefined)}
        isNew={!origin.agent}
        isBusy={save.isPending || activation.isPending}
        problem={problem}
        readOnly={!mayEdit}
        // The mutation keeps its error, which the form shows.
        onSave={(draft, activate) => void store(draft, activate).catch(() => undefined)}
        modelField={(draft, change) => (
          <ModelSelect
            label="Model"
            withDefault
            value={draft.model_config}
            onChange={(choice) => change({ model_config: choice && { ...draft.model_config, ...choice } })}
          />
        )}
        toolsField={(draft, change) => <ToolChecklist value={draft.tools} onChange={(tools) => change({ tools })} />}
      />
      {problem?.status === 412 && (
        <Button
          className="justify-self-end"
          onClick={() => {
            save.reset();
            setOrigin({ agent, etag });
          }}
        >
          Drop my changes and show what is stored
        </Button>
      )}
    </>
  );
}

function DeleteAgent({ agent }: { agent: Agent }) {
  const [isAsking, setAsking] = useState(false);
  const remove = useDeleteAgent();
  const navigate = useNavigate();
  if (!useCan("editor")) return null;
  return (
    <>
      <IconButton label="Delete this agent" onClick={() => setAsking(true)}>
        <Trash2 aria-hidden className="size-5" />
      </IconButton>
      <Confirm
        open={isAsking}
        onOpenChange={setAsking}
        title={`Delete ${agent.name}?`}
        action="Delete agent"
        onConfirm={async () => {
          await remove.mutateAsync(agent.id);
          await navigate({ to: "/w/$workspace/agents", from: "/w/$workspace", ignoreBlocker: true });
        }}
      >
        Its past runs stay. Recipes that use it cannot be cooked until their steps name another agent.
      </Confirm>
    </>
  );
}
