import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useReducer } from "react";
import type { Agent } from "@/client";
import { asProblem } from "@/lib/problem";
import { useWorkspace } from "@/lib/workspace";
import { Button } from "@/ui/button";
import { LoadProblem } from "@/ui/loaded";
import { ProblemNote } from "@/ui/problem";
import { Sheet } from "@/ui/sheet";
import { SkeletonRows } from "@/ui/states";
import { choose, impactOf, NO_CHOICE, unticked } from "./impact";
import { ImpactView } from "./impact-view";
import { deletionQuery, useDeleteWithImpact } from "./lifecycle-queries";

interface Props {
  agent: Pick<Agent, "id" | "name">;
  onClose: () => void;
  onDeleted: () => void;
}

/** Deletes an agent after showing what goes with it and what it leaves behind. */
export function DeleteAgentSheet({ agent, onClose, onDeleted }: Props) {
  const { id: workspace } = useWorkspace();
  const cache = useQueryClient();
  const question = deletionQuery(workspace, agent.id);
  const impact = useQuery(question);
  const [choice, act] = useReducer(choose, NO_CHOICE);
  const remove = useDeleteWithImpact(agent.id);
  const isReady = impact.data !== undefined && !impact.isFetching && unticked(impact.data, choice.ticked).length === 0;

  function press() {
    if (!impact.data) return;
    const { dependent_agents, dependents } = impact.data.impact_analysis;
    const cascade = dependent_agents.length + dependents.length > 0;
    remove.mutate(
      { cascade, token: impact.data.impact_token },
      {
        onSuccess: onDeleted,
        onError: (error) => {
          const fresh = impactOf(asProblem(error).body);
          if (!fresh) return;
          cache.setQueryData(question.queryKey, fresh);
          act({ kind: "changed" });
        },
      },
    );
  }

  return (
    <Sheet
      open
      onOpenChange={(open) => !open && onClose()}
      title={`Delete ${agent.name}?`}
      description="It leaves every list. Its past runs and what they cost stay."
      footer={
        <>
          <Button onClick={onClose}>Keep it</Button>
          <Button look="danger" disabled={!isReady} busy={remove.isPending} onClick={press}>
            Delete agent
          </Button>
        </>
      }
    >
      <div className="grid gap-4" aria-live="polite" aria-busy={impact.isPending}>
        {impact.isPending && <SkeletonRows rows={2} className="h-12" />}
        <LoadProblem of={impact} />
        {choice.isStale && (
          <p role="status" className="text-sm text-warn">
            Something changed meanwhile. These are the effects now; please confirm them again.
          </p>
        )}
        {impact.data && (
          <ImpactView
            impact={impact.data}
            ticked={choice.ticked}
            onTick={(id, isOn) => act({ kind: "tick", id, isOn })}
          />
        )}
        {remove.error && !choice.isStale && <ProblemNote error={remove.error} />}
      </div>
    </Sheet>
  );
}
