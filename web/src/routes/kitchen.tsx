import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import type { Run } from "@/client";
import { TaskDialog } from "@/features/agents/agent-task";
import { CookDialog } from "@/features/recipes/cook-dialog";
import { Kitchen } from "@/features/runs/kitchen-view";
import { runQuery } from "@/features/runs/queries";
import { useWorkspace } from "@/lib/workspace";
import { Loaded } from "@/ui/loaded";
import { ActivateAgent } from "./activate-agent";
import { NotThere } from "./root";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const route = getRouteApi("/w/$workspace/runs/$runId");

export function KitchenPage() {
  const { runId } = route.useParams();
  const { id: workspace } = useWorkspace();
  const isId = UUID.test(runId);
  const run = useQuery({ ...runQuery(workspace, runId), enabled: isId });
  if (!isId) {
    return (
      <NotThere title={`There is no run “${runId.slice(0, 40)}”`}>
        The address of a run ends in its whole id. Runs of this workspace are listed under Runs.
      </NotThere>
    );
  }
  return (
    <Loaded of={run} page="Run">
      {(found) => <Cooking key={runId} run={found} />}
    </Loaded>
  );
}

function Cooking({ run }: { run: Run }) {
  const { step } = route.useSearch();
  const select = route.useNavigate();
  const [isAsking, setAsking] = useState(false);

  useEffect(() => {
    document.title = `${run.recipe_name} run · Automatos`;
  }, [run.recipe_name]);

  return (
    <>
      <Kitchen
        run={run}
        selected={step}
        onSelect={(order) => select({ search: { step: order }, replace: true })}
        onCookAgain={() => setAsking(true)}
      />
      {isAsking && <Again run={run} onClose={() => setAsking(false)} />}
    </>
  );
}

/** The same work once more: a recipe with its inputs, a task with its prompt. */
function Again({ run, onClose }: { run: Run; onClose: () => void }) {
  const navigate = useNavigate();
  function started(runId: string) {
    onClose();
    void navigate({ to: "/w/$workspace/runs/$runId", from: "/w/$workspace", params: { runId } });
  }
  if (run.recipe_id !== null) {
    return (
      <CookDialog
        templateId={run.recipe_id}
        earlier={run.input_data}
        activate={(agent) => <ActivateAgent key={agent.id} agent={agent} />}
        onClose={onClose}
        onStarted={started}
      />
    );
  }
  if (run.agent_id === null) return null;
  return (
    <TaskDialog
      agentId={run.agent_id}
      agentName={run.recipe_name}
      earlier={typeof run.input_data.prompt === "string" ? run.input_data.prompt : undefined}
      onClose={onClose}
      onStarted={(task) => started(task.run_id)}
    />
  );
}
