import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import type { Recipe } from "@/client";
import { draftOf } from "@/features/recipes/draft";
import { recipeQuery } from "@/features/recipes/queries";
import { RecipeVersions } from "@/features/recipes/recipe-versions";
import { recipeShape } from "@/features/recipes/shape";
import { RunList } from "@/features/runs/run-list";
import { useEdited } from "@/lib/edited";
import type { Tagged } from "@/lib/http";
import { useCan, useWorkspace } from "@/lib/workspace";
import { Loaded } from "@/ui/loaded";
import { Page } from "@/ui/page";
import { Tabs, tabOf } from "@/ui/tabs";
import { RecipeActions } from "./recipe-actions";
import { Editor } from "./recipe-editor";

const newRoute = getRouteApi("/w/$workspace/recipes/new");
const route = getRouteApi("/w/$workspace/recipes/$templateId");

const TABS = [
  { id: "recipe", label: "Recipe" },
  { id: "runs", label: "Runs" },
  { id: "versions", label: "Versions" },
];

/** A new recipe, from nothing or as a copy of another. */
export function NewRecipePage() {
  const { from } = newRoute.useSearch();
  const { id: workspace } = useWorkspace();
  const original = useQuery({ ...recipeQuery(workspace, from ?? ""), enabled: from !== undefined });
  return (
    <Page title="New recipe" lead="Say what to ask for, then what each agent does with it.">
      {from === undefined ? (
        <NewRecipe key="blank" />
      ) : (
        <Loaded of={original}>{({ data }) => <NewRecipe key={from} original={data} />}</Loaded>
      )}
    </Page>
  );
}

function NewRecipe({ original }: { original?: Recipe }) {
  const start = original ? { ...draftOf(original), name: `Copy of ${original.name}`.slice(0, 200) } : draftOf();
  const id = original ? `copy of ${original.template_id}` : "new";
  const edit = useEdited({ data: start, etag: null }, { shape: recipeShape, keep: { kind: "recipe", id } });
  return <Editor edit={edit} recipe={null} />;
}

export function RecipePage() {
  const { templateId } = route.useParams();
  const { id: workspace } = useWorkspace();
  const recipe = useQuery(recipeQuery(workspace, templateId));
  return (
    <Loaded of={recipe} page="Recipe">
      {(found) => <RecipeTabs key={templateId} stored={found} />}
    </Loaded>
  );
}

function RecipeTabs({ stored: { data: recipe, etag } }: { stored: Tagged<Recipe> }) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const tab = tabOf(TABS, search.tab);
  const mayEdit = useCan("editor");
  const edit = useEdited(
    { data: draftOf(recipe), etag },
    { shape: recipeShape, keep: mayEdit ? { kind: "recipe", id: recipe.template_id } : null },
  );
  return (
    <Page
      title={recipe.name}
      lead={`Version ${recipe.version}`}
      action={<RecipeActions recipe={recipe} isDirty={edit.isDirty} />}
    >
      <Tabs
        label={`About ${recipe.name}`}
        tabs={TABS}
        value={tab}
        onChange={(id) => navigate({ search: { tab: id === "recipe" ? undefined : id }, replace: true })}
      >
        {tab === "recipe" && <Editor edit={edit} recipe={recipe} />}
        {tab === "runs" && (
          <RunList
            filters={{ recipe: recipe.template_id }}
            start={null}
            onClearFilters={() => navigate({ to: "/w/$workspace/runs", from: "/w/$workspace" })}
          />
        )}
        {tab === "versions" && (
          <RecipeVersions
            recipe={recipe}
            mayRestore={mayEdit}
            onRestore={(draft) => {
              edit.change(draft);
              void navigate({ search: {}, replace: true });
            }}
          />
        )}
      </Tabs>
    </Page>
  );
}
