import { Spinner } from "@/ui/spinner";
import { seconds } from "./attempts";
import type { StepView } from "./kitchen-state";
import { useNow } from "./use-now";

const since = (at: string | null, now: number) => (at ? Math.max(0, (now - new Date(at).getTime()) / 1000) : 0);

/** What is happening while no text comes, with a clock against the limit where there is one. */
export function Waiting({ step }: { step: StepView }) {
  const now = useNow(true);
  const silent = since(step.silentSince, now);
  const used = Math.floor(since(step.attemptAt, now));
  const model = step.model ?? "the model";
  return (
    <p className="flex items-center gap-2.5 text-muted tabular">
      <Spinner />
      <span className="min-w-0 wrap-anywhere">
        {wordsOf(step, model, silent)}{" "}
        {step.timeoutS === null ? `${used} s so far.` : `${used} of ${seconds(step.timeoutS)}.`}
      </span>
    </p>
  );
}

function wordsOf(step: StepView, model: string, silent: number): string {
  const last = step.attempts.at(-1);
  if (last && last.at === step.silentSince) {
    const left = (last.waitS ?? 0) - silent;
    if (last.next === "fallback") return "The fallback model is asked.";
    return left > 0 ? `${model} is asked again in ${Math.ceil(left)} s.` : `${model} is asked again.`;
  }
  const turn = step.turns.at(-1);
  if (!turn) return `${model} was asked and has not begun to answer.`;
  return turn.toolCalls.some((call) => call.state === "running")
    ? "A tool is at work."
    : `${model} reads what its tools returned.`;
}
