import { CircleAlert, CirclePause, RefreshCw } from "lucide-react";
import type { Run, RunError } from "@/client";
import { useConnection } from "@/lib/live/react";
import { Button } from "@/ui/button";
import { ProblemNote } from "@/ui/problem";
import { SkeletonRows } from "@/ui/states";
import { ParentRun } from "./child-run";
import { ForkFrom } from "./fork-from";
import { KitchenHeader } from "./kitchen-header";
import type { KitchenState, StepView } from "./kitchen-state";
import { isTerminal } from "./kitchen-state";
import { StepStrip } from "./kitchen-steps";
import { useRunFeed } from "./queries";
import { ResultCard, resultStep } from "./result-card";
import { ErrorNote, StepPanel } from "./step-panel";
import { Values } from "./values";

interface Props {
  run: Run;
  selected: number | undefined;
  onSelect: (order: number) => void;
  onCookAgain: () => void;
}

/** The step to look at when none was chosen: the one at work or held up, the one that failed, else the last that was reached. */
function stepInFocus(state: KitchenState): number | undefined {
  const failed = state.steps.find((step) => step.status === "failed");
  const running = state.steps.find((step) => step.status === "running");
  const asked = state.steps.find((step) => step.waitsFor === "approval");
  const waiting = state.steps.find((step) => step.waitsFor !== null);
  const reached = state.steps.findLast((step) => step.startedAt !== null);
  return (asked ?? running ?? waiting ?? failed ?? reached ?? state.steps[0])?.order;
}

/** A run as it happens, and afterwards all of what happened. */
export function Kitchen({ run, selected, onSelect, onCookAgain }: Props) {
  const { state, error, retry } = useRunFeed(run.id);
  const isRecipe = run.kind === "recipe";
  const order = selected ?? stepInFocus(state);
  const step = state.steps.find((one) => one.order === order);
  const hasResult = isTerminal(state.status) && state.error === null && state.finalOutput !== null;
  const isResult = hasResult && step !== undefined && step === resultStep(state);
  return (
    <div className="mx-auto grid w-full max-w-[90rem] gap-5 px-4 py-6 sm:px-8 sm:py-8">
      <KitchenHeader run={run} state={state} onCookAgain={onCookAgain} />
      <ParentRun parent={run.parent} />
      <ConnectionNotice isOver={isTerminal(state.status)} />
      {error !== null && <ProblemNote error={error} onRetry={retry} />}
      <Notices state={state} />
      {state.error && <Failure error={state.error} steps={state.steps} shown={order} onSelect={onSelect} />}
      {state.cancelledBy && <p className="text-muted">Cancelled by {state.cancelledBy}.</p>}
      {hasResult && <ResultCard run={run} state={state} />}
      {state.outputs && <Values title="Outputs" values={state.outputs} isWhole />}
      {!isRecipe && <Values title="What was asked" values={run.input_data} />}
      {isRecipe && state.steps.length > 0 && <StepStrip steps={state.steps} selected={order} onSelect={onSelect} />}
      {state.steps.length === 0 && error === null && <SkeletonRows rows={2} className="h-20" />}
      {step && (
        <StepPanel
          key={step.order}
          runId={run.id}
          step={step}
          isResult={isResult}
          title={isRecipe ? undefined : "What it did"}
        />
      )}
      {isRecipe && step && isTerminal(state.status) && (
        <ForkFrom key={`fork ${step.order}`} runId={run.id} step={step} />
      )}
      {isRecipe && <Values title="Inputs" values={run.input_data} />}
    </div>
  );
}

/** What holds the run up, or has. */
function Notices({ state }: { state: KitchenState }) {
  return (
    <>
      {state.recoveries > 0 && (
        <p role="status" className="flex items-start gap-2 rounded-lg bg-warn-soft p-3 text-warn">
          <RefreshCw aria-hidden className="mt-0.5 size-4 shrink-0" />
          The worker stopped and another took over{state.recoveries > 1 && ` (${state.recoveries} times)`}; finished
          steps were kept.
        </p>
      )}
      {state.status === "queued" && state.steps.length > 0 && (
        <p role="status" className="text-muted">
          In the queue: it starts as soon as its agent is free, or is resumed if it is paused.
        </p>
      )}
      {state.heldBy && (
        <p role="status" className="flex items-start gap-2 rounded-lg bg-warn-soft p-3 text-warn">
          <CirclePause aria-hidden className="mt-0.5 size-4 shrink-0" />
          {state.status === "paused"
            ? `Paused by ${state.heldBy}. It goes on from where it stands when somebody resumes it.`
            : `Paused by ${state.heldBy}: what is at work is finished, nothing else begins.`}
        </p>
      )}
      {state.pausedBy && (
        <p role="status" className="flex items-start gap-2 rounded-lg bg-warn-soft p-3 text-warn">
          <CirclePause aria-hidden className="mt-0.5 size-4 shrink-0" />
          {state.pausedBy} is paused. The run goes on from where it stands when the agent is resumed.
        </p>
      )}
    </>
  );
}

interface FailureProps {
  error: RunError;
  steps: StepView[];
  shown: number | undefined;
  onSelect: (order: number) => void;
}

/** Why the run failed, once: a step that failed says it itself, and this leads there. */
function Failure({ error, steps, shown, onSelect }: FailureProps) {
  const failed = steps.find((step) => step.status === "failed" && step.error?.message === error.message);
  if (!failed) return <ErrorNote error={error} />;
  if (failed.order === shown) return null;
  return (
    <div role="alert" className="flex flex-wrap items-center gap-3 rounded-lg border border-bad bg-bad-soft p-3">
      <p className="font-medium wrap-anywhere text-bad">
        Step {failed.order}, {failed.stepId}, failed.
      </p>
      <Button size="sm" onClick={() => onSelect(failed.order)}>
        Show why
      </Button>
    </div>
  );
}

function ConnectionNotice({ isOver }: { isOver: boolean }) {
  const connection = useConnection();
  if (isOver || (connection !== "retrying" && connection !== "offline")) return null;
  return (
    <p role="status" className="flex items-center gap-2 rounded-lg bg-warn-soft p-3 text-warn">
      <CircleAlert aria-hidden className="size-4 shrink-0" />
      Connection lost, retrying. The run goes on; what you miss appears when the connection is back.
    </p>
  );
}
