import { clsx } from "clsx";
import { formatDuration } from "@/lib/format";
import { stepTitle } from "./kitchen-flow";
import type { StepView } from "./kitchen-state";
import { stepLook } from "./status";

const COLORS = { neutral: "text-muted", accent: "text-accent", ok: "text-ok", warn: "text-warn", bad: "text-bad" };

const WAITS = {
  slot: "Waits for its agent",
  paused: "Its agent is paused",
  approval: "Waits for a decision",
  timer: "Waits for its time",
  signal: "Waits for a signal",
  run: "Runs a recipe",
};

interface Props {
  steps: StepView[];
  selected: number | undefined;
  onSelect: (order: number) => void;
}

/** Every step in order with its state; choosing one shows it below. */
export function StepStrip({ steps, selected, onSelect }: Props) {
  return (
    <nav aria-label="Steps of this run">
      <ol className="flex flex-wrap gap-2">
        {steps.map((step) => {
          const { icon: Icon, tone, label, spin } = stepLook(step.status);
          return (
            <li key={step.order} className="min-w-0 flex-1 basis-40">
              <button
                type="button"
                onClick={() => onSelect(step.order)}
                aria-current={step.order === selected ? "step" : undefined}
                className={clsx(
                  "card flex w-full items-start gap-3 px-3.5 py-3 text-left",
                  step.order === selected ? "border-accent! ring-1 ring-accent" : "hover:border-line-strong!",
                )}
              >
                <Icon
                  aria-hidden
                  className={clsx(
                    "mt-0.5 size-5 shrink-0",
                    COLORS[tone],
                    spin && "animate-spin [animation-duration:2s]",
                  )}
                />
                <span className="min-w-0">
                  <span dir="auto" className="block truncate font-medium">
                    {stepTitle(step)}
                  </span>
                  <span className="block truncate text-sm text-muted">
                    {step.durationMs === null ? (
                      step.waitsFor ? (
                        WAITS[step.waitsFor]
                      ) : (
                        label
                      )
                    ) : (
                      <>
                        <span className="sr-only">{label}, </span>
                        {formatDuration(step.durationMs)}
                      </>
                    )}
                  </span>
                </span>
              </button>
            </li>
          );
        })}
      </ol>
    </nav>
  );
}
