import { useQuery } from "@tanstack/react-query";
import { ChevronDown } from "lucide-react";
import type { Agent } from "@/client";
import type { AgentStatus } from "@/client/lifecycle";
import { asProblem } from "@/lib/problem";
import { useCan, useWorkspace } from "@/lib/workspace";
import { Button } from "@/ui/button";
import { Menu, MenuItem, MenuLine } from "@/ui/menu";
import { toast } from "@/ui/toaster";
import { agentStateQuery, useSetStatus } from "./lifecycle-queries";
import { AgentBadge } from "./status";
import { targetWords, verbFor } from "./status-sheet-words";

interface Props {
  agent: Pick<Agent, "id" | "name" | "status">;
  /** Shows the whole sheet, with this status chosen if one is named. */
  onOpenSheet: (target?: string) => void;
}

/** The agent's status as a button: one click changes it when nothing is affected, else the sheet asks first. */
export function StatusMenu({ agent, onOpenSheet }: Props) {
  const { id: workspace } = useWorkspace();
  const state = useQuery(agentStateQuery(workspace, agent.id));
  const change = useSetStatus(agent.id);
  const mayEdit = useCan("editor");
  const status = state.data?.status ?? agent.status;
  if (!mayEdit) return <AgentBadge status={status} />;

  function set(target: AgentStatus) {
    change.mutate(
      { status: target },
      {
        onSuccess: (answer) =>
          toast.success(`${agent.name} is ${targetWords(answer.agent.status).label.toLowerCase()} now.`),
        onError: (error) => {
          const problem = asProblem(error);
          if (problem.code.startsWith("impact_")) onOpenSheet(target);
          else toast.error(problem.message);
        },
      },
    );
  }

  const targets = (state.data?.allowed_statuses ?? []).filter((one) => one !== status);
  return (
    <Menu
      align="end"
      trigger={
        <Button busy={change.isPending} aria-label={`Status: ${targetWords(status).label}. Change it`}>
          <AgentBadge status={status} />
          <ChevronDown aria-hidden className="size-4 text-muted" />
        </Button>
      }
    >
      {targets.map((target) => (
        <MenuItem key={target} onSelect={() => set(target)}>
          {verbFor(status, target)}
        </MenuItem>
      ))}
      {targets.length > 0 && <MenuLine />}
      <MenuItem onSelect={() => onOpenSheet()}>Status and effects</MenuItem>
    </Menu>
  );
}
