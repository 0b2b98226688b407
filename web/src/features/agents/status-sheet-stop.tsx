import { CircleCheck, Hourglass } from "lucide-react";
import type { AgentState, Shutdown, Stopping } from "@/client/lifecycle";
import { formatAgo, formatCount, formatTime } from "@/lib/format";
import { useCan } from "@/lib/workspace";
import { Button } from "@/ui/button";
import { ProblemNote } from "@/ui/problem";
import { WorkList } from "./impact-view";
import { useCancelStop } from "./lifecycle-queries";
import { targetWords } from "./status-sheet-words";

/** A stop that waits for work to end: what it waits for, until when, and the way back. */
export function StoppingNote({ agentId, stopping }: { agentId: number; stopping: Stopping }) {
  const cancel = useCancelStop(agentId);
  const mayEdit = useCan("editor");
  const target = targetWords(stopping.target).label.toLowerCase();
  return (
    <section aria-label="Stop that is under way" className="grid gap-3 rounded-xl border border-warn bg-warn-soft p-4">
      <p role="status" className="flex items-start gap-2">
        <Hourglass aria-hidden className="mt-1 size-4 shrink-0 text-warn" />
        <span>
          <span className="font-medium">
            {stopping.shutdown_type === "scheduled" ? "Scheduled to stop" : "Stopping gracefully"}
          </span>
          : {target} once {formatCount(stopping.awaiting_count, "run")} {stopping.awaiting_count === 1 ? "has" : "have"}{" "}
          ended{stopping.estimated_inactive_at && `, expected ${formatTime(stopping.estimated_inactive_at)}`}.
          <span className="block text-sm text-muted">
            Asked for by {stopping.requested_by}, {formatAgo(stopping.requested_at)}.
          </span>
        </span>
      </p>
      {stopping.awaiting.length > 0 && (
        <div className="rounded-lg bg-surface">
          <WorkList work={stopping.awaiting} />
        </div>
      )}
      {cancel.error && <ProblemNote error={cancel.error} />}
      {mayEdit && (
        <Button
          size="sm"
          className="justify-self-start"
          busy={cancel.isPending}
          onClick={() => cancel.mutate(undefined)}
        >
          Do not stop after all
        </Button>
      )}
    </section>
  );
}

interface AftermathProps {
  state: AgentState;
  target: string;
  shutdown: Shutdown | null;
}

/** What a change of status has done, kept up to date until it is through. */
export function Aftermath({ state, target, shutdown }: AftermathProps) {
  const label = targetWords(target).label.toLowerCase();
  const facts = shutdown
    ? [
        said(shutdown.interrupted.length, "run was interrupted", "runs were interrupted"),
        said(shutdown.cancelled.length, "queued task was cancelled", "queued tasks were cancelled"),
      ].filter((fact) => fact !== null)
    : [];
  return (
    <div className="grid gap-4">
      {state.stopping ? (
        <StoppingNote agentId={state.agent_id} stopping={state.stopping} />
      ) : (
        <p role="status" className="flex items-start gap-2 rounded-lg bg-ok-soft p-3 text-ok">
          <CircleCheck aria-hidden className="mt-0.5 size-4 shrink-0" />
          {isReached(state, target) ? `${state.name} is ${label} now.` : `${state.name} stays ${state.status}.`}
        </p>
      )}
      {facts.length > 0 && (
        <ul className="list-disc pl-5">
          {facts.map((fact) => (
            <li key={fact}>{fact}</li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** An active agent without work is idle, which is the same answer to "make it active". */
function isReached(state: AgentState, target: string): boolean {
  return state.status === target || (target === "active" && state.status === "idle");
}

function said(count: number, one: string, many: string): string | null {
  return count === 0 ? null : `${formatCount(count, one, many)}.`;
}
