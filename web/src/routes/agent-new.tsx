import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";
import { type AgentDraft, copyOf } from "@/features/agents/draft";
import { agentQuery } from "@/features/agents/queries";
import { useWizard } from "@/features/agents/use-wizard";
import { AgentWizard, type WizardSlots } from "@/features/agents/wizard";
import { personaChoicesQuery } from "@/features/personas/persona-picker";
import { DraftContext } from "@/features/runs/draft-context";
import { TryChat } from "@/features/runs/try-chat";
import { skillChoicesQuery } from "@/features/skills/skill-checklist";
import { useWorkspace } from "@/lib/workspace";
import { Page } from "@/ui/page";
import { ProblemNote } from "@/ui/problem";
import { SkeletonRows } from "@/ui/states";
import { toast } from "@/ui/toaster";
import { agentSlots } from "./agent-slots";

const route = getRouteApi("/w/$workspace/agents/new");

const SLOTS: WizardSlots = {
  ...agentSlots(false),
  context: (agent) => <DraftContext agent={agent} />,
  trial: (agent) => <TryChat agent={agent} />,
};

/** The wizard; with `?from=` it begins as a copy of that agent. */
export function NewAgentPage() {
  const { from } = route.useSearch();
  const { id: workspace } = useWorkspace();
  const original = useQuery({ ...agentQuery(workspace, from ?? 0), enabled: from !== undefined });
  return (
    <Page title="New agent" lead="A model with a task of its own, in five steps.">
      {from === undefined && <Steps key="new" beginning={null} />}
      {from !== undefined && original.isPending && <SkeletonRows />}
      {original.isError && <ProblemNote error={original.error} onRetry={() => original.refetch()} />}
      {original.data && <Steps key={from} beginning={copyOf(original.data.data)} />}
    </Page>
  );
}

function Steps({ beginning }: { beginning: AgentDraft | null }) {
  const { step = 1 } = route.useSearch();
  const { id: workspace } = useWorkspace();
  const move = route.useNavigate();
  const navigate = useNavigate();
  const personas = useQuery(personaChoicesQuery(workspace)).data?.items ?? [];
  const skills = useQuery(skillChoicesQuery(workspace)).data?.items ?? [];
  const wizard = useWizard({
    workspace,
    step,
    onStep: (to) => void move({ search: (current) => ({ ...current, step: to }) }),
    beginning,
  });

  // biome-ignore lint/correctness/useExhaustiveDependencies: each step begins at its top
  useEffect(() => void scrollTo(0, 0), [wizard.step]);

  async function create() {
    const agent = await wizard.finish();
    if (!agent) return;
    toast.success(`${agent.name} is created.`);
    const params = { agentId: String(agent.id) };
    await navigate({ to: "/w/$workspace/agents/$agentId", from: "/w/$workspace", params });
  }

  return (
    <AgentWizard
      wizard={wizard}
      slots={SLOTS}
      personas={personas}
      skillName={(id) => skills.find((one) => one.id === id)?.name}
      onCreate={() => void create()}
    />
  );
}
