import { useInfiniteQuery } from "@tanstack/react-query";
import { Bot } from "lucide-react";
import { type ReactNode, useCallback, useMemo } from "react";
import { useCan, useWorkspace } from "@/lib/workspace";
import { Button } from "@/ui/button";
import { Loaded } from "@/ui/loaded";
import { Empty, SkeletonRows } from "@/ui/states";
import { VirtualCards } from "@/ui/virtual-cards";
import { AgentCard, CARD_PX } from "./agent-card";
import type { AgentActions } from "./agent-menu";
import { BulkBar } from "./bulk-bar";
import { useChosen } from "./chosen";
import { rosterQuery } from "./queries";
import { filtersOf, isFiltered, NO_FILTERS, type RosterSearch, type View } from "./roster-state";
import { RosterTable } from "./roster-table";
import { RosterToolbar } from "./roster-toolbar";

interface Props {
  search: RosterSearch;
  view: View;
  onShow: (part: RosterSearch) => void;
  onView: (view: View) => void;
  actions: AgentActions;
  /** The main action of a workspace that has no agents yet. */
  start: ReactNode;
}

const CARD_MIN_PX = 290;

/** Every agent of the workspace: found, ordered, ticked and acted upon. */
export function Roster({ search, view, onShow, onView, actions, start }: Props) {
  const { id: workspace } = useWorkspace();
  const roster = useInfiniteQuery(rosterQuery(workspace, filtersOf(search)));
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = roster;
  const agents = useMemo(() => roster.data?.pages.flatMap((page) => page.items) ?? [], [roster.data]);
  const tags = useMemo(() => [...new Set(agents.flatMap((agent) => agent.tags))].toSorted(), [agents]);
  const chosen = useChosen();
  const mayEdit = useCan("editor");

  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);

  async function chooseAll() {
    let all = roster;
    while (all.hasNextPage) {
      const next = await all.fetchNextPage();
      if (next.error) return;
      all = next as typeof roster;
    }
    chosen.replace(all.data?.pages.flatMap((page) => page.items.map((agent) => agent.id)) ?? []);
  }

  return (
    <Loaded of={roster} pending={<SkeletonRows rows={4} className="h-24" />}>
      {(found) => {
        const total = found.pages[0]?.total ?? 0;
        if (total === 0 && !isFiltered(search)) return <NoAgents start={mayEdit && start} />;

        const { sort = "", order = "asc" } = filtersOf(search);
        const list = { agents, total, actions, onEnd: more };
        return (
          <div className="grid min-w-0 grid-cols-[minmax(0,1fr)] gap-4">
            <RosterToolbar search={search} view={view} tags={tags} total={total} onShow={onShow} onView={onView} />
            {total === 0 && <NoMatch onClear={() => onShow(NO_FILTERS)} />}
            {total > 0 && view === "table" && (
              <RosterTable
                {...list}
                chosen={chosen}
                sorting={{ by: sort, order }}
                onSort={(sorting) => onShow({ sort: sorting.by, order: sorting.order })}
              />
            )}
            {total > 0 && view === "cards" && (
              <VirtualCards
                label="Agents"
                items={agents}
                total={total}
                keyOf={(agent) => agent.id}
                height={CARD_PX}
                width={CARD_MIN_PX}
                onEnd={more}
              >
                {(agent) => (
                  <AgentCard
                    agent={agent}
                    isChosen={chosen.ids.has(agent.id)}
                    onChoose={(isChosen) => chosen.set(agent.id, isChosen)}
                    onTag={(tag) => onShow({ tag })}
                    actions={actions}
                  />
                )}
              </VirtualCards>
            )}
            {isFetchingNextPage && <SkeletonRows rows={1} />}
            {mayEdit && chosen.ids.size > 0 && (
              <BulkBar
                agents={agents}
                total={total}
                chosen={chosen}
                actions={actions}
                onChooseAll={() => void chooseAll()}
                isLoading={isFetchingNextPage}
              />
            )}
          </div>
        );
      }}
    </Loaded>
  );
}

function NoAgents({ start }: { start: ReactNode }) {
  return (
    <Empty icon={<Bot className="size-6" />} title="No agents yet" action={start}>
      An agent is a model with a task of its own: a persona that says who it is, and the tools and skills it may use.
      Give it a task, or let recipes put it to work step by step.
    </Empty>
  );
}

function NoMatch({ onClear }: { onClear: () => void }) {
  return (
    <Empty
      icon={<Bot className="size-6" />}
      title="No agent matches"
      action={<Button onClick={onClear}>Show all agents</Button>}
    >
      No agent of this workspace fits the search and the chosen filters.
    </Empty>
  );
}
