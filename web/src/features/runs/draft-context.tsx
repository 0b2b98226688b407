import { queryOptions, useQuery } from "@tanstack/react-query";
import { ChevronRight } from "lucide-react";
import type { AgentBody } from "@/client";

import { formatTokens } from "@/lib/format";
import { api, asReading, dataOf } from "@/lib/http";
import { useWorkspace } from "@/lib/workspace";
import { Loaded } from "@/ui/loaded";
import { Skeleton } from "@/ui/states";

const draftContextQuery = (workspace: string, agent: AgentBody) =>
  queryOptions({
    queryKey: [workspace, "draft-context", agent],
    queryFn: ({ signal }) =>
      dataOf(api(workspace).POST("/api/agents/assembled-context", { fetch: asReading, body: { agent }, signal })),
    retry: false,
    gcTime: 60_000,
  });

/** What an agent that is not saved yet would read before every task, part by part, and how long that is. */
export function DraftContext({ agent }: { agent: AgentBody }) {
  const { id: workspace } = useWorkspace();
  const context = useQuery(draftContextQuery(workspace, agent));
  return (
    <Loaded of={context} pending={<Skeleton className="h-28" />}>
      {(found) => {
        const { parts, token_estimate, token_basis } = found;
        const longest = Math.max(1, ...parts.map((part) => part.tokens));
        return (
          <div className="grid gap-3">
            <p>
              <span className="text-xl font-semibold tabular">{formatTokens(token_estimate)}</span>{" "}
              <span className="text-muted">before the task itself</span>
              <span className="block text-sm text-muted">{token_basis}</span>
            </p>
            <ul className="grid gap-1.5">
              {parts.map((part) => (
                <li key={part.title}>
                  <details className="group">
                    <summary className="grid cursor-pointer grid-cols-[8rem_1fr_4.5rem] items-center gap-3 rounded-md text-sm">
                      <span className="flex min-w-0 items-center gap-1">
                        <ChevronRight aria-hidden className="size-4 shrink-0 text-muted group-open:rotate-90" />
                        <span className="truncate">{part.title}</span>
                      </span>
                      <span aria-hidden className="h-2 rounded-full bg-sunken">
                        <span
                          className="block h-2 rounded-full bg-accent"
                          style={{ width: `${Math.max(2, (part.tokens / longest) * 100)}%` }}
                        />
                      </span>
                      <span className="text-right text-muted tabular">{formatTokens(part.tokens)}</span>
                    </summary>
                    <p className="my-2 max-h-72 overflow-y-auto rounded-lg bg-sunken p-3 wrap-anywhere whitespace-pre-wrap">
                      {part.text}
                    </p>
                  </details>
                </li>
              ))}
            </ul>
          </div>
        );
      }}
    </Loaded>
  );
}
