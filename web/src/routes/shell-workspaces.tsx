import { useSuspenseQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { ChevronsUpDown } from "lucide-react";
import { meQuery } from "@/features/workspaces/session";
import { underBase } from "@/lib/own-path";
import { useWorkspace } from "@/lib/workspace";
import { Menu, MenuChoice } from "@/ui/menu";

/** Shows the workspace and switches to another; every address and cache key names it, so nothing carries over. */
export function WorkspaceSwitch() {
  const current = useWorkspace();
  const { data: me } = useSuspenseQuery(meQuery);
  const navigate = useNavigate();
  const options = me.workspaces.map((one) => ({ value: one.slug, label: one.name }));
  return (
    <Menu
      align="start"
      trigger={
        <button
          type="button"
          aria-label={`Workspace ${current.name}, switch`}
          className="flex h-10 w-full min-w-0 items-center gap-2.5 rounded-lg px-2 text-left hover:bg-line"
        >
          <img src={underBase("/favicon.svg")} alt="" className="size-6" />
          <span className="min-w-0 flex-1 truncate font-semibold">{current.name}</span>
          <ChevronsUpDown aria-hidden className="size-4 shrink-0 text-muted" />
        </button>
      }
    >
      <MenuChoice
        label="Workspace"
        value={current.slug}
        options={options}
        onChange={(slug) => navigate({ to: "/w/$workspace/recipes", params: { workspace: slug } })}
      />
    </Menu>
  );
}
