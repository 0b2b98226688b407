import { useQuery } from "@tanstack/react-query";
import { CircleCheck, CircleDashed } from "lucide-react";
import type { Provider } from "@/client";
import { asProblem } from "@/lib/problem";
import { useCan, useWorkspace } from "@/lib/workspace";
import { Badge } from "@/ui/badge";
import { LoadProblem } from "@/ui/loaded";
import { Panel, Row, Rows } from "@/ui/panel";
import { SkeletonRows } from "@/ui/states";
import { toast } from "@/ui/toaster";
import { ModelSelect } from "./model-select";
import { defaultModelQuery, providersQuery, useChooseDefaultModel } from "./queries";

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
      {current.isPending && <SkeletonRows rows={1} />}
      <LoadProblem of={current} />
      {current.data && (
        <div className="max-w-xl">
          {mayManage ? (
            <ModelSelect
              label="Model"
              value={current.data}
              hint={`Now: ${SOURCES[current.data.source] ?? current.data.source}.`}
              error={choose.error ? asProblem(choose.error).message : undefined}
              onChange={(choice) =>
                choice && choose.mutate(choice, { onSuccess: () => toast.success("The default model is changed.") })
              }
            />
          ) : (
            <p>
              {current.data.model_id} ({SOURCES[current.data.source] ?? current.data.source})
            </p>
          )}
        </div>
      )}
    </Panel>
  );
}

function sourceOf(provider: Provider): string {
  if (!provider.needs_key) return "needs no key";
  if (!provider.configured) return provider.env_variable ? `no key; or set ${provider.env_variable}` : "no key";
  return provider.source === "environment"
    ? `key from ${provider.env_variable ?? "the environment"}`
    : "key stored here";
}

/** Every provider and whether it can be used now. */
export function ProvidersPanel() {
  const { id: workspace } = useWorkspace();
  const providers = useQuery(providersQuery(workspace));
  return (
    <Panel title="Providers">
      {providers.isPending && <SkeletonRows rows={4} className="h-12" />}
      <LoadProblem of={providers} />
      {providers.data && (
        <Rows>
          {providers.data.items.map((provider) => (
            <Row key={provider.name} title={provider.display_name} detail={sourceOf(provider)}>
              {provider.configured ? (
                <Badge tone="ok" icon={CircleCheck}>
                  Ready
                </Badge>
              ) : (
                <Badge tone="neutral" icon={CircleDashed}>
                  Not set up
                </Badge>
              )}
            </Row>
          ))}
        </Rows>
      )}
    </Panel>
  );
}
