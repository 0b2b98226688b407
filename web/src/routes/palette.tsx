import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Command } from "cmdk";
import { Bot, ChefHat, History, type LucideIcon, Plus } from "lucide-react";
import { useState } from "react";
import { foundAgentsQuery } from "@/features/agents/queries";
import { foundRecipesQuery } from "@/features/recipes/queries";
import { runsQuery } from "@/features/runs/queries";
import { formatAgo } from "@/lib/format";
import { useSettled } from "@/lib/use-settled";
import { useCan, useWorkspace } from "@/lib/workspace";
import { Palette, PaletteGroup } from "@/ui/palette";
import { ALL_PAGES } from "./pages";

/** So many of each kind: who looks for one more types on, and the server searches. */
const MOST = 8;
const SEARCH_MS = 120;

/** Goes anywhere by name: pages, recipes, agents, recent runs, and what one can start. */
export default function WorkspacePalette({ onClose }: { onClose: () => void }) {
  const { id: workspace } = useWorkspace();
  const mayEdit = useCan("editor");
  const navigate = useNavigate({ from: "/w/$workspace" });
  const [text, setText] = useState("");
  const search = useSettled(text.trim(), SEARCH_MS);
  const agents = useQuery(foundAgentsQuery(workspace, search, MOST)).data?.items ?? [];
  const recipes = useQuery(foundRecipesQuery(workspace, search, MOST)).data?.items ?? [];
  const runs = useInfiniteQuery(runsQuery(workspace, { top_level: true }, MOST)).data?.pages[0]?.items ?? [];

  const go = (destination: () => Promise<void>) => () => {
    onClose();
    void destination();
  };

  return (
    <Palette onClose={onClose} onSearch={setText}>
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
            keywords={[search]}
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
            keywords={[search]}
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
  keywords?: string[];
  onSelect: () => void;
}

function Item({ icon: Icon, label, detail, value, keywords, onSelect }: ItemProps) {
  return (
    <Command.Item
      value={value ?? label}
      {...(keywords ? { keywords } : {})}
      onSelect={onSelect}
      className="flex items-center gap-3 rounded-lg px-3 py-2 data-[selected=true]:bg-accent-soft"
    >
      <Icon aria-hidden className="size-4 shrink-0 text-muted" />
      <span dir="auto" className="min-w-0 flex-1 truncate">
        {label}
      </span>
      {detail && <span className="text-sm text-muted">{detail}</span>}
    </Command.Item>
  );
}
