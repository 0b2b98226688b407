import { Activity, Copy, Download, Ellipsis, ExternalLink, Settings2, Trash2 } from "lucide-react";
import type { Agent } from "@/client";
import { useCan, useWorkspace } from "@/lib/workspace";
import { IconButton } from "@/ui/button";
import { Menu, MenuItem, MenuLine } from "@/ui/menu";
import { saveYaml } from "@/ui/more-menu";
import { exportOf } from "./queries";

/** What the page does when something of an agent's menu is chosen. */
export interface AgentActions {
  onOpen: (agent: Agent) => void;
  onEdit: (agent: Agent) => void;
  onDuplicate: (agent: Agent) => void;
  onChangeStatus: (agent: Agent) => void;
  onDelete: (agent: Agent) => void;
}

/** Everything one can do with one agent of the roster. */
export function AgentMenu({ agent, actions }: { agent: Agent; actions: AgentActions }) {
  const { id: workspace } = useWorkspace();
  const mayEdit = useCan("editor");

  return (
    <Menu
      trigger={
        <IconButton label={`Actions for ${agent.name}`} small className="relative">
          <Ellipsis aria-hidden className="size-5" />
        </IconButton>
      }
    >
      <MenuItem onSelect={() => actions.onOpen(agent)}>
        <ExternalLink aria-hidden className="size-4" /> Open
      </MenuItem>
      {mayEdit && (
        <>
          <MenuItem onSelect={() => actions.onEdit(agent)}>
            <Settings2 aria-hidden className="size-4" /> Edit
          </MenuItem>
          <MenuItem onSelect={() => actions.onDuplicate(agent)}>
            <Copy aria-hidden className="size-4" /> Duplicate
          </MenuItem>
        </>
      )}
      <MenuItem onSelect={() => void saveYaml(agent.name, () => exportOf(workspace, agent.id))}>
        <Download aria-hidden className="size-4" /> Export
      </MenuItem>
      {mayEdit && (
        <>
          <MenuItem onSelect={() => actions.onChangeStatus(agent)}>
            <Activity aria-hidden className="size-4" /> Change status
          </MenuItem>
          <MenuLine />
          <MenuItem danger onSelect={() => actions.onDelete(agent)}>
            <Trash2 aria-hidden className="size-4" /> Delete
          </MenuItem>
        </>
      )}
    </Menu>
  );
}
