import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { BookOpen, ChefHat, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import type { Recipe } from "@/client";
import { formatAgo, formatCount } from "@/lib/format";
import { useCan, useWorkspace } from "@/lib/workspace";
import { Button } from "@/ui/button";
import { Loaded } from "@/ui/loaded";
import { Empty, SkeletonRows } from "@/ui/states";
import { recipesQuery } from "./queries";
import { unreadyAgents } from "./readiness";

interface Props {
  search: string | undefined;
  onCook: (templateId: string) => void;
  onClearSearch: () => void;
  start: ReactNode;
  lastResult: (run: NonNullable<Recipe["last_run"]>) => ReactNode;
}

export function RecipeList({ search, onCook, onClearSearch, start, lastResult }: Props) {
  const { id: workspace } = useWorkspace();
  const recipes = useQuery(recipesQuery(workspace, search));
  return (
    <Loaded of={recipes} pending={<SkeletonRows rows={4} className="h-28" />}>
      {(found) => {
        if (found.items.length === 0) {
          return search ? (
            <Empty
              icon={<BookOpen className="size-6" />}
              title="No recipe matches"
              action={<Button onClick={onClearSearch}>Show all recipes</Button>}
            >
              Nothing here contains “{search}” in its name or description.
            </Empty>
          ) : (
            <Empty icon={<BookOpen className="size-6" />} title="No recipes yet" action={start}>
              A recipe is a list of steps. Each step gives one agent a task and can use what earlier steps found.
            </Empty>
          );
        }
        return (
          <ul className="grid gap-4 md:grid-cols-2 xl:grid-cols-3">
            {found.items.map((recipe) => (
              <RecipeCard key={recipe.id} recipe={recipe} onCook={onCook} lastResult={lastResult} />
            ))}
          </ul>
        );
      }}
    </Loaded>
  );
}

function RecipeCard({ recipe, onCook, lastResult }: { recipe: Recipe } & Pick<Props, "onCook" | "lastResult">) {
  const mayCook = useCan("editor");
  const waiting = unreadyAgents(recipe);
  const agents = [...new Set(recipe.steps.map((step) => step.agent?.name).filter(Boolean))];
  return (
    <li className="card relative flex flex-col gap-3 p-5 hover:border-line-strong!">
      <h2 className="font-semibold break-words">
        <Link
          to="/w/$workspace/recipes/$templateId"
          from="/w/$workspace"
          params={{ templateId: recipe.template_id }}
          className="after:absolute after:inset-0"
        >
          {recipe.name}
        </Link>
      </h2>
      <p className="line-clamp-2 text-muted">{recipe.description || "No description."}</p>
      <p className="text-sm text-muted">
        {formatCount(recipe.steps.length, "step")}
        {agents.length > 0 && ` by ${agents.join(", ")}`}
      </p>
      {waiting.length > 0 && (
        <p className="flex items-start gap-2 text-sm text-warn">
          <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
          <span className="min-w-0 break-words">
            Not ready: {waiting.map((agent) => `${agent.name} is ${agent.status}`).join(", ")}
          </span>
        </p>
      )}
      <div className="mt-auto flex items-end justify-between gap-3 pt-1">
        <div className="relative min-w-0 text-sm text-muted">
          {recipe.last_run ? lastResult(recipe.last_run) : "Never cooked"}
          {recipe.last_used_at && <span className="mt-1 block">{formatAgo(recipe.last_used_at)}</span>}
        </div>
        {mayCook && (
          <Button size="sm" className="relative" onClick={() => onCook(recipe.template_id)}>
            <ChefHat aria-hidden className="size-4" /> Cook
            <span className="sr-only"> {recipe.name}</span>
          </Button>
        )}
      </div>
    </li>
  );
}
