import { getRouteApi, Link } from "@tanstack/react-router";
import { RunList } from "@/features/runs/run-list";
import { RUN_STATUSES } from "@/features/runs/status";
import { Button, buttonClass } from "@/ui/button";
import { FilterBar, StatusFilter } from "@/ui/filters";
import { Page } from "@/ui/page";
import { SwitchField } from "@/ui/switch";

const route = getRouteApi("/w/$workspace/runs");

export function RunsPage() {
  const { status, recipe, all } = route.useSearch();
  const navigate = route.useNavigate();
  const show = (part: { status?: string | undefined; recipe?: string | undefined; all?: true | undefined }) =>
    navigate({ search: (current) => ({ ...current, ...part }), replace: true });

  return (
    <Page
      wide
      title="Runs"
      lead="Every recipe cooked and every task of an agent, newest first. The list keeps itself up to date."
    >
      <FilterBar>
        <StatusFilter options={RUN_STATUSES} value={status} onChange={(value) => show({ status: value })} />
        {!recipe && (
          <SwitchField
            label="Also runs within runs"
            checked={all ?? false}
            onChange={(on) => show({ all: on || undefined })}
          />
        )}
        {recipe && (
          <Button size="sm" onClick={() => show({ recipe: undefined })}>
            Only {recipe}: show all recipes
          </Button>
        )}
      </FilterBar>
      <RunList
        // Of one recipe all are listed: many run only within others.
        filters={{ status, recipe, top_level: (!all && !recipe) || undefined }}
        onClearFilters={() => show({ status: undefined, recipe: undefined })}
        start={
          <Link to="/w/$workspace/recipes" from="/w/$workspace" className={buttonClass({ look: "primary" })}>
            Choose a recipe to cook
          </Link>
        }
      />
    </Page>
  );
}
