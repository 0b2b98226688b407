import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Command } from "cmdk";
import { Bot, ChefHat, History, type LucideIcon, Plus } from "lucide-react";
import { agentsQuery } from "@/features/agents/queries";
import { recipesQuery } from "@/features/recipes/queries";
import { runsQuery } from "@/features/runs/queries";
import { formatAgo } from "@/lib/format";
import { useCan, useWorkspace } from "@/lib/workspace";
import { Palette, PaletteGroup } from "@/ui/palette";
import { ALL_PAGES } from "./pages";

/** Goes anywhere by name: pages, recipes, agents, recent runs, and what one can start. */
export default function WorkspacePalette({ onClose }: { onClose: () => void }) {
  const { id: workspace } = useWorkspace();
  const mayEdit = useCan("editor");
  const navigate = useNavigate({ from: "/w/$workspace" });
  const agents = useQuery(agentsQuery(workspace)).data?.items ?? [];
  const recipes = useQuery(recipesQuery(workspace)).data?.items ?? [];
  const runs = useInfiniteQuery(runsQuery(workspace, {}, 8)).data?.pages[0]?.items ?? [];

  const go = (destination: () => Promise<void>) => () => {
    onClose();
    void destination();
  };

  return (
    <Palette onClose={onClose}>
      <PaletteGroup heading="Go to">
        {ALL_PAGES.map(({ to, label, icon }) => (
          <Item key={to} icon={icon} label={label} onSelect={go(() => navigate({ to }))} />
        ))}
      </PaletteGroup>
      {mayEdit && (
        <PaletteGroup heading="Start">
          {recipes.map((recipe) => (
            <Item
              key={recipe.template_id}
              icon={ChefHat}
              label={`Cook ${recipe.name}`}
              onSelect={go(() => navigate({ to: "/w/$workspace/recipes", search: { cook: recipe.template_id } }))}
            />
          ))}
          <Item icon={Plus} label="New recipe" onSelect={go(() => navigate({ to: "/w/$workspace/recipes/new" }))} />
          <Item icon={Plus} label="New persona" onSelect={go(() => navigate({ to: "/w/$workspace/personas/new" }))} />
          <Item icon={Plus} label="New skill" onSelect={go(() => navigate({ to: "/w/$workspace/skills/new" }))} />
          <Item icon={Plus} label="New agent" onSelect={go(() => navigate({ to: "/w/$workspace/agents/new" }))} />
        </PaletteGroup>
      )}
      <PaletteGroup heading="Recent runs">
        {runs.map((run) => (
          <Item
            key={run.id}
            icon={History}
            label={run.recipe_name}
            detail={`${run.status}, ${formatAgo(run.created_at)}`}
            value={`run ${run.recipe_name} ${run.id}`}
            onSelect={go(() => navigate({ to: "/w/$workspace/runs/$runId", params: { runId: run.id } }))}
          />
        ))}
      </PaletteGroup>
      <PaletteGroup heading="Recipes">
        {recipes.map(({ template_id, name }) => (
          <Item
            key={template_id}
            icon={ChefHat}
            label={name}
            value={`recipe ${name} ${template_id}`}
            onSelect={go(() =>
              navigate({ to: "/w/$workspace/recipes/$templateId", params: { templateId: template_id } }),
            )}
          />
        ))}
      </PaletteGroup>
      <PaletteGroup heading="Agents">
        {agents.map(({ id, name }) => (
          <Item
            key={id}
            icon={Bot}
            label={name}
            value={`agent ${name} ${id}`}
            onSelect={go(() => navigate({ to: "/w/$workspace/agents/$agentId", params: { agentId: String(id) } }))}
          />
        ))}
      </PaletteGroup>
    </Palette>
  );
}

interface ItemProps {
  icon: LucideIcon;
  label: string;
  detail?: string;
  value?: string;
  onSelect: () => void;
}

function Item({ icon: Icon, label, detail, value, onSelect }: ItemProps) {
  return (
    <Command.Item
      value={value ?? label}
      onSelect={onSelect}
      className="flex items-center gap-3 rounded-lg px-3 py-2 data-[selected=true]:bg-accent-soft"
    >
      <Icon aria-hidden className="size-4 shrink-0 text-muted" />
      <span className="min-w-0 flex-1 truncate">{label}</span>
      {detail && <span className="text-sm text-muted">{detail}</span>}
    </Command.Item>
  );
}
