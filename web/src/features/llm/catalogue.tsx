import { useQuery } from "@tanstack/react-query";
import { CircleCheck, CircleDashed, Wand } from "lucide-react";
import type { Model, Provider } from "@/client/system";
import { formatCount } from "@/lib/format";
import { useWorkspace } from "@/lib/workspace";
import { Badge, type Tone } from "@/ui/badge";
import { Button } from "@/ui/button";
import { FilterBar, PickFilter, SearchBox } from "@/ui/filters";
import { LoadProblem } from "@/ui/loaded";
import { Panel } from "@/ui/panel";
import { SkeletonRows } from "@/ui/states";
import { Cell, Table } from "@/ui/table";
import { catalogueQuery, type ModelFilters } from "./catalogue-queries";
import { perMillion, shortTokens } from "./prices";
import { providersQuery } from "./queries";

const COLUMNS = [
  { label: "Model", width: "24%" },
  { label: "Context", isNumber: true, width: "10%" },
  { label: "In, 1M tok", isNumber: true, width: "11%" },
  { label: "Out, 1M tok", isNumber: true, width: "11%" },
  { label: "Good at", width: "33%" },
  { label: "Status", width: "11%" },
];

const STATUSES = ["active", "beta", "deprecated", "inactive"].map((value) => ({ value, label: value }));
const TONES: Record<string, Tone> = { active: "ok", beta: "accent", deprecated: "warn", inactive: "neutral" };
const ABILITIES = ["functions", "vision", "streaming", "reasoning", "coding", "writing", "speed"];

interface Props {
  filters: ModelFilters;
  onFilter: (part: ModelFilters) => void;
  onOpen: (id: number) => void;
  onRecommend: () => void;
}

/** Every model agents may choose, by provider, with what it takes and what it costs. */
export function ModelCatalogue({ filters, onFilter, onOpen, onRecommend }: Props) {
  const { id: workspace } = useWorkspace();
  const models = useQuery(catalogueQuery(workspace, filters));
  const known = useQuery(providersQuery(workspace));
  const providers = known.data?.items ?? [];
  const groups = providers
    .map((provider) => ({
      provider,
      own: (models.data?.items ?? []).filter((model) => model.provider === provider.name),
    }))
    .filter((group) => group.own.length > 0)
    .sort((one, other) => Number(other.provider.configured) - Number(one.provider.configured));

  return (
    <Panel
      title="Models"
      lead="What agents may choose. Prices are US dollars for a million tokens."
      action={
        <Button onClick={onRecommend}>
          <Wand aria-hidden className="size-4" /> Find one for a task
        </Button>
      }
    >
      <FilterBar>
        <SearchBox
          label="Search models"
          value={filters.search ?? ""}
          onChange={(text) => onFilter({ search: text || undefined })}
        />
        <PickFilter
          label="All providers"
          options={providers.map((one) => ({ value: one.name, label: one.display_name }))}
          value={filters.provider}
          onChange={(provider) => onFilter({ provider })}
        />
        <PickFilter
          label="Any ability"
          options={ABILITIES.map((value) => ({ value, label: value }))}
          value={filters.capability}
          onChange={(capability) => onFilter({ capability })}
        />
        <PickFilter
          label="Any status"
          options={STATUSES}
          value={filters.status}
          onChange={(status) => onFilter({ status })}
        />
        {models.data && <p className="text-sm text-muted tabular">{formatCount(models.data.total, "model")}</p>}
      </FilterBar>
      {/* As long as a catalogue is, and until both are there: the providers below stay where they are. */}
      {(models.isPending || (known.isPending && models.data)) && <SkeletonRows rows={20} className="h-10" />}
      <LoadProblem of={models} />
      {models.data?.items.length === 0 && <p className="text-muted">No model of the catalogue fits these filters.</p>}
      {groups.map(({ provider, own }) => (
        <section key={provider.name} className="grid gap-1 pt-2">
          <div className="flex flex-wrap items-center gap-3">
            <h3 className="font-semibold">{provider.display_name}</h3>
            <ProviderBadge provider={provider} />
          </div>
          <Table label={`Models of ${provider.display_name}`} columns={COLUMNS}>
            {own.map((model) => (
              <ModelRow key={model.id} model={model} onOpen={() => onOpen(model.id)} />
            ))}
          </Table>
        </section>
      ))}
    </Panel>
  );
}

export function ProviderBadge({ provider }: { provider: Provider }) {
  return provider.configured ? (
    <Badge tone="ok" icon={CircleCheck}>
      Set up
    </Badge>
  ) : (
    <Badge tone="neutral" icon={CircleDashed}>
      No key yet
    </Badge>
  );
}

function ModelRow({ model, onOpen }: { model: Model; onOpen: () => void }) {
  return (
    <tr>
      <Cell>
        <button
          type="button"
          onClick={onOpen}
          className="text-left font-medium text-accent underline-offset-2 hover:underline"
        >
          {model.display_name}
        </button>
      </Cell>
      <Cell isNumber>{shortTokens(model.context_window)}</Cell>
      <Cell isNumber>{perMillion(model.input_cost_per_1k)}</Cell>
      <Cell isNumber>{perMillion(model.output_cost_per_1k)}</Cell>
      <Cell isQuiet>{abilitiesOf(model).join(", ") || "–"}</Cell>
      <Cell>
        <Badge tone={TONES[model.status] ?? "neutral"}>{model.status}</Badge>
      </Cell>
    </tr>
  );
}

/** What stands out about a model, in words. */
function abilitiesOf(model: Model): string[] {
  const strong = Object.entries(model.capabilities)
    .filter(([, level]) => level === "high")
    .map(([name]) => name);
  return [...strong, ...(model.supports_vision ? ["vision"] : []), ...(model.supports_functions ? [] : ["no tools"])];
}
