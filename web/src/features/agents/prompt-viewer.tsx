import { useQuery } from "@tanstack/react-query";
import { ChevronRight } from "lucide-react";
import type { AssembledContext, PromptPart } from "@/client/lifecycle";
import { formatTokens } from "@/lib/format";
import { useWorkspace } from "@/lib/workspace";
import { CopyButton } from "@/ui/copy";
import { Loaded } from "@/ui/loaded";
import { Panel } from "@/ui/panel";
import { Fact, Facts } from "@/ui/stat";
import { SkeletonRows } from "@/ui/states";
import { RichText } from "@/ui/text/rich-text";
import { assembledQuery } from "./lifecycle-queries";

/** What the model is told for this agent, as it is stored now. */
export function AgentPrompt({ agentId }: { agentId: number }) {
  const { id: workspace } = useWorkspace();
  const prompt = useQuery(assembledQuery(workspace, agentId));
  return (
    <Loaded of={prompt} pending={<SkeletonRows rows={4} />}>
      {(found) => <PromptViewer context={found} />}
    </Loaded>
  );
}

/** A prompt part by part: where each comes from and how many tokens it takes. */
export function PromptViewer({ context }: { context: AssembledContext }) {
  const { model, temperature, temperature_source, parts, tools } = context;
  return (
    <>
      <Panel
        title={formatTokens(context.token_estimate)}
        lead={context.token_basis}
        action={<CopyButton text={context.system_prompt} label="Copy the whole prompt" />}
      >
        <ShareBar parts={parts} />
        <Facts>
          <Fact name="Model">
            {model.model_id}{" "}
            <span className="text-muted">
              ({model.provider}, {model.source.replaceAll("_", " ")})
            </span>
          </Fact>
          <Fact name="Temperature">
            {temperature === null ? "the provider’s own" : temperature}{" "}
            <span className="text-muted">({temperature_source.replaceAll("_", " ")})</span>
          </Fact>
          <Fact name="Tools">
            {tools.length === 0 ? (
              <span className="text-muted">none</span>
            ) : (
              <code className="text-sm">{tools.join(", ")}</code>
            )}
          </Fact>
        </Facts>
      </Panel>
      <ol className="grid gap-3">
        {parts.map((part, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: parts have no other name and do not move
          <Part key={index} part={part} isOpen={parts.length < 3 || index === 0} />
        ))}
      </ol>
    </>
  );
}

/** How much of the prompt each part takes. */
function ShareBar({ parts }: { parts: readonly PromptPart[] }) {
  const total = parts.reduce((sum, part) => sum + part.tokens, 0);
  if (total === 0) return null;
  return (
    <div aria-hidden className="flex h-2 gap-px overflow-hidden rounded-full">
      {parts.map((part, index) => (
        <span
          // biome-ignore lint/suspicious/noArrayIndexKey: parts have no other name and do not move
          key={index}
          title={`${part.title}: ${formatTokens(part.tokens)}`}
          className={index % 2 === 0 ? "bg-accent" : "bg-line-strong"}
          style={{ width: `${(part.tokens / total) * 100}%` }}
        />
      ))}
    </div>
  );
}

function Part({ part, isOpen }: { part: PromptPart; isOpen: boolean }) {
  return (
    <li>
      <details className="group card" open={isOpen}>
        <summary className="flex cursor-pointer list-none items-center gap-2.5 rounded-xl px-4 py-3 hover:bg-sunken">
          <ChevronRight aria-hidden className="size-4 shrink-0 text-muted transition-transform group-open:rotate-90" />
          <span className="min-w-0 font-medium wrap-anywhere">{part.title}</span>
          <span className="ml-auto text-sm whitespace-nowrap text-muted tabular">
            {part.source}, {formatTokens(part.tokens)}
          </span>
        </summary>
        <div className="relative border-t">
          <div className="absolute top-2 right-2">
            <CopyButton text={part.text} label={`Copy: ${part.title}`} />
          </div>
          <div className="max-h-[28rem] overflow-auto px-4 py-3 pr-12">
            <RichText text={part.text} level={1} />
          </div>
        </div>
      </details>
    </li>
  );
}
