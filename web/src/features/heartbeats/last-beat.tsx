import { useQuery } from "@tanstack/react-query";
import {
  CircleAlert,
  CircleCheck,
  CircleDashed,
  HeartPulse,
  LoaderCircle,
  type LucideIcon,
  SkipForward,
} from "lucide-react";
import type { ReactNode } from "react";
import type { HeartbeatConfig, HeartbeatResult } from "@/client/agents";
import { formatAgo, formatCost, formatTime, formatTokens } from "@/lib/format";
import { useConnection } from "@/lib/live/react";
import { useCan, useWorkspace } from "@/lib/workspace";
import { Badge, type Tone } from "@/ui/badge";
import { Button } from "@/ui/button";
import { LoadProblem } from "@/ui/loaded";
import { Panel } from "@/ui/panel";
import { ProblemNote } from "@/ui/problem";
import { SkeletonRows } from "@/ui/states";
import { lastBeatQuery, useBeatNow } from "./queries";

const LOOKS: Record<HeartbeatResult["status"], { label: string; tone: Tone; icon: LucideIcon }> = {
  running: { label: "At work", tone: "accent", icon: LoaderCircle },
  success: { label: "Done", tone: "ok", icon: CircleCheck },
  error: { label: "Failed", tone: "bad", icon: CircleAlert },
  unchanged: { label: "Nothing changed", tone: "neutral", icon: CircleDashed },
  skipped: { label: "Skipped", tone: "warn", icon: SkipForward },
};

const POLL_MS = 5_000;

interface Props {
  agentId: number;
  config: HeartbeatConfig;
  /** Leads to the run in which the agent worked. */
  runLink: (id: string) => ReactNode;
}

/** What came of the newest beat, and a button that makes one now. */
export function LastBeat({ agentId, config, runLink }: Props) {
  const { id: workspace } = useWorkspace();
  const isLive = useConnection() === "live";
  const last = useQuery({ ...lastBeatQuery(workspace, agentId), refetchInterval: isLive ? false : POLL_MS });
  const beat = useBeatNow(agentId);
  const isRunning = last.data?.status === "running";
  const next = config.next_at ? `Next ${formatTime(config.next_at)}.` : "It is off; you can still run it by hand.";
  return (
    <Panel
      title="Last check"
      lead={next}
      action={
        useCan("editor") && (
          <Button busy={beat.isPending || isRunning} onClick={() => beat.mutate()}>
            {!(beat.isPending || isRunning) && <HeartPulse aria-hidden className="size-4" />} Run now
          </Button>
        )
      }
    >
      {last.isPending && <SkeletonRows rows={1} />}
      <LoadProblem of={last} />
      {beat.error && <ProblemNote error={beat.error} />}
      {last.data === null && <p className="text-muted">It has not checked in yet.</p>}
      {last.data && <Result result={last.data} runLink={runLink} />}
    </Panel>
  );
}

function Result({ result, runLink }: { result: HeartbeatResult; runLink: Props["runLink"] }) {
  const look = LOOKS[result.status];
  return (
    <div className="grid gap-3" aria-live="polite">
      <p className="flex flex-wrap items-center gap-x-4 gap-y-1 text-sm text-muted tabular">
        <Badge tone={look.tone} icon={look.icon} spin={result.status === "running"}>
          {look.label}
        </Badge>
        <span title={formatTime(result.created_at)}>{formatAgo(result.created_at)}</span>
        <span>by {result.triggered_by === "heartbeat" ? "the clock" : result.triggered_by}</span>
        <span>{formatTokens(result.tokens_used)}</span>
        <span>{formatCost(result.cost_usd)}</span>
        {result.run_id && runLink(result.run_id)}
      </p>
      {result.reason && <p>{result.reason}</p>}
      <ul className="grid gap-2 empty:hidden">
        {result.findings.map((finding) => (
          <li key={`${finding.check}${finding.detail}`} className="rounded-lg bg-sunken p-3">
            <p className="font-medium">
              {finding.check}
              {finding.severity !== "info" && <span className="ml-2 text-sm text-bad">{finding.severity}</span>}
            </p>
            <p className="wrap-anywhere whitespace-pre-wrap">{finding.detail}</p>
          </li>
        ))}
      </ul>
      {result.actions_taken.length > 0 && (
        <p className="text-sm text-muted">Used {result.actions_taken.map((action) => action.tool).join(", ")}.</p>
      )}
    </div>
  );
}
