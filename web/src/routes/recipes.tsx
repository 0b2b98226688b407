import { getRouteApi, Link } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useEffect } from "react";
import { RecipeList } from "@/features/recipes/recipe-list";
import { RunBadge } from "@/features/runs/status";
import { usePlanNote } from "@/features/workspaces/queries";
import { useCan } from "@/lib/workspace";
import { buttonClass } from "@/ui/button";
import { FilterBar, SearchBox } from "@/ui/filters";
import { Page } from "@/ui/page";
import { RecipeCook } from "./recipe-actions";

const route = getRouteApi("/w/$workspace/recipes");

export function RecipesPage() {
  const { q, cook } = route.useSearch();
  const navigate = route.useNavigate();
  const mayEdit = useCan("editor");
  const planNote = usePlanNote("max_workflows", "recipes");
  const show = (part: { q?: string | undefined; cook?: string | undefined }) =>
    navigate({ search: (current) => ({ ...current, ...part }), replace: true });

  useEffect(() => {
    // Ready when Cook is pressed, so that the first words are seen.
    if (cook) void import("./kitchen");
  }, [cook]);

  return (
    <Page
      wide
      title="Recipes"
      lead={`Tasks in steps, each done by an agent.${planNote}`}
      action={
        mayEdit && (
          <div className="flex flex-wrap gap-2">
            <Link to="/w/$workspace/samples" from="/w/$workspace" className={buttonClass()}>
              Samples
            </Link>
            <Link to="/w/$workspace/recipes/new" from="/w/$workspace" className={buttonClass({ look: "primary" })}>
              <Plus aria-hidden className="size-4" /> New recipe
            </Link>
          </div>
        )
      }
    >
      <FilterBar>
        <SearchBox label="Search recipes" value={q ?? ""} onChange={(text) => show({ q: text || undefined })} />
      </FilterBar>
      <RecipeList
        search={q}
        onCook={(templateId) => show({ cook: templateId })}
        onClearSearch={() => show({ q: undefined })}
        start={
          mayEdit && (
            <Link to="/w/$workspace/samples" from="/w/$workspace" className={buttonClass({ look: "primary" })}>
              Start from a sample
            </Link>
          )
        }
        lastResult={(run) => (
          <Link
            to="/w/$workspace/runs/$runId"
            from="/w/$workspace"
            params={{ runId: run.id }}
            aria-label="The last run"
          >
            <RunBadge status={run.status} />
          </Link>
        )}
      />
      {cook && <RecipeCook templateId={cook} onClose={() => show({ cook: undefined })} />}
    </Page>
  );
}
