import { CircleCheck, CircleX } from "lucide-react";
import type { TrialResult } from "@/client/system";
import { formatCost, formatDuration, formatTokens } from "@/lib/format";

/** What came of asking a model for one word. */
export function TrialNote({ result }: { result: TrialResult }) {
  const { detail = "It did not answer.", next_step } = result.problem ?? {};
  return (
    <div className={`grid gap-2 rounded-lg p-3 ${result.ok ? "bg-ok-soft" : "bg-bad-soft"}`}>
      {result.ok ? (
        <>
          <p className="flex items-start gap-2 text-ok">
            <CircleCheck aria-hidden className="mt-0.5 size-4 shrink-0" />
            It answered in {formatDuration(result.latency_ms)}:{" "}
            {formatTokens(result.input_tokens + result.output_tokens)}, {formatCost(result.cost_usd)}.
          </p>
          {result.text && <p className="pl-6 wrap-anywhere">“{result.text}”</p>}
        </>
      ) : (
        <p className="flex items-start gap-2 text-bad">
          <CircleX aria-hidden className="mt-0.5 size-4 shrink-0" />
          <span className="min-w-0 wrap-anywhere">
            {detail}
            {next_step && !detail.includes(next_step) && <span className="block text-ink">{next_step}</span>}
          </span>
        </p>
      )}
      {result.faults.map((fault) => (
        <p key={fault} className="pl-6 text-warn">
          {fault}
        </p>
      ))}
    </div>
  );
}
