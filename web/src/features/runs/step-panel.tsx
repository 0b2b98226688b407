import { ChevronRight } from "lucide-react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import type { RunError } from "@/client";
import { formatCost, formatDuration, formatTokens } from "@/lib/format";
import { CopyButton } from "@/ui/copy";
import type { StepView } from "./kitchen-state";
import { StepBadge } from "./status";
import { TurnBlock } from "./turn";

/** Everything about one step: what it was asked, what it does, what came out. */
export function StepPanel({ step, title }: { step: StepView; title?: string | undefined }) {
  const isLive = step.status === "running";
  return (
    <section aria-labelledby="step-title" className="card grid gap-4 p-4 sm:p-6">
      <header className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <h2 id="step-title" className="min-w-0 text-lg font-semibold break-words">
          {title ?? `${step.order}. ${step.stepId}`}
        </h2>
        <StepBadge status={step.status} />
        <div className="flex flex-wrap gap-x-4 text-sm text-muted tabular sm:ml-auto">
          <span>{step.agentName}</span>
          {step.model && <span>{step.model}</span>}
          {step.attempt > 1 && <span>attempt {step.attempt}</span>}
          {step.tokens > 0 && <span>{formatTokens(step.tokens)}</span>}
          {step.costUsd !== undefined && <span>{formatCost(step.costUsd)}</span>}
          {step.durationMs !== null && <span>{formatDuration(step.durationMs)}</span>}
        </div>
      </header>
      {step.retry && (
        <p role="status" className="rounded-lg bg-warn-soft p-3 text-warn">
          Attempt {step.retry.attempt} starts in {step.retry.delayS} s. {step.retry.error?.message}
        </p>
      )}
      {step.error && <ErrorNote error={step.error} />}
      {step.prompt && (
        <Fold label="Prompt">
          <Text text={step.prompt} />
        </Fold>
      )}
      {isLive || step.output === null ? (
        <Work step={step} isLive={isLive} />
      ) : (
        <Result step={step} hasKey={title === undefined} />
      )}
    </section>
  );
}

export function ErrorNote({ error }: { error: RunError }) {
  return (
    <div role="alert" className="rounded-lg border border-bad bg-bad-soft p-3">
      <p className="font-medium break-words text-bad">{error.message}</p>
      {error.next_step && <p className="mt-1">{error.next_step}</p>}
    </div>
  );
}

function Result({ step, hasKey }: { step: StepView; hasKey: boolean }) {
  return (
    <>
      <div className="grid gap-1.5">
        <div className="flex items-center justify-between">
          <h3 className="text-sm font-medium text-muted">
            Output {hasKey && <span className="font-mono">{`{${step.outputKey}}`}</span>}
          </h3>
          <CopyButton text={step.output ?? ""} label="Copy the output" />
        </div>
        <Text text={step.output || "(empty)"} />
      </div>
      {step.turns.length > 0 && (
        <Fold label={`How it got there: ${step.turns.length} ${step.turns.length === 1 ? "turn" : "turns"}`}>
          <div className="grid gap-3">
            {step.turns.map((turn, index) => (
              <TurnBlock key={turn.turn} turn={turn} number={index + 1} isLive={false} />
            ))}
          </div>
        </Fold>
      )}
    </>
  );
}

const WAITS = {
  slot: (agent: string) => `${agent} is at work on as many tasks as it may; this step starts when one of them ends.`,
  paused: (agent: string) => `${agent} is paused; this step starts when it is resumed.`,
};

/** The turns as they stream; keeps the newest text in view until the reader scrolls away. */
function Work({ step, isLive }: { step: StepView; isLive: boolean }) {
  const box = useRef<HTMLDivElement>(null);
  const [isFollowing, setFollowing] = useState(true);
  const length = step.turns.reduce((sum, turn) => sum + turn.text.length + turn.toolCalls.length, 0);

  useEffect(() => {
    if (isFollowing && length > 0) box.current?.scrollTo({ top: box.current.scrollHeight });
  }, [isFollowing, length]);

  function scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = box.current ?? { scrollTop: 0, scrollHeight: 0, clientHeight: 0 };
    setFollowing(scrollHeight - scrollTop - clientHeight < 48);
  }

  if (step.turns.length === 0) {
    const words = {
      pending: step.waitsFor ? WAITS[step.waitsFor](step.agentName) : "This step has not started.",
      running: "Waiting for the first words of the model.",
    };
    return <p className="text-muted">{words[step.status as keyof typeof words] ?? "This step left no output."}</p>;
  }
  return (
    <div className="grid gap-2">
      {isLive && (
        <label className="flex items-center gap-2 justify-self-end text-sm text-muted">
          <input
            type="checkbox"
            className="size-4 accent-accent"
            checked={isFollowing}
            onChange={(event) => setFollowing(event.target.checked)}
          />
          Follow the text
        </label>
      )}
      <div
        ref={box}
        onScroll={scrolled}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
        tabIndex={0}
        role="log"
        aria-label="Live output"
        aria-live="off"
        className="grid max-h-[60dvh] gap-3 overflow-y-auto"
      >
        {step.turns.map((turn, index) => (
          <TurnBlock key={turn.turn} turn={turn} number={index + 1} isLive={isLive} />
        ))}
      </div>
    </div>
  );
}

export function Text({ text }: { text: string }) {
  return <div className="rounded-lg bg-sunken px-4 py-3 leading-relaxed break-words whitespace-pre-wrap">{text}</div>;
}

function Fold({ label, children }: { label: string; children: ReactNode }) {
  return (
    <details className="group">
      <summary className="flex w-fit cursor-pointer list-none items-center gap-1.5 rounded text-sm font-medium text-muted hover:text-ink">
        <ChevronRight aria-hidden className="size-4 transition-transform group-open:rotate-90" />
        {label}
      </summary>
      <div className="mt-2">{children}</div>
    </details>
  );
}
