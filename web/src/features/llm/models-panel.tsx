import { useQuery } from "@tanstack/react-query";
import { asProblem } from "@/lib/problem";
import { useCan, useWorkspace } from "@/lib/workspace";
import { LoadProblem } from "@/ui/loaded";
import { Panel } from "@/ui/panel";
import { Skeleton } from "@/ui/states";
import { toast } from "@/ui/toaster";
import { ModelSelect } from "./model-select";
import { defaultModelQuery, useChooseDefaultModel } from "./queries";

const SOURCES: Record<string, string> = {
  workspace_settings: "chosen for this workspace",
  system_settings: "chosen for the whole server",
  environment: "set in the server’s environment",
  credential: "the usual model of the first provider with a key",
  demo: "no provider has a key, so the built-in demo model answers, labelled as a demo",
};

/** Which model answers for agents that name none. */
export function DefaultModelPanel() {
  const { id: workspace } = useWorkspace();
  const current = useQuery(defaultModelQuery(workspace));
  const mayManage = useCan("admin");
  const choose = useChooseDefaultModel();
  return (
    <Panel title="Default model" lead="Answers for every agent that names no model of its own.">
      <LoadProblem of={current} />
      {/* As high as what comes: nothing below it moves. */}
      {current.isPending && <Skeleton className="h-22 max-w-xl" />}
      {(current.data || current.error) && (
        <div className="min-h-22 max-w-xl">
          {mayManage ? (
            <ModelSelect
              label="Model"
              value={current.data ?? null}
              hint={
                current.data ? `Now: ${SOURCES[current.data.source] ?? current.data.source}.` : "Choose another one."
              }
              error={choose.error ? asProblem(choose.error).message : undefined}
              onChange={(choice) =>
                choice && choose.mutate(choice, { onSuccess: () => toast.success("The default model is changed.") })
              }
            />
          ) : (
            current.data && (
              <p>
                {current.data.model_id} ({SOURCES[current.data.source] ?? current.data.source})
              </p>
            )
          )}
        </div>
      )}
    </Panel>
  );
}
