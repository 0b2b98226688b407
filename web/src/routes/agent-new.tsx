import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { Eye } from "lucide-react";
import { useCallback, useEffect, useState } from "react";
import { type AgentDraft, copyOf } from "@/features/agents/draft";
import { agentQuery } from "@/features/agents/queries";
import type { WizardSlots } from "@/features/agents/slots";
import { useWizard } from "@/features/agents/use-wizard";
import { AgentWizard } from "@/features/agents/wizard";
import { personaChoicesQuery } from "@/features/personas/persona-picker";
import { DraftContext } from "@/features/runs/draft-context";
import { TryChat } from "@/features/runs/try-chat";
import { skillChoicesQuery } from "@/features/skills/skill-checklist";
import { useCan, useWorkspace } from "@/lib/workspace";
import { buttonClass } from "@/ui/button";
import { LoadProblem } from "@/ui/loaded";
import { Page } from "@/ui/page";
import { Empty, SkeletonRows } from "@/ui/states";
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
  const mayEdit = useCan("editor");
  // The address forgets the original once it is copied, so that a reload brings back the draft and not the original.
  const [origin, setOrigin] = useState(from);
  if (from !== undefined && from !== origin) setOrigin(from);
  const original = useQuery({ ...agentQuery(workspace, origin ?? 0), enabled: origin !== undefined });
  if (!mayEdit) return <NotAllowed />;
  return (
    <Page title="New agent" lead="A model with a task of its own, in five steps.">
      {origin === undefined && <Steps key="new" beginning={null} />}
      {origin !== undefined && original.isPending && <SkeletonRows />}
      <LoadProblem of={original} />
      {original.data && <Steps key={origin} beginning={copyOf(original.data.data)} />}
    </Page>
  );
}

function NotAllowed() {
  return (
    <Page title="New agent">
      <Empty
        icon={<Eye className="size-6" />}
        title="Only editors create agents"
        action={
          <Link to="/w/$workspace/agents" from="/w/$workspace" className={buttonClass({ look: "primary" })}>
            Look at the agents
          </Link>
        }
      >
        Your role in this workspace lets you look, not change. An admin can give you another.
      </Empty>
    </Page>
  );
}

function Steps({ beginning }: { beginning: AgentDraft | null }) {
  const { step = 1, from } = route.useSearch();
  const { id: workspace } = useWorkspace();
  const move = route.useNavigate();
  const navigate = useNavigate();
  const personas = useQuery(personaChoicesQuery(workspace)).data?.items ?? [];
  const skills = useQuery(skillChoicesQuery(workspace)).data?.items ?? [];
  const wizard = useWizard({
    step,
    onStep: useCallback(
      (to: number, isCorrection = false) =>
        void move({ search: (current) => ({ ...current, step: to }), replace: isCorrection }),
      [move],
    ),
    beginning,
  });

  useEffect(() => {
    if (from !== undefined) void move({ search: (current) => ({ ...current, from: undefined }), replace: true });
  }, [from, move]);

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
