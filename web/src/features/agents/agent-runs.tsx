import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import {
  CircleAlert,
  CircleCheck,
  CircleDashed,
  CircleSlash,
  History,
  Hourglass,
  LoaderCircle,
  SkipForward,
} from "lucide-react";
import type { ReactNode } from "react";
import type { AgentRun } from "@/client/lifecycle";
import { formatAgo, formatCosts, formatDuration, formatTime, formatTokens, formatTotal } from "@/lib/format";
import { useWorkspace } from "@/lib/workspace";
import { Badge, type Tone } from "@/ui/badge";
import { Button } from "@/ui/button";
import { FilterBar, StatusFilter } from "@/ui/filters";
import { LoadProblem } from "@/ui/loaded";
import { Empty, SkeletonRows } from "@/ui/states";
import { agentRunsQuery, RUNS_PER_PAGE } from "./lifecycle-queries";

const LOOKS: Record<string, { label: string; tone: Tone; icon: typeof CircleCheck }> = {
  pending: { label: "Not started", tone: "neutral", icon: CircleDashed },
  queued: { label: "Queued", tone: "neutral", icon: Hourglass },
  waiting: { label: "Waiting", tone: "warn", icon: Hourglass },
  running: { label: "Running", tone: "accent", icon: LoaderCircle },
  completed: { label: "Completed", tone: "ok", icon: CircleCheck },
  failed: { label: "Failed", tone: "bad", icon: CircleAlert },
  skipped: { label: "Skipped", tone: "warn", icon: SkipForward },
  cancelled: { label: "Cancelled", tone: "neutral", icon: CircleSlash },
};

const FILTERS = ["pending", "running", "completed", "failed", "skipped", "cancelled"].map((value) => ({
  value,
  label: LOOKS[value]?.label ?? value,
}));

interface Props {
  agentId: number;
  status: string | undefined;
  skip: number;
  onShow: (part: { status?: string | undefined; skip?: number | undefined }) => void;
  /** The main action while nothing has run yet. */
  start: ReactNode;
}

/** Every step this agent did or is doing, newest first, each leading to its run. */
export function AgentRuns({ agentId, status, skip, onShow, start }: Props) {
  const { id: workspace } = useWorkspace();
  const runs = useQuery(agentRunsQuery(workspace, agentId, { status, skip }));
  return (
    <>
      <FilterBar>
        <StatusFilter
          options={FILTERS}
          value={status}
          onChange={(value) => onShow({ status: value, skip: undefined })}
        />
        {runs.data && (
          <p className="text-sm text-muted">
            {formatTotal(runs.data)} {runs.data.total === 1 ? "step" : "steps"}
          </p>
        )}
      </FilterBar>
      {runs.isPending && <SkeletonRows rows={5} />}
      <LoadProblem of={runs} />
      {runs.data?.items.length === 0 && (
        <NoRuns isFiltered={status !== undefined} start={start} onClear={() => onShow({ status: undefined })} />
      )}
      {runs.data && runs.data.items.length > 0 && (
        <>
          <ul className="card divide-y overflow-hidden">
            {runs.data.items.map((run) => (
              <RunRow key={`${run.run_id} ${run.step_id}`} run={run} />
            ))}
          </ul>
          <Pager skip={skip} total={runs.data.total} onGo={(to) => onShow({ skip: to || undefined })} />
        </>
      )}
    </>
  );
}

function NoRuns({ isFiltered, start, onClear }: { isFiltered: boolean; start: ReactNode; onClear: () => void }) {
  if (isFiltered) {
    return (
      <Empty
        icon={<History className="size-6" />}
        title="No step matches"
        action={<Button onClick={onClear}>Show all steps</Button>}
      >
        None of this agent’s steps has the chosen status.
      </Empty>
    );
  }
  return (
    <Empty icon={<History className="size-6" />} title="It has not worked yet" action={start}>
      Give it a task, or put it into a recipe: each piece of work appears here with what it took.
    </Empty>
  );
}

/** The name of a piece of work, leading to its run; a task has no recipe to name. */
export function RunName({ run }: { run: AgentRun }) {
  return (
    <Link
      to="/w/$workspace/runs/$runId"
      from="/w/$workspace"
      params={{ runId: run.run_id }}
      className="block truncate font-medium text-accent underline-offset-2 hover:underline"
    >
      {run.kind === "recipe" ? `${run.recipe_name}: ${run.step_id}` : titleOf(run.kind)}
    </Link>
  );
}

const titleOf = (kind: string) => (kind === "heartbeat" ? "Heartbeat" : "Task");

function RunRow({ run }: { run: AgentRun }) {
  const look = LOOKS[run.status] ?? { label: run.status, tone: "neutral" as const, icon: CircleDashed };
  return (
    <li className="grid gap-x-4 gap-y-1.5 px-4 py-3.5 sm:grid-cols-[1fr_auto] sm:items-center sm:px-5">
      <div className="min-w-0">
        <RunName run={run} />
        <p className="truncate text-sm text-muted">
          {run.started_at ? (
            <time dateTime={run.started_at} title={formatTime(run.started_at)}>
              {formatAgo(run.started_at)}
            </time>
          ) : (
            "not started"
          )}
          {run.error && ` · ${run.error.message}`}
        </p>
      </div>
      <div className="flex flex-wrap items-center gap-x-4 gap-y-1 text-sm text-muted tabular sm:justify-end">
        <span>{formatTokens(run.input_tokens + run.output_tokens)}</span>
        {run.finished_at && <span>{formatCosts(run)}</span>}
        {run.duration_ms !== null && <span>{formatDuration(run.duration_ms)}</span>}
        <Badge tone={look.tone} icon={look.icon} spin={run.status === "running"}>
          {look.label}
        </Badge>
      </div>
    </li>
  );
}

function Pager({ skip, total, onGo }: { skip: number; total: number; onGo: (skip: number) => void }) {
  if (total <= RUNS_PER_PAGE) return null;
  const last = Math.min(skip + RUNS_PER_PAGE, total);
  return (
    <nav aria-label="Pages" className="flex items-center justify-center gap-3">
      <Button size="sm" disabled={skip === 0} onClick={() => onGo(Math.max(0, skip - RUNS_PER_PAGE))}>
        Newer
      </Button>
      <span className="text-sm text-muted tabular">
        {skip + 1} to {last} of {total}
      </span>
      <Button size="sm" disabled={last >= total} onClick={() => onGo(skip + RUNS_PER_PAGE)}>
        Older
      </Button>
    </nav>
  );
}
