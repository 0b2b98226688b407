import { clsx } from "clsx";
import { Check, ChevronRight, CircleSlash, Scissors, Wrench, X } from "lucide-react";
import { memo } from "react";
import { formatDuration, formatTokens } from "@/lib/format";
import { Fold } from "@/ui/fold";
import { Spinner } from "@/ui/spinner";
import { CodeBlock } from "@/ui/text/code-block";
import { kindOfText, prettyJson } from "@/ui/text/kind";
import { PlainText, RichText } from "@/ui/text/rich-text";
import type { ToolCallView, TurnView } from "./kitchen-state";

const STATES = {
  running: { label: "running", icon: <Spinner />, color: "text-accent" },
  ok: { label: "ok", icon: <Check aria-hidden className="size-4" />, color: "text-ok" },
  failed: { label: "failed", icon: <X aria-hidden className="size-4" />, color: "text-bad" },
  interrupted: { label: "interrupted", icon: <CircleSlash aria-hidden className="size-4" />, color: "text-muted" },
};

interface TurnProps {
  turn: TurnView;
  number: number;
  isLive: boolean;
}

/** One answer of the model with the tools it called; unchanged turns are not drawn again while others stream. */
export const TurnBlock = memo(function TurnBlock({ turn, number, isLive }: TurnProps) {
  const isWriting = isLive && !turn.isAnswered;
  return (
    <article className="grid min-w-0 gap-2">
      <p className="flex gap-3 text-sm text-muted tabular">
        <span>Turn {number}</span>
        {turn.tokens > 0 && <span>{formatTokens(turn.tokens)}</span>}
        {turn.cacheRead > 0 && <span>{formatTokens(turn.cacheRead)} from the cache</span>}
        {turn.cacheWritten > 0 && <span>{formatTokens(turn.cacheWritten)} into the cache</span>}
        {turn.latencyMs !== null && <span>{formatDuration(turn.latencyMs)}</span>}
      </p>
      {turn.reasoning && (
        <Fold label="Thinking">
          <div className="rounded-lg border border-dashed px-4 py-3 text-muted">
            <RichText text={turn.reasoning} />
          </div>
        </Fold>
      )}
      {(turn.text || isWriting) && (
        <div className="min-w-0 rounded-lg border px-4 py-3">
          {turn.text && <RichText text={turn.text} isGrowing={isWriting} />}
          {isWriting && (
            <span aria-hidden className="ml-0.5 inline-block h-4 w-2 animate-pulse bg-accent align-text-bottom" />
          )}
        </div>
      )}
      <EndNote end={turn.end} />
      {turn.toolCalls.map((call, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: calls keep their place, and providers may repeat ids
        <ToolCall key={place} call={call} />
      ))}
    </article>
  );
});

const ENDS: Record<string, string> = {
  cut_off: "The answer ran into its limit of tokens and is cut off here.",
  refused: "The model refused to answer.",
};

/** That an answer is not whole, where it is not. */
export function EndNote({ end }: { end: string | null }) {
  const words = end === null ? undefined : ENDS[end];
  if (!words) return null;
  return (
    <p className="flex items-start gap-2 rounded-lg bg-warn-soft p-2.5 text-sm text-warn">
      <Scissors aria-hidden className="mt-0.5 size-4 shrink-0" />
      {words}
    </p>
  );
}

function ToolCall({ call }: { call: ToolCallView }) {
  const state = STATES[call.state];
  return (
    <details className="group rounded-lg border">
      <summary className="flex cursor-pointer list-none items-center gap-2.5 rounded-lg px-3 py-2 hover:bg-sunken">
        <ChevronRight aria-hidden className="size-4 shrink-0 text-muted transition-transform group-open:rotate-90" />
        <Wrench aria-hidden className="size-4 shrink-0 text-muted" />
        <span className="min-w-0 truncate font-mono text-sm">{call.name}</span>
        <span className={clsx("ml-auto flex items-center gap-1.5 text-sm", state.color)}>
          {state.icon}
          {state.label}
          {call.durationMs !== null && <span className="text-muted tabular">{formatDuration(call.durationMs)}</span>}
        </span>
      </summary>
      <div className="grid gap-3 border-t p-3 text-sm">
        <Block label="Arguments" text={call.arguments} />
        {call.output !== null && <Block label={call.state === "failed" ? "Error" : "Result"} text={call.output} />}
      </div>
    </details>
  );
}

function Block({ label, text }: { label: string; text: string }) {
  const kind = kindOfText(text);
  return (
    <div className="min-w-0">
      <p className="mb-1 text-muted">{label}</p>
      <div className="max-h-72 overflow-y-auto">
        {kind === "markdown" ? (
          <PlainText text={text || "(none)"} isMono />
        ) : (
          <CodeBlock text={prettyJson(text)} language={kind} />
        )}
      </div>
    </div>
  );
}
