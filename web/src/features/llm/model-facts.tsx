import type { Model } from "@/client";
import { formatTokens } from "@/lib/format";
import { Badge } from "@/ui/badge";
import { perMillion } from "./prices";

function abilitiesOf(model: Model): string[] {
  const rated = Object.entries(model.capabilities).map(([name, rating]) =>
    rating === true ? words(name) : `${words(name)} ${String(rating)}`,
  );
  return [
    ...(model.supports_functions ? ["uses tools"] : ["cannot use tools"]),
    ...(model.supports_vision ? ["sees images"] : []),
    ...rated,
  ];
}

const priceOf = (rate: string | null) => `${perMillion(rate)}${Number(rate) > 0 ? " per 1M tok" : ""}`;
const tokensOf = (count: number | null) => (count === null ? "unknown" : formatTokens(count));
const words = (name: string) => name.replaceAll("_", " ");

/** What one should know of a model before choosing it. */
export function ModelFacts({ model }: { model: Model }) {
  const facts = [
    ["Context", tokensOf(model.context_window)],
    ["Longest answer", tokensOf(model.max_output_tokens)],
    ["Reading", priceOf(model.input_cost_per_1k)],
    ["Writing", priceOf(model.output_cost_per_1k)],
  ];
  return (
    <div className="grid gap-3 rounded-xl bg-sunken p-4">
      <dl className="grid grid-cols-2 gap-x-6 gap-y-2 lg:grid-cols-4">
        {facts.map(([label, value]) => (
          <div key={label}>
            <dt className="text-sm text-muted">{label}</dt>
            <dd className="tabular">{value}</dd>
          </div>
        ))}
      </dl>
      <ul aria-label="What it can do" className="flex flex-wrap gap-1.5">
        {abilitiesOf(model).map((ability) => (
          <li key={ability}>
            <Badge tone="accent">{ability}</Badge>
          </li>
        ))}
      </ul>
    </div>
  );
}
