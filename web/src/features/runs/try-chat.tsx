import { RotateCcw, SendHorizontal, Square } from "lucide-react";
import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import type { AgentBody } from "@/client";
import { eventsOf, textOf } from "@/lib/event-stream";
import { formatCost, formatDuration, formatTokens } from "@/lib/format";
import { api, dataOf } from "@/lib/http";
import { asProblem } from "@/lib/problem";
import { useWorkspace } from "@/lib/workspace";
import { Button } from "@/ui/button";
import { ProblemNote } from "@/ui/problem";
import { PlainText, RichText } from "@/ui/text/rich-text";
import { heard, NO_ANSWER, type TrialAnswer, type TrialCost, type TrialEvent, type TrialMessage } from "./trial";

interface Turn extends TrialMessage {
  cost?: TrialCost | null;
}

/** A talk with an agent that need not be saved yet. Tools are not called, and nothing is kept but what it cost. */
export function TryChat({ agent }: { agent: AgentBody }) {
  const { id: workspace } = useWorkspace();
  const [turns, setTurns] = useState<Turn[]>([]);
  const [answer, setAnswer] = useState<TrialAnswer | null>(null);
  const [text, setText] = useState("");
  const asking = useRef<AbortController | null>(null);
  const isBusy = answer !== null && answer.problem === null;
  useEffect(() => () => asking.current?.abort(), []);

  async function ask(said: Turn[]) {
    const control = new AbortController();
    asking.current = control;
    let now = NO_ANSWER;
    setAnswer(now);
    try {
      const body = { agent, messages: said.map(({ role, content }) => ({ role, content })) };
      const stream = await dataOf(
        api(workspace).POST("/api/agents/try", {
          body,
          signal: control.signal,
          parseAs: "stream",
          headers: { Accept: "text/event-stream" },
        }),
      );
      for await (const event of eventsOf<TrialEvent>(textOf(stream))) {
        now = heard(now, event);
        setAnswer(now);
      }
    } catch (error) {
      if (!control.signal.aborted) now = { ...now, problem: asProblem(error) };
    }
    finish(said, now);
  }

  function finish(said: Turn[], last: TrialAnswer) {
    if (last.problem) {
      setAnswer(last);
      return;
    }
    setAnswer(null);
    if (last.text) setTurns([...said, { role: "assistant", content: last.text, cost: last.cost }]);
  }

  function send() {
    const content = text.trim();
    if (!content || isBusy) return;
    const said: Turn[] = [...turns, { role: "user", content }];
    setTurns(said);
    setText("");
    void ask(said);
  }

  function startOver() {
    asking.current?.abort();
    setTurns([]);
    setAnswer(null);
  }

  return (
    <div className="grid gap-3">
      {turns.length > 0 && (
        <ol aria-label="Conversation" className="grid max-h-96 gap-3 overflow-y-auto" aria-live="polite">
          {turns.map((turn, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a conversation only grows at its end
            <Said key={index} turn={turn} />
          ))}
          {answer && !answer.problem && <Said turn={{ role: "assistant", content: answer.text || "…" }} />}
        </ol>
      )}
      {answer?.problem && <ProblemNote error={answer.problem} onRetry={() => void ask(turns)} />}
      {/* No form: this stands inside one. */}
      <div className="flex items-end gap-2">
        <Box value={text} onChange={setText} onSend={send} />
        {isBusy ? (
          <Button onClick={() => asking.current?.abort()}>
            <Square aria-hidden className="size-4" /> Stop
          </Button>
        ) : (
          <Button disabled={!text.trim()} onClick={send}>
            <SendHorizontal aria-hidden className="size-4" /> Send
          </Button>
        )}
      </div>
      {turns.length > 0 && (
        <Button size="sm" look="quiet" className="justify-self-start" onClick={startOver}>
          <RotateCcw aria-hidden className="size-4" /> Start the talk over
        </Button>
      )}
    </div>
  );
}

interface BoxProps {
  value: string;
  onChange: (text: string) => void;
  onSend: () => void;
}

/** Enter sends; Shift and Enter make a new line. */
function Box({ value, onChange, onSend }: BoxProps) {
  function pressed(event: KeyboardEvent<HTMLTextAreaElement>) {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    onSend();
  }
  return (
    <textarea
      aria-label="Say something to the agent"
      placeholder="Say something to the agent"
      rows={2}
      maxLength={20_000}
      value={value}
      onChange={(event) => onChange(event.target.value)}
      onKeyDown={pressed}
      className="field-box resize-none placeholder:text-muted"
    />
  );
}

function Said({ turn }: { turn: Turn }) {
  const isMine = turn.role === "user";
  return (
    <li className={isMine ? "justify-self-end max-sm:pl-6 sm:max-w-[80%]" : "sm:max-w-[80%]"}>
      <p className="sr-only">{isMine ? "You" : "The agent"}</p>
      <div dir="auto" className={`min-w-0 rounded-xl px-3.5 py-2 ${isMine ? "bg-accent-soft" : "border"}`}>
        {isMine ? <PlainText text={turn.content} /> : <RichText text={turn.content} isGrowing={!turn.cost} />}
      </div>
      {turn.cost && (
        <p className="mt-1 text-sm text-muted tabular">
          {turn.cost.model_id}, {formatDuration(turn.cost.latency_ms)},{" "}
          {formatTokens(turn.cost.input_tokens + turn.cost.output_tokens)}, {formatCost(turn.cost.cost_usd)}
        </p>
      )}
    </li>
  );
}
