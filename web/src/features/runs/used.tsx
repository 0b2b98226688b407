import { formatCosts, formatTokens } from "@/lib/format";
import type { Used } from "./kitchen-state";

/** What calls to models used and cost, as far as it is known. */
export function UsedFigures({ used }: { used: Used }) {
  return (
    <>
      {used.tokens > 0 && (
        <span title={used.isEstimated ? "Estimated: the provider did not tell" : "Tokens read and written by models"}>
          {formatTokens(used.tokens, used.isEstimated)}
        </span>
      )}
      {used.costUsd !== undefined && (
        <span>
          {formatCosts({ cost_usd: used.costUsd, known_cost_usd: used.knownCostUsd, unpriced_calls: used.unpriced })}
        </span>
      )}
    </>
  );
}
