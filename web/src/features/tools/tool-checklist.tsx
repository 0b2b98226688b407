import { queryOptions, useQuery } from "@tanstack/react-query";

import { api, dataOf } from "@/lib/http";
import { useWorkspace } from "@/lib/workspace";
import { Checklist } from "@/ui/checklist";
import { Loaded } from "@/ui/loaded";
import { Skeleton } from "@/ui/states";

const builtinToolsQuery = (workspace: string) =>
  queryOptions({
    queryKey: [workspace, "tools", "builtin"],
    queryFn: ({ signal }) => dataOf(api(workspace).GET("/api/tools/builtin", { signal })),
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
  return (
    <Loaded of={tools} pending={<Skeleton className="h-40" />}>
      {(found) => (
        <Checklist
          label="Tools"
          value={value}
          onChange={onChange}
          items={found.items.map((tool) => ({
            value: tool.name,
            label: <span className="font-mono text-sm">{tool.name}</span>,
            hint: tool.is_available
              ? firstSentence(tool.description)
              : `Off on this server: ${tool.off_reason ?? "not available"}`,
            isOff: !tool.is_available,
            words: `${tool.name} ${tool.description}`,
          }))}
        />
      )}
    </Loaded>
  );
}

function firstSentence(text: string): string {
  return /^.*?[.!?](?=\s|$)/s.exec(text)?.[0] ?? text;
}
