import { queryOptions, useQuery } from "@tanstack/react-query";
import type { BuiltinTools } from "@/client";
import { http } from "@/lib/http";
import { useWorkspace } from "@/lib/workspace";
import { Checklist } from "@/ui/checklist";
import { ProblemNote } from "@/ui/problem";
import { Skeleton } from "@/ui/states";

const builtinToolsQuery = (workspace: string) =>
  queryOptions({
    queryKey: [workspace, "tools", "builtin"],
    queryFn: ({ signal }) => http.get<BuiltinTools>("/api/tools/builtin", { workspace, signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });

interface Props {
  value: string[];
  onChange: (names: string[]) => void;
}

/** Which built-in tools an agent is granted; nothing unless chosen. */
export function ToolChecklist({ value, onChange }: Props) {
  const { id: workspace } = useWorkspace();
  const tools = useQuery(builtinToolsQuery(workspace));
  if (tools.isPending) return <Skeleton className="h-40" />;
  if (tools.isError) return <ProblemNote error={tools.error} onRetry={() => tools.refetch()} />;
  return (
    <Checklist
      label="Tools"
      value={value}
      onChange={onChange}
      items={tools.data.items.map((tool) => ({
        value: tool.name,
        label: <span className="font-mono text-sm">{tool.name}</span>,
        hint: tool.is_available
          ? firstSentence(tool.description)
          : `Off on this server: ${tool.off_reason ?? "not available"}`,
        isOff: !tool.is_available,
        words: `${tool.name} ${tool.description}`,
      }))}
    />
  );
}

function firstSentence(text: string): string {
  return /^.*?[.!?](?=\s|$)/s.exec(text)?.[0] ?? text;
}
