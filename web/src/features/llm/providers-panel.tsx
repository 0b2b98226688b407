import { useQuery } from "@tanstack/react-query";
import { CircleAlert, CircleCheck, CircleDashed, LoaderCircle } from "lucide-react";
import type { Provider } from "@/client";
import { formatCount } from "@/lib/format";
import { useWorkspace } from "@/lib/workspace";
import { Badge } from "@/ui/badge";
import { LoadProblem } from "@/ui/loaded";
import { Panel, Row, Rows } from "@/ui/panel";
import { SkeletonRows } from "@/ui/states";
import { offeredQuery, providersQuery } from "./queries";

function sourceOf(provider: Provider): string {
  if (provider.configured) {
    return provider.source === "environment"
      ? `key from ${provider.env_variable ?? "the environment"}`
      : "set up under Credentials";
  }
  if (!provider.needs_key) {
    const near = provider.private_base_urls;
    const offered = near.length > 0 ? `; in the operator's network: ${near.join(", ")}` : "";
    return `needs no key, only its address under Credentials${offered}`;
  }
  return provider.env_variable ? `no key; add one, or set ${provider.env_variable}` : "no key";
}

/** Every provider, and for those that are set up what they say when they are asked now. */
export function ProvidersPanel() {
  const { id: workspace } = useWorkspace();
  const providers = useQuery(providersQuery(workspace));
  return (
    <Panel title="Providers" lead="Those that are set up are asked for their models when you open this page.">
      {providers.isPending && <SkeletonRows rows={4} className="h-12" />}
      <LoadProblem of={providers} />
      {providers.data && (
        <Rows>
          {providers.data.items
            .toSorted((one, other) => Number(other.configured) - Number(one.configured))
            .map((provider) =>
              provider.configured ? (
                <SetUp key={provider.name} provider={provider} />
              ) : (
                <Row key={provider.name} title={provider.display_name} detail={sourceOf(provider)}>
                  <Badge tone="neutral" icon={CircleDashed}>
                    Not set up
                  </Badge>
                </Row>
              ),
            )}
        </Rows>
      )}
    </Panel>
  );
}

/** A provider with a key: that alone does not make it ready. */
function SetUp({ provider }: { provider: Provider }) {
  const { id: workspace } = useWorkspace();
  const { data, error } = useQuery(offeredQuery(workspace, provider.name));
  const problem = data?.problem ?? (error ? "It could not be asked." : null);
  return (
    <Row
      title={provider.display_name}
      detail={
        <>
          {sourceOf(provider)}
          {problem && <span className="block">{problem}</span>}
        </>
      }
    >
      {problem ? (
        <Badge tone="bad" icon={CircleAlert}>
          Does not answer
        </Badge>
      ) : data ? (
        <Badge tone="ok" icon={CircleCheck}>
          Answers, {formatCount(data.total, "model")}
        </Badge>
      ) : (
        <Badge tone="neutral" icon={LoaderCircle} spin>
          Asking
        </Badge>
      )}
    </Row>
  );
}
