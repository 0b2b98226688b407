import { useInfiniteQuery } from "@tanstack/react-query";
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

const FEW = 12;

/** The recipes of the workspace, page after page; the server searches. */
export function RecipeList({ search, onCook, onClearSearch, start, lastResult }: Props) {
  const { id: workspace } = useWorkspace();
  const recipes = useInfiniteQuery(recipesQuery(workspace, search));
  return (
    <Loaded of={recipes} pending={<SkeletonRows rows={4} className="h-28" />}>
      {({ pages }) => {
        const rows = pages.flatMap((page) => page.items);
        const total = pages.at(-1)?.total ?? 0;
        if (rows.length === 0) {
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
          <div className="grid min-w-0 gap-4">
            <ul className="grid gap-4 md:grid-cols-2 xl:grid-cols-3">
              {rows.map((recipe) => (
                <RecipeCard key={recipe.id} recipe={recipe} onCook={onCook} lastResult={lastResult} />
              ))}
            </ul>
            {/* All of a few need no count. */}
            {total > FEW && (
              <div className="flex flex-wrap items-center justify-center gap-4">
                <span className="text-sm text-muted tabular">
                  {rows.length} of {formatCount(total, "recipe")}
                </span>
                {recipes.hasNextPage && (
                  <Button busy={recipes.isFetchingNextPage} onClick={() => recipes.fetchNextPage()}>
                    Load more
                  </Button>
                )}
              </div>
            )}
          </div>
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
    <li className="card relative flex min-w-0 flex-col gap-3 p-5 hover:border-line-strong!">
      <h2 dir="auto" className="min-w-0 font-semibold wrap-anywhere">
        <Link
          to="/w/$workspace/recipes/$templateId"
          from="/w/$workspace"
          params={{ templateId: recipe.template_id }}
          className="after:absolute after:inset-0"
        >
          {recipe.name}
        </Link>
      </h2>
      <p dir="auto" className="line-clamp-2 wrap-anywhere text-muted">
        {recipe.description || "No description."}
      </p>
      <p dir="auto" className="truncate text-sm text-muted">
        {formatCount(recipe.steps.length, "step")}
        {agents.length > 0 && ` by ${agents.join(", ")}`}
      </p>
      {waiting.length > 0 && (
        <p className="flex items-start gap-2 text-sm text-warn">
          <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
          <span className="min-w-0 wrap-anywhere">
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
