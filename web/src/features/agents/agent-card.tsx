import { clsx } from "clsx";
import type { Agent } from "@/client";
import { formatCount } from "@/lib/format";
import { useCan } from "@/lib/workspace";
import { Avatar } from "@/ui/avatar";
import { AgentLink, modelOf, successOf, tasksOf, workloadOf } from "./agent-facts";
import { type AgentActions, AgentMenu } from "./agent-menu";
import { AgentBadge } from "./status";

/** The height of every card in px; the roster counts on it. */
export const CARD_PX = 232;

interface Props {
  agent: Agent;
  isChosen: boolean;
  onChoose: (isChosen: boolean) => void;
  onTag: (tag: string) => void;
  actions: AgentActions;
}

export function AgentCard({ agent, isChosen, onChoose, onTag, actions }: Props) {
  const mayEdit = useCan("editor");
  return (
    <article
      className={clsx(
        "card relative flex h-full flex-col gap-2.5 p-4 focus-within:border-line-strong! hover:border-line-strong!",
        isChosen && "border-accent! bg-accent-soft!",
      )}
    >
      <div className="flex items-center gap-2.5">
        {mayEdit && <Choose agent={agent} isChosen={isChosen} onChoose={onChoose} />}
        <Avatar id={agent.id} name={agent.name} />
        <h2 className="min-w-0 flex-1 truncate font-semibold">
          <AgentLink agent={agent} className="after:absolute after:inset-0" />
        </h2>
        <AgentMenu agent={agent} actions={actions} />
      </div>
      <div className="flex items-center justify-between gap-3">
        <AgentBadge status={agent.status} isStopping={agent.stopping !== null} />
        <span className="truncate text-sm text-muted">{agent.marketplace_category}</span>
      </div>
      <p dir="auto" className="line-clamp-2 wrap-anywhere text-muted" title={agent.status_reason ?? undefined}>
        {agent.status === "error" && agent.status_reason ? agent.status_reason : agent.description || "No description."}
      </p>
      <Tags tags={agent.tags} onTag={onTag} />
      <dl className="mt-auto grid grid-cols-2 gap-x-4 text-sm">
        <Fact label="Model" value={modelOf(agent)} />
        <Fact label="Workload" value={workloadOf(agent)} />
        <Fact label="Success" value={successOf(agent)} />
        <Fact label="Done so far" value={formatCount(tasksOf(agent), "task")} />
      </dl>
    </article>
  );
}

interface ChooseProps {
  agent: Agent;
  isChosen: boolean;
  onChoose: (isChosen: boolean) => void;
}

/** Ticks an agent for an action on several. */
export function Choose({ agent, isChosen, onChoose }: ChooseProps) {
  return (
    <input
      type="checkbox"
      aria-label={`Select ${agent.name}`}
      checked={isChosen}
      onChange={(event) => onChoose(event.target.checked)}
      className="relative z-10 size-4 shrink-0 accent-accent"
    />
  );
}

function Tags({ tags, onTag }: { tags: readonly string[]; onTag: (tag: string) => void }) {
  if (tags.length === 0) return null;
  return (
    <p className="flex h-6 flex-wrap gap-1.5 overflow-hidden">
      {tags.map((tag) => (
        <button
          key={tag}
          type="button"
          title={`Show all with the tag ${tag}`}
          onClick={() => onTag(tag)}
          className="relative max-w-full truncate rounded-md bg-sunken px-2 text-sm leading-6 text-muted hover:text-ink"
        >
          {tag}
        </button>
      ))}
    </p>
  );
}

function Fact({ label, value }: { label: string; value: string }) {
  return (
    <div className="flex min-w-0 gap-1.5">
      <dt className="text-muted">{label}</dt>
      <dd className="truncate tabular" title={value}>
        {value}
      </dd>
    </div>
  );
}
