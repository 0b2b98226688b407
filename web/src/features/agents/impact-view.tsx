import { Link } from "@tanstack/react-router";
import { CircleAlert, CircleCheck, Info, type LucideIcon, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import type { ActiveWork, Impact } from "@/client/lifecycle";
import { formatCount, formatDuration } from "@/lib/format";
import { CheckField } from "@/ui/field";
import { bySeverity, isHarmless } from "./impact";

interface Props {
  impact: Impact;
  ticked: readonly string[];
  onTick: (id: string, isOn: boolean) => void;
}

/** What a change would do, by name and number, with exactly the confirmations it takes. */
export function ImpactView({ impact, ticked, onTick }: Props) {
  const { active_workflows, queued_tasks, dependent_agents, dependents, recommendations } = impact.impact_analysis;
  const hasEffects = !isHarmless(impact);
  return (
    <>
      {!hasEffects && (
        <p className="flex items-start gap-2 rounded-lg bg-ok-soft p-3 text-ok">
          <CircleCheck aria-hidden className="mt-0.5 size-4 shrink-0" />
          Nothing is interrupted, cancelled or left without its agent.
        </p>
      )}
      {active_workflows.length > 0 && (
        <Finding title={formatCount(active_workflows.length, "run needs it", "runs need it")}>
          <WorkList work={active_workflows} fate={(id) => fateOf(impact, id)} />
        </Finding>
      )}
      {queued_tasks > 0 && (
        <Finding title={`${formatCount(queued_tasks, "task")} queued`}>
          <p className="text-sm text-muted">
            {impact.will_cancel.length > 0
              ? `${formatCount(impact.will_cancel.length, "run")} will be cancelled.`
              : "Queued work stays queued."}
          </p>
        </Finding>
      )}
      {dependent_agents.length + dependents.length > 0 && (
        <Finding
          title={`${formatCount(dependent_agents.length + dependents.length, "thing depends", "things depend")} on it`}
        >
          <ul className="grid gap-1 text-sm">
            {dependent_agents.map((one) => (
              <li key={`agent ${one.id}`}>
                Agent <span className="font-medium">{one.name}</span>
                <span className="text-muted"> ({one.dependency_type})</span>
              </li>
            ))}
            {dependents.map((one) => (
              <li key={`${one.kind} ${one.id}`}>
                <span className="inline-block first-letter:uppercase">{one.kind}</span>{" "}
                <span className="font-medium">{one.name}</span>
              </li>
            ))}
          </ul>
        </Finding>
      )}
      {hasEffects && <SystemImpact impact={impact} />}
      {recommendations.length > 0 && (
        <ul className="grid gap-2">
          {bySeverity(recommendations).map((one) => (
            <Advice key={one.type + one.message} kind={one.type} text={one.message} />
          ))}
        </ul>
      )}
      {hasEffects && (
        <fieldset className="grid gap-3 rounded-xl border border-line-strong p-4">
          <legend className="px-1 font-medium">Please confirm</legend>
          {impact.required_confirmations.map((one) => (
            <CheckField
              key={one.id}
              label={one.text}
              checked={ticked.includes(one.id)}
              onChange={(event) => onTick(one.id, event.target.checked)}
            />
          ))}
        </fieldset>
      )}
    </>
  );
}

function fateOf(impact: Impact, id: string): string {
  if (impact.will_interrupt.includes(id)) return "will be interrupted";
  if (impact.will_cancel.includes(id)) return "will be cancelled";
  const failing = impact.will_fail.includes(id);
  if (impact.will_await.includes(id)) return failing ? "will be awaited, and fails at a later step" : "will be awaited";
  if (failing) return "fails at a later step";
  return "";
}

/** A run without a recipe has its agent's name, which is known here. */
const KINDS: Record<string, string> = { task: "Task", heartbeat: "Heartbeat" };

/** Runs by name, each a link to its kitchen. */
export function WorkList({ work, fate }: { work: readonly ActiveWork[]; fate?: (id: string) => string }) {
  return (
    <ul className="divide-y rounded-lg border text-sm">
      {work.map((one) => (
        <li key={one.id} className="flex flex-wrap items-baseline gap-x-3 px-3 py-2">
          <Link
            to="/w/$workspace/runs/$runId"
            from="/w/$workspace"
            params={{ runId: one.id }}
            className="min-w-0 font-medium wrap-anywhere text-accent underline-offset-2 hover:underline"
          >
            {one.kind === "recipe" ? one.name : (KINDS[one.kind] ?? one.kind)}
          </Link>
          <span className="text-muted">{[one.place, fate?.(one.id)].filter(Boolean).join(", ")}</span>
          {one.remaining_s !== null && (
            <span className="ml-auto text-muted tabular">about {formatDuration(one.remaining_s * 1000)} left</span>
          )}
        </li>
      ))}
    </ul>
  );
}

function Finding({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="grid gap-1.5">
      <h4 className="font-medium">{title}</h4>
      {children}
    </div>
  );
}

function SystemImpact({ impact }: { impact: Impact }) {
  const { performance_degradation, availability_impact, recovery_time_estimate, basis } =
    impact.impact_analysis.system_impact;
  return (
    <div className="rounded-lg bg-sunken p-4">
      <dl className="grid gap-3 sm:grid-cols-3">
        <Fact name="Capacity lost" value={`${Math.round(performance_degradation * 10) / 10}%`} />
        <Fact name="Availability" value={`${availability_impact} impact`} />
        <Fact name="Back in" value={recovery_time_estimate} />
      </dl>
      <p className="mt-3 text-sm text-muted">{basis}</p>
    </div>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt className="text-sm text-muted">{name}</dt>
      <dd className="font-medium tabular">{value}</dd>
    </div>
  );
}

const LOOKS: Record<string, { icon: LucideIcon; color: string; word: string }> = {
  critical: { icon: CircleAlert, color: "text-bad", word: "Critical" },
  warning: { icon: TriangleAlert, color: "text-warn", word: "Warning" },
  info: { icon: Info, color: "text-muted", word: "Note" },
};

function Advice({ kind, text }: { kind: string; text: string }) {
  const { icon: Icon, color, word } = LOOKS[kind] ?? { icon: Info, color: "text-muted", word: "Note" };
  return (
    <li className="flex items-start gap-2">
      <Icon aria-hidden className={`mt-1 size-4 shrink-0 ${color}`} />
      <span>
        <span className="sr-only">{word}: </span>
        {text}
      </span>
    </li>
  );
}
