import { clsx } from "clsx";
import {
  CircleAlert,
  CircleCheck,
  CircleDashed,
  CirclePause,
  CircleSlash,
  Hourglass,
  LoaderCircle,
  type LucideIcon,
  SkipForward,
} from "lucide-react";
import type { RunKind, RunStatus, StepStatus } from "@/client";
import { Badge, type Tone } from "@/ui/badge";

interface Look {
  label: string;
  tone: Extract<Tone, "neutral" | "accent" | "ok" | "warn" | "bad">;
  icon: LucideIcon;
  spin?: boolean;
}

const RUN_LOOKS: Record<RunStatus, Look> = {
  queued: { label: "Queued", tone: "neutral", icon: Hourglass },
  running: { label: "Running", tone: "accent", icon: LoaderCircle, spin: true },
  paused: { label: "Paused", tone: "warn", icon: CirclePause },
  waiting: { label: "Waiting", tone: "warn", icon: Hourglass },
  completed: { label: "Completed", tone: "ok", icon: CircleCheck },
  completed_with_skips: { label: "Completed, with skips", tone: "warn", icon: SkipForward },
  failed: { label: "Failed", tone: "bad", icon: CircleAlert },
  cancelled: { label: "Cancelled", tone: "neutral", icon: CircleSlash },
};

const STEP_LOOKS: Record<StepStatus, Look> = {
  pending: { label: "Not started", tone: "neutral", icon: CircleDashed },
  running: { label: "Running", tone: "accent", icon: LoaderCircle, spin: true },
  waiting: { label: "Waiting", tone: "warn", icon: Hourglass },
  completed: { label: "Completed", tone: "ok", icon: CircleCheck },
  failed: { label: "Failed", tone: "bad", icon: CircleAlert },
  skipped: { label: "Skipped", tone: "warn", icon: SkipForward },
  cancelled: { label: "Cancelled", tone: "neutral", icon: CircleSlash },
};

export const RUN_STATUSES = Object.entries(RUN_LOOKS).map(([value, look]) => ({ value, label: look.label }));

function LookBadge({ label, tone, icon, spin = false }: Look) {
  return (
    <Badge tone={tone} icon={icon} spin={spin}>
      {label}
    </Badge>
  );
}

export function RunBadge({ status }: { status: RunStatus }) {
  return <LookBadge {...RUN_LOOKS[status]} />;
}

/** Who started a run, in words: a key that the terminal made for itself is the terminal. */
export function startedBy(actor: string): string {
  return /\bcommand line on\b/i.test(actor) ? "from the command line" : `by ${actor}`;
}

const COLORS = { neutral: "text-muted", accent: "text-accent", ok: "text-ok", warn: "text-warn", bad: "text-bad" };

export const runLabel = (status: RunStatus): string => RUN_LOOKS[status].label;

/** The status by its icon alone, where its word stands beside. */
export function RunIcon({ status }: { status: RunStatus }) {
  const { icon: Icon, tone, spin } = RUN_LOOKS[status];
  return <Icon aria-hidden className={clsx("size-5", COLORS[tone], spin && "animate-spin [animation-duration:2s]")} />;
}

export function StepBadge({ status }: { status: StepStatus }) {
  return <LookBadge {...STEP_LOOKS[status]} />;
}

/** What kind of run it is, in words; a recipe is named by its version. */
export function kindOf(run: { kind: RunKind; recipe_version: number | null }): string {
  if (run.kind === "recipe") return `v${run.recipe_version ?? "?"}`;
  return run.kind === "heartbeat" ? "heartbeat" : "task";
}

export function stepLook(status: StepStatus): Look {
  return STEP_LOOKS[status];
}
