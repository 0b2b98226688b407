import { useQueryClient } from "@tanstack/react-query";
import { useSetStatus } from "@/features/agents/lifecycle-queries";
import type { StepAgent } from "@/features/recipes/readiness";
import { asProblem } from "@/lib/problem";
import { useWorkspace } from "@/lib/workspace";
import { Button } from "@/ui/button";

/** Makes an agent ready where its absence was noticed; what hinders it is told here. */
export function ActivateAgent({ agent }: { agent: StepAgent }) {
  const { id: workspace } = useWorkspace();
  const cache = useQueryClient();
  const set = useSetStatus(agent.id);
  return (
    <>
      <Button
        size="sm"
        busy={set.isPending}
        onClick={() =>
          set.mutate(
            { status: "active" },
            { onSuccess: () => cache.invalidateQueries({ queryKey: [workspace, "recipes"] }) },
          )
        }
      >
        Activate {agent.name}
      </Button>
      {set.error && (
        <p role="alert" className="basis-full text-sm wrap-anywhere text-bad">
          {asProblem(set.error).message}
        </p>
      )}
    </>
  );
}
