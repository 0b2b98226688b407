import { Link } from "@tanstack/react-router";
import { ArrowLeft, CirclePause, CirclePlay, CircleStop, RotateCcw } from "lucide-react";
import type { Run } from "@/client";
import { formatDuration, formatTime, formatTokens } from "@/lib/format";
import { useCan } from "@/lib/workspace";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { ProblemNote } from "@/ui/problem";
import type { KitchenState } from "./kitchen-state";
import { isTerminal } from "./kitchen-state";
import { useCancelRun, usePauseRun } from "./queries";
import { kindOf, RunBadge, startedBy } from "./status";
import { useNow } from "./use-now";
import { UsedFigures } from "./used";

interface Props {
  run: Run;
  state: KitchenState;
  onCookAgain: () => void;
}

function elapsed(state: KitchenState, run: Run, now: number): number | null {
  if (state.totals?.durationMs != null) return state.totals.durationMs;
  const start = state.startedAt ?? run.started_at;
  if (!start) return null;
  const end = state.finishedAt ?? run.finished_at;
  return (end ? new Date(end).getTime() : now) - new Date(start).getTime();
}

/** Which run this is, how it stands, what it has used, and what to do with it now. */
export function KitchenHeader({ run, state, onCookAgain }: Props) {
  const isOver = isTerminal(state.status);
  const now = useNow(!isOver);
  const mayCook = useCan("editor");
  const cancel = useCancelRun(run.id);
  const pause = usePauseRun(run.id);
  const Icon = state.heldBy ? CirclePlay : CirclePause;
  const isEstimated = state.steps.some((step) => step.isEstimated);
  const tokens = state.steps.reduce((sum, step) => sum + step.tokens, 0);

  return (
    <header className="grid gap-4">
      <Link
        to="/w/$workspace/runs"
        from="/w/$workspace"
        className="flex items-center gap-1.5 justify-self-start text-sm text-muted hover:text-ink"
      >
        <ArrowLeft aria-hidden className="size-4" /> Runs
      </Link>
      <div className="flex flex-wrap items-start justify-between gap-4">
        <div className="grid min-w-0 gap-2">
          <h1 dir="auto" className="min-w-0 text-2xl font-semibold tracking-tight wrap-anywhere">
            {run.agent_id === null ? (
              run.recipe_name
            ) : (
              <Link
                to="/w/$workspace/agents/$agentId"
                from="/w/$workspace"
                params={{ agentId: String(run.agent_id) }}
                className="hover:text-accent hover:underline"
              >
                {run.recipe_name}
              </Link>
            )}{" "}
            <span className="font-normal text-muted">{kindOf(run)}</span>
          </h1>
          <div className="flex flex-wrap items-center gap-x-4 gap-y-1.5 text-muted tabular">
            <span aria-live="polite">
              <RunBadge status={state.status} />
            </span>
            <span title="Time from start to end">{formatDuration(elapsed(state, run, now))}</span>
            {state.totals ? (
              <UsedFigures used={state.totals} />
            ) : (
              <span>{tokens > 0 && `${formatTokens(tokens, isEstimated)}, `}cost at the end</span>
            )}
            {state.isCutOff && <Badge tone="warn">Cut off</Badge>}
            <span>
              {formatTime(run.created_at)}
              {run.triggered_by && `, ${startedBy(run.triggered_by)}`}
            </span>
          </div>
        </div>
        {mayCook && isOver && run.kind !== "heartbeat" && (
          <Button look="primary" onClick={onCookAgain}>
            <RotateCcw aria-hidden className="size-4" /> {run.kind === "task" ? "Run again" : "Cook again"}
          </Button>
        )}
        {mayCook && !isOver && (
          <div className="flex flex-wrap gap-3">
            <Button busy={pause.isPending} onClick={() => pause.mutate(state.heldBy === null)}>
              {!pause.isPending && <Icon aria-hidden className="size-4" />} {state.heldBy ? "Resume run" : "Pause run"}
            </Button>
            <Button look="danger" busy={cancel.isPending} onClick={() => cancel.mutate()}>
              {!cancel.isPending && <CircleStop aria-hidden className="size-4" />} Cancel run
            </Button>
          </div>
        )}
      </div>
      {pause.error && <ProblemNote error={pause.error} />}
      {cancel.error && <ProblemNote error={cancel.error} />}
    </header>
  );
}
