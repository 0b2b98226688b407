import { useNavigate } from "@tanstack/react-router";
import { GitFork } from "lucide-react";
import { useCan } from "@/lib/workspace";
import { Button } from "@/ui/button";
import { ProblemNote } from "@/ui/problem";
import { stepTitle } from "./kitchen-flow";
import type { StepView } from "./kitchen-state";
import { useForkRun } from "./queries";

interface Props {
  runId: string;
  step: StepView;
}

/** Runs once more from the chosen step on; what the steps before it gave is taken over. Steps of items are no beginnings. */
export function ForkFrom({ runId, step }: Props) {
  const mayFork = useCan("editor");
  const navigate = useNavigate();
  const fork = useForkRun(runId);
  if (!mayFork || step.stepId.includes("[")) return null;
  const begin = () =>
    fork.mutate(step.stepId, {
      onSuccess: (started) =>
        navigate({ to: "/w/$workspace/runs/$runId", from: "/w/$workspace", params: { runId: started.run_id } }),
    });
  return (
    <div className="grid gap-3">
      <Button className="justify-self-start" busy={fork.isPending} onClick={begin}>
        {!fork.isPending && <GitFork aria-hidden className="size-4" />} Run again from {stepTitle(step)}
      </Button>
      {fork.error && <ProblemNote error={fork.error} />}
    </div>
  );
}
