import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import type { Run } from "@/client";
import { CookDialog } from "@/features/recipes/cook-dialog";
import { Kitchen } from "@/features/runs/kitchen-view";
import { runQuery } from "@/features/runs/queries";
import { useWorkspace } from "@/lib/workspace";
import { Page } from "@/ui/page";
import { ProblemNote } from "@/ui/problem";
import { SkeletonRows } from "@/ui/states";

const route = getRouteApi("/w/$workspace/runs/$runId");

export function KitchenPage() {
  const { runId } = route.useParams();
  const { id: workspace } = useWorkspace();
  const run = useQuery(runQuery(workspace, runId));
  if (run.isPending) return <Page title="Run">{<SkeletonRows />}</Page>;
  if (run.isError) return <Page title="Run">{<ProblemNote error={run.error} onRetry={() => run.refetch()} />}</Page>;
  return <Cooking key={runId} run={run.data} />;
}

function Cooking({ run }: { run: Run }) {
  const { step } = route.useSearch();
  const select = route.useNavigate();
  const navigate = useNavigate();
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
      {isAsking && (
        <CookDialog
          templateId={run.recipe_id}
          earlier={run.input_data}
          onClose={() => setAsking(false)}
          onStarted={(runId) => {
            setAsking(false);
            void navigate({ to: "/w/$workspace/runs/$runId", from: "/w/$workspace", params: { runId } });
          }}
        />
      )}
    </>
  );
}
