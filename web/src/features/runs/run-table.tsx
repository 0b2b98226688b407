import { Link } from "@tanstack/react-router";
import { clsx } from "clsx";
import type { RunSummary } from "@/client";
import { formatAgo, formatCosts, formatDuration, formatTime, formatTokens } from "@/lib/format";
import { kindOf, RunIcon, runLabel, startedBy } from "./status";

const OVER: ReadonlySet<string> = new Set(["completed", "completed_with_skips", "failed", "cancelled"]);
const HEAD = "px-3 py-2 font-medium whitespace-nowrap";

/** Runs below one another, so that times, tokens and costs can be compared; on phones only what tells them apart. */
export function RunTable({ runs }: { runs: readonly RunSummary[] }) {
  return (
    <div className="card overflow-hidden">
      <table aria-label="Runs" className="w-full table-fixed text-left">
        {/* On phones the head is out of the table's flow and gives no column its width. */}
        <colgroup>
          <col className="w-12" />
          <col />
        </colgroup>
        <thead className="border-b text-sm text-muted max-sm:sr-only">
          <tr>
            <th scope="col" className={clsx(HEAD, "w-12")}>
              <span className="sr-only">Status</span>
            </th>
            <th scope="col" className={HEAD}>
              Run
            </th>
            <th scope="col" className={clsx(HEAD, "w-28 text-right max-lg:hidden")}>
              Steps
            </th>
            <th scope="col" className={clsx(HEAD, "w-28 text-right max-md:hidden")}>
              Took
            </th>
            <th scope="col" className={clsx(HEAD, "w-32 text-right max-md:hidden")}>
              Tokens
            </th>
            <th scope="col" className={clsx(HEAD, "w-44 text-right max-sm:hidden")}>
              Cost
            </th>
          </tr>
        </thead>
        <tbody className="divide-y">
          {runs.map((run) => (
            <RunRow key={run.id} run={run} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function RunRow({ run }: { run: RunSummary }) {
  const isOver = OVER.has(run.status);
  return (
    <tr className="relative hover:bg-sunken">
      <td className="w-12 py-3 pl-4 align-top">
        <RunIcon status={run.status} />
      </td>
      <td className="px-3 py-3">
        <Link
          to="/w/$workspace/runs/$runId"
          from="/w/$workspace"
          params={{ runId: run.id }}
          dir="auto"
          className="block truncate font-medium after:absolute after:inset-0"
        >
          {run.recipe_name} <span className="font-normal text-muted">{kindOf(run)}</span>
        </Link>
        <p dir="auto" className="truncate text-sm text-muted">
          {runLabel(run.status)}
          {run.is_cut_off && ", cut off"} ·{" "}
          <time dateTime={run.created_at} title={formatTime(run.created_at)}>
            {formatAgo(run.created_at)}
          </time>
          {run.parent
            ? ` · part of ${run.parent.recipe_name ?? "another"} run`
            : run.triggered_by && ` · ${startedBy(run.triggered_by)}`}
          {run.error && ` · ${run.error.message}`}
        </p>
        <p className="text-sm text-muted tabular sm:hidden">
          {[run.duration_ms !== null && formatDuration(run.duration_ms), isOver && formatCosts(run)]
            .filter(Boolean)
            .join(" · ")}
        </p>
      </td>
      <td className="px-3 py-3 text-right text-muted tabular max-lg:hidden">{stepsOf(run, isOver)}</td>
      <td className="px-3 py-3 text-right tabular max-md:hidden">{formatDuration(run.duration_ms)}</td>
      <td className="px-3 py-3 text-right tabular max-md:hidden">
        {run.total_tokens > 0 ? formatTokens(run.total_tokens, run.is_estimated) : "–"}
      </td>
      <td className="px-3 py-3 pr-4 text-right tabular max-sm:hidden">{costOf(run, isOver)}</td>
    </tr>
  );
}

function stepsOf(run: RunSummary, isOver: boolean): string {
  if (run.kind !== "recipe") return "–";
  if (isOver) return String(run.total_steps);
  return `${Math.min(Math.max(run.current_step, 0), run.total_steps)} of ${run.total_steps}`;
}

/** What a run at work has cost is not known before its calls are counted. */
function costOf(run: RunSummary, isOver: boolean): string {
  const isCounted = run.cost_usd !== null && Number(run.cost_usd) > 0;
  return isOver || isCounted || run.unpriced_calls > 0 ? formatCosts(run) : "–";
}
