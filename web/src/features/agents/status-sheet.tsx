import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useReducer, useState } from "react";
import type { AgentState, AgentStatus, Impact, Shutdown, ShutdownType } from "@/client/lifecycle";
import { formatCount } from "@/lib/format";
import { asProblem } from "@/lib/problem";
import { useWorkspace } from "@/lib/workspace";
import { Button } from "@/ui/button";
import { LoadProblem } from "@/ui/loaded";
import { ProblemNote } from "@/ui/problem";
import { RadioList } from "@/ui/radio-list";
import { Sheet } from "@/ui/sheet";
import { SkeletonRows } from "@/ui/states";
import { asksHow, choose, impactOf, NO_CHOICE, type StatusChoice, shutdownOf, unticked } from "./impact";
import { ImpactView } from "./impact-view";
import { agentStateQuery, impactQuery, useAgentHints, useSetStatus } from "./lifecycle-queries";
import { AgentBadge } from "./status";
import { Aftermath, StoppingNote } from "./status-sheet-stop";
import { SHUTDOWNS, targetWords, verbFor } from "./status-sheet-words";

interface Props {
  agentId: number;
  /** The status to start with, when the person has already said which. */
  target?: string | undefined;
  onClose: () => void;
}

/** Changes an agent's status: shows what that would do, asks for exactly that, and follows it until it is done. */
export function StatusSheet({ agentId, target, onClose }: Props) {
  const { id: workspace } = useWorkspace();
  const state = useQuery(agentStateQuery(workspace, agentId));
  useAgentHints(agentId);
  const close = (open: boolean) => !open && onClose();
  if (!state.data) {
    return (
      <Sheet open onOpenChange={close} title="Status">
        {state.error ? <LoadProblem of={state} /> : <SkeletonRows rows={3} />}
      </Sheet>
    );
  }
  return <Change state={state.data} target={target} onClose={onClose} />;
}

interface ChangeProps {
  state: AgentState;
  target: string | undefined;
  onClose: () => void;
}

function Change({ state, target, onClose }: ChangeProps) {
  const { id: workspace } = useWorkspace();
  const cache = useQueryClient();
  const offered = state.allowed_statuses.find((one) => one === target) ?? null;
  const [choice, act] = useReducer(choose, { ...NO_CHOICE, target: offered });
  const [done, setDone] = useState<{ target: string; shutdown: Shutdown | null } | null>(null);
  const question = impactQuery(workspace, state.agent_id, choice.target, shutdownOf(choice));
  const impact = useQuery({ ...question, enabled: choice.target !== null && done === null });
  const change = useSetStatus(state.agent_id);

  function refused(error: unknown) {
    const problem = asProblem(error);
    const fresh = impactOf(problem.body);
    if (fresh) cache.setQueryData(question.queryKey, fresh);
    else if (problem.code === "impact_changed" || problem.code === "impact_not_confirmed") void impact.refetch();
    else return;
    act({ kind: "changed" });
  }

  function apply(found: Impact) {
    if (choice.target === null) return;
    const shutdown = shutdownOf(choice);
    const body = {
      status: choice.target,
      ...(shutdown ? { shutdown_type: shutdown } : {}),
      ...(found.required_confirmations.length > 0
        ? { confirmations: found.required_confirmations.map((one) => one.id), impact_token: found.impact_token }
        : {}),
    };
    const to = choice.target;
    change.mutate(body, {
      onSuccess: (answer) => setDone({ target: to, shutdown: answer.shutdown }),
      onError: refused,
    });
  }

  const left = impact.data ? unticked(impact.data, choice.ticked).length : 0;
  const isReady = impact.data !== undefined && !impact.isFetching && left === 0;

  return (
    <Sheet
      open
      onOpenChange={(open) => !open && onClose()}
      title={`Status of ${state.name}`}
      description={<Standing state={state} />}
      footer={
        done ? (
          <Button look="primary" autoFocus onClick={onClose}>
            Close
          </Button>
        ) : (
          <>
            {left > 0 && (
              <p className="mr-auto basis-full self-center text-sm text-muted sm:basis-auto">
                {formatCount(left, "confirmation")} to give
              </p>
            )}
            <Button onClick={onClose}>Keep as it is</Button>
            {choice.target !== null && (
              <Button
                look="primary"
                disabled={!isReady}
                busy={change.isPending}
                onClick={() => impact.data && apply(impact.data)}
              >
                {verbFor(state.status, choice.target)}
              </Button>
            )}
          </>
        )
      }
    >
      {done ? (
        <Aftermath state={state} target={done.target} shutdown={done.shutdown} />
      ) : (
        <div className="grid gap-6">
          {state.stopping && <StoppingNote agentId={state.agent_id} stopping={state.stopping} />}
          <Choices state={state} choice={choice} act={act} />
          <p role="status" className="-my-3 text-sm text-warn empty:hidden">
            {choice.isStale && "Something changed meanwhile. These are the effects now; please confirm them again."}
          </p>
          {choice.target !== null && (
            <Effects error={impact.error} isPending={impact.isPending} onRetry={() => impact.refetch()}>
              {impact.data && (
                <ImpactView
                  impact={impact.data}
                  ticked={choice.ticked}
                  onTick={(id, isOn) => act({ kind: "tick", id, isOn })}
                />
              )}
            </Effects>
          )}
          {change.error && !choice.isStale && <ProblemNote error={change.error} />}
        </div>
      )}
    </Sheet>
  );
}

/** How the agent stands now, in one line; read out when it changes. */
function Standing({ state }: { state: AgentState }) {
  const { running, queued, capacity } = state.workload;
  return (
    <span className="flex flex-wrap items-center gap-x-3 gap-y-1" aria-live="polite">
      <AgentBadge status={state.status} />
      <span className="tabular">
        {running} of {capacity} at work, {queued} queued
      </span>
      {state.status_reason && <span className="basis-full">{state.status_reason}</span>}
    </span>
  );
}

interface ChoicesProps {
  state: AgentState;
  choice: StatusChoice;
  act: (act: Parameters<typeof choose>[1]) => void;
}

function Choices({ state, choice, act }: ChoicesProps) {
  const targets = state.allowed_statuses.filter((status) => status !== state.status);
  if (targets.length === 0) return <p className="text-muted">From here no other status can be chosen.</p>;
  return (
    <>
      <Part title="New status">
        <RadioList
          label="New status"
          value={choice.target ?? ""}
          onChange={(value) => act({ kind: "target", target: value as AgentStatus })}
          options={targets.map((status) => ({
            value: status,
            title: targetWords(status).label,
            text: targetWords(status).text,
          }))}
        />
      </Part>
      {asksHow(choice.target) && (
        <Part title="How to stop">
          <RadioList
            label="How to stop"
            value={choice.shutdown}
            onChange={(value) => act({ kind: "shutdown", shutdown: value as ShutdownType })}
            options={SHUTDOWNS}
          />
        </Part>
      )}
    </>
  );
}

interface EffectsProps {
  error: unknown;
  isPending: boolean;
  onRetry: () => void;
  children: ReactNode;
}

function Effects({ error, isPending, onRetry, children }: EffectsProps) {
  return (
    <Part title="What this does">
      <div aria-live="polite" aria-busy={isPending} className="grid gap-4">
        {isPending && <SkeletonRows rows={2} className="h-12" />}
        {error !== null && <ProblemNote error={error} onRetry={onRetry} />}
        {children}
      </div>
    </Part>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="grid gap-2.5">
      <h3 className="font-semibold">{title}</h3>
      {children}
    </section>
  );
}
