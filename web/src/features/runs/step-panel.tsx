import { Link } from "@tanstack/react-router";
import { Wrench } from "lucide-react";
import type { ReactNode } from "react";
import type { RunError } from "@/client";
import { formatCount, formatDuration } from "@/lib/format";
import { Fold } from "@/ui/fold";
import { RichText } from "@/ui/text/rich-text";
import { TextCard } from "@/ui/text/text-card";
import { Attempts } from "./attempts";
import { ChildRun } from "./child-run";
import { Decision } from "./decision";
import { stepTitle } from "./kitchen-flow";
import type { StepView } from "./kitchen-state";
import { StepBadge } from "./status";
import { EndNote, TurnBlock } from "./turn";
import { useNow } from "./use-now";
import { UsedFigures } from "./used";
import { Work } from "./work";

interface Props {
  runId: string;
  step: StepView;
  title?: string | undefined;
  /** Its output is the run's result, which stands above. */
  isResult: boolean;
}

/** Everything about one step: what it was asked, what it does, what came out. */
export function StepPanel({ runId, step, title, isResult }: Props) {
  const isLive = step.status === "running";
  return (
    <section aria-labelledby="step-title" id="step" className="card grid gap-4 p-4 sm:p-6">
      <header className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <h2 id="step-title" dir="auto" className="min-w-0 text-lg font-semibold wrap-anywhere">
          {title ?? stepTitle(step)}
        </h2>
        <StepBadge status={step.status} />
        <div className="flex min-w-0 flex-wrap gap-x-4 text-sm wrap-anywhere text-muted tabular sm:ml-auto">
          <span dir="auto" className="min-w-0">
            {step.agentName}
          </span>
          {step.model && <span className="min-w-0">{step.model}</span>}
          {step.attempt > 1 && <span>attempt {step.attempt}</span>}
          <UsedFigures used={step} />
          <StepTime step={step} />
        </div>
      </header>
      {step.retry && (
        <p role="status" className="rounded-lg bg-warn-soft p-3 text-warn">
          Attempt {step.retry.attempt} starts in {step.retry.delayS} s. {step.retry.error?.message}
        </p>
      )}
      <Attempts attempts={step.attempts} />
      {step.error && <ErrorNote error={step.error} />}
      {step.turns.some((turn) => turn.callsFromText) && (
        <p className="flex items-start gap-2 text-sm text-muted">
          <Wrench aria-hidden className="mt-0.5 size-4 shrink-0" />
          The model wrote tool calls into its text; they were read out of it.
        </p>
      )}
      {step.prompt && (
        <Fold label="Prompt">
          <Framed>
            <RichText text={step.prompt} />
          </Framed>
        </Fold>
      )}
      {step.takenOverFrom && <TakenOver runId={step.takenOverFrom} />}
      {step.child && <ChildRun child={step.child} isOver={step.status !== "waiting"} />}
      <Decision runId={runId} step={step} />
      {step.status === "waiting" || step.items !== null ? null : isLive || step.output === null ? (
        <Work step={step} isLive={isLive} />
      ) : (
        <Finished step={step} hasKey={title === undefined} isResult={isResult} />
      )}
    </section>
  );
}

/** Where the step was done, when this run began behind it. */
function TakenOver({ runId }: { runId: string }) {
  return (
    <p>
      Taken over from{" "}
      <Link
        to="/w/$workspace/runs/$runId"
        from="/w/$workspace"
        params={{ runId }}
        className="text-accent hover:underline"
      >
        an earlier run
      </Link>
      ; it cost nothing here.
    </p>
  );
}

/** How long the step took, or has been at work until now. */
function StepTime({ step }: { step: StepView }) {
  const isRunning = step.status === "running" && step.startedAt !== null;
  const now = useNow(isRunning);
  const ms = isRunning ? Math.max(0, now - new Date(step.startedAt ?? "").getTime()) : step.durationMs;
  return ms === null ? null : <span title="Time of this step">{formatDuration(ms)}</span>;
}

export function ErrorNote({ error, action }: { error: RunError; action?: ReactNode }) {
  return (
    <div role="alert" className="grid gap-1 rounded-lg border border-bad bg-bad-soft p-3">
      <p dir="auto" className="font-medium wrap-anywhere text-bad">
        {error.message}
      </p>
      {error.next_step && <p className="wrap-anywhere">{error.next_step}</p>}
      {action}
    </div>
  );
}

function Finished({ step, hasKey, isResult }: { step: StepView; hasKey: boolean; isResult: boolean }) {
  const output = (
    <TextCard
      text={step.output ?? ""}
      copyLabel="Copy the output"
      title={
        <h3 className="text-sm font-medium text-muted">
          Output {hasKey && <span className="font-mono">{`{${step.outputKey}}`}</span>}
        </h3>
      }
    />
  );
  return (
    <>
      {step.isCutOff && <EndNote end="cut_off" />}
      {isResult ? <p className="text-muted">Its output is the result above.</p> : <Framed>{output}</Framed>}
      {step.turns.length > 0 && (
        <Fold label={`How it got there: ${formatCount(step.turns.length, "turn")}`}>
          <div className="grid min-w-0 gap-3">
            {step.turns.map((turn, index) => (
              <TurnBlock key={turn.turn} turn={turn} number={index + 1} isLive={false} />
            ))}
          </div>
        </Fold>
      )}
    </>
  );
}

/** Somebody's text, set apart from what the page says. */
export function Framed({ children }: { children: ReactNode }) {
  return <div className="min-w-0 rounded-lg border px-4 py-3">{children}</div>;
}
