import { useEffect, useRef, useState } from "react";
import type { StepView } from "./kitchen-state";
import { TurnBlock } from "./turn";
import { Waiting } from "./waiting";

const WAITS = {
  slot: (agent: string) => `${agent} is at work on as many tasks as it may; this step starts when one of them ends.`,
  paused: (agent: string) => `${agent} is paused; this step starts when it is resumed.`,
  approval: () => "This step waits for a decision.",
  timer: () => "This step waits for its time.",
  signal: () => "This step waits for a signal from outside.",
  run: () => "This step waits for the run that it has started.",
};

/** Why there is nothing to read of a step yet, or at all. */
function silenceOf(step: StepView): string {
  if (step.status !== "pending") return "This step left no output.";
  return step.waitsFor ? WAITS[step.waitsFor](step.agentName) : "This step has not started.";
}

/** The turns as they stream; keeps the newest text in view until the reader scrolls away. */
export function Work({ step, isLive }: { step: StepView; isLive: boolean }) {
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

  if (step.turns.length === 0)
    return isLive ? <Waiting step={step} /> : <p className="text-muted">{silenceOf(step)}</p>;
  return (
    <div className="grid min-w-0 gap-2">
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
        className="grid max-h-[60dvh] min-w-0 gap-3 overflow-y-auto"
      >
        {step.turns.map((turn, index) => (
          <TurnBlock key={turn.turn} turn={turn} number={index + 1} isLive={isLive} />
        ))}
        {isLive && step.turns.at(-1)?.isAnswered && <Waiting step={step} />}
      </div>
    </div>
  );
}
