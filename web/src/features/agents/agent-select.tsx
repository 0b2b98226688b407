import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Agent } from "@/client";
import { takesWork } from "@/client/agents";
import { formatNumber } from "@/lib/format";
import { useSettled } from "@/lib/use-settled";
import { useWorkspace } from "@/lib/workspace";
import { Combobox } from "@/ui/combobox";
import { agentQuery, rosterQuery } from "./queries";

const SEARCH_MS = 120;
/** So many come at once; who has more types to find one, or goes on. */
const SHOWN = 50;

interface Props {
  label?: string;
  value: number | null;
  onChange: (agent: Agent) => void;
  /** What is said of a chosen agent that takes no work now. */
  idleHint?: string;
  error?: string | undefined;
}

/** One agent of the workspace, found by its name among however many there are: the server searches. */
export function AgentSelect({ label = "Agent", value, onChange, idleHint, error }: Props) {
  const { id: workspace } = useWorkspace();
  const [isOpen, setOpen] = useState(false);
  const [text, setText] = useState("");
  const search = useSettled(text.trim(), SEARCH_MS);
  const found = useInfiniteQuery({
    ...rosterQuery(workspace, { search: search || undefined, sort: "name" }, SHOWN),
    enabled: isOpen,
  });
  const chosen = useQuery({ ...agentQuery(workspace, value ?? 0), enabled: value !== null, retry: false });
  const agents = found.data?.pages.flatMap((page) => page.items) ?? [];
  const left = (found.data?.pages[0]?.total ?? 0) - agents.length;

  function choose(id: string) {
    const agent = agents.find((one) => one.id === Number(id));
    if (agent) onChange(agent);
  }

  return (
    <Combobox
      label={label}
      shown={value === null ? "Choose an agent" : (chosen.data?.data.name ?? `Agent ${value}`)}
      value={value === null ? "" : String(value)}
      searchLabel="Search agents"
      onSearch={setText}
      onOpen={setOpen}
      searchesItself
      isSearching={found.isFetching}
      groups={[
        {
          heading: "Agents",
          options: agents.map((one) => ({
            value: String(one.id),
            label: one.name,
            detail: takesWork(one.status) ? undefined : "not active",
          })),
          more: found.hasNextPage
            ? { label: `Show more, ${formatNumber(left)} are left`, load: () => void found.fetchNextPage() }
            : undefined,
        },
      ]}
      onChange={choose}
      hint={chosen.data && !takesWork(chosen.data.data.status) ? idleHint : undefined}
      error={error}
    />
  );
}
