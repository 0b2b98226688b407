import { RotateCcw } from "lucide-react";
import { formatTime } from "@/lib/format";
import type { AttemptView } from "./kitchen-state";

const THEN = {
  again: (attempt: AttemptView) => `asked again${attempt.waitS ? ` after ${seconds(attempt.waitS)}` : ""}`,
  fallback: () => "the fallback model was asked",
  nothing: () => "given up",
};

export const seconds = (value: number) => `${value < 10 ? Math.round(value * 10) / 10 : Math.round(value)} s`;

/** Every request to a model that gave no answer: what was said, and what followed. */
export function Attempts({ attempts }: { attempts: readonly AttemptView[] }) {
  if (attempts.length === 0) return null;
  return (
    <section aria-label="Attempts without an answer" className="rounded-lg border border-warn bg-warn-soft p-3">
      <ol className="grid gap-1.5 text-sm">
        {attempts.map((attempt, place) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: attempts keep their place
          <li key={place} className="flex gap-2.5">
            <RotateCcw aria-hidden className="mt-0.5 size-4 shrink-0 text-warn" />
            <span className="min-w-0 wrap-anywhere">
              <span className="font-medium text-warn">
                Attempt {attempt.attempt}
                {attempt.of !== null && ` of ${attempt.of}`}
              </span>{" "}
              <time dateTime={attempt.at} title={formatTime(attempt.at)}>
                {attempt.model}
                {attempt.status !== null && ` answered ${attempt.status}`}
              </time>
              : {attempt.reason.replace(/\.$/, "")}; {THEN[attempt.next](attempt)}.
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
