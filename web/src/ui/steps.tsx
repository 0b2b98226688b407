import { clsx } from "clsx";
import { Check } from "lucide-react";

interface StepsProps {
  label: string;
  steps: readonly string[];
  /** Counted from 1. */
  current: number;
  /** Steps that hold an error, counted from 1. */
  faulty?: readonly number[];
  /** The last step one may go to. */
  reachable: number;
  onGo: (step: number) => void;
}

/** Where one is in a task of several steps; steps one has reached are buttons. */
export function Steps({ label, steps, current, faulty = [], reachable, onGo }: StepsProps) {
  return (
    <nav aria-label={label} className="grid gap-2">
      <ol className="flex gap-1.5 sm:gap-2">
        {steps.map((name, index) => {
          const number = index + 1;
          const isDone = number < current && !faulty.includes(number);
          return (
            <li key={name} className="min-w-0 flex-1">
              <button
                type="button"
                disabled={number > reachable}
                aria-current={number === current ? "step" : undefined}
                onClick={() => onGo(number)}
                className={clsx(
                  "flex w-full items-center gap-2 border-t-4 pt-2 text-left text-sm disabled:cursor-not-allowed",
                  number <= current ? "border-accent" : "border-line",
                  number === current ? "font-medium text-ink" : "text-muted enabled:hover:text-ink",
                  faulty.includes(number) && "border-bad! text-bad!",
                )}
              >
                {isDone ? <Check aria-hidden className="size-4 text-ok" /> : <span className="tabular">{number}</span>}
                <span className="truncate max-sm:sr-only">{name}</span>
                {isDone && <span className="sr-only">done</span>}
                {faulty.includes(number) && <span className="sr-only">has an error</span>}
              </button>
            </li>
          );
        })}
      </ol>
      <p aria-hidden className="text-sm font-medium sm:hidden">
        Step {current} of {steps.length}: {steps[current - 1]}
      </p>
    </nav>
  );
}
