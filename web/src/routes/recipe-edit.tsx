import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { ChefHat, Trash2 } from "lucide-react";
import { useState } from "react";
import type { Recipe } from "@/client";
import { agentsQuery } from "@/features/agents/queries";
import { takesWork } from "@/features/agents/status";
import { ConflictDialog } from "@/features/recipes/conflict";
import { CookDialog } from "@/features/recipes/cook-dialog";
import { bodyOf, type Draft, draftOf } from "@/features/recipes/draft";
import { RecipeEditor } from "@/features/recipes/editor";
import { recipeQuery, useDeleteRecipe, useSaveRecipe } from "@/features/recipes/queries";
import { asProblem } from "@/lib/problem";
import { useCan, useWorkspace } from "@/lib/workspace";
import { Button, IconButton } from "@/ui/button";
import { Confirm } from "@/ui/confirm";
import { Loaded, LoadProblem } from "@/ui/loaded";
import { Page } from "@/ui/page";
import { SkeletonRows } from "@/ui/states";
import { toast } from "@/ui/toaster";

const route = getRouteApi("/w/$workspace/recipes/$templateId");

export function NewRecipePage() {
  return (
    <Page title="New recipe" lead="Say what to ask for, then what each agent does with it.">
      <Editor recipe={null} etag={null} />
    </Page>
  );
}

export function RecipePage() {
  const { templateId } = route.useParams();
  const { id: workspace } = useWorkspace();
  // A change by somebody else must not pull the form away under the hands; saving finds it out.
  const recipe = useQuery({ ...recipeQuery(workspace, templateId), refetchOnWindowFocus: false });
  return (
    <Loaded of={recipe} page="Recipe">
      {({ data, etag }) => (
        <Page title={data.name} lead={`Version ${data.version}`} action={<RecipeActions recipe={data} />}>
          <Editor key={templateId} recipe={data} etag={etag} />
        </Page>
      )}
    </Loaded>
  );
}

function Editor({ recipe, etag }: { recipe: Recipe | null; etag: string | null }) {
  const { id: workspace } = useWorkspace();
  const cache = useQueryClient();
  const navigate = useNavigate();
  const save = useSaveRecipe();
  const agents = useQuery(agentsQuery(workspace));
  const mayEdit = useCan("editor");
  const [origin, setOrigin] = useState({ recipe, etag });
  const [conflict, setConflict] = useState<{ mine: Draft; theirs: Recipe; etag: string | null } | null>(null);

  async function store(draft: Draft, against: string | null) {
    const body = recipe ? bodyOf(draft) : { ...bodyOf(draft), template_id: draft.templateId };
    try {
      const saved = await save.mutateAsync({ templateId: recipe?.template_id ?? null, etag: against, body });
      toast.success(`Saved as version ${saved.version}.`);
      await finish(saved.template_id);
    } catch (error) {
      if (asProblem(error).status !== 412 || !recipe) return;
      const stored = await cache.fetchQuery({ ...recipeQuery(workspace, recipe.template_id), staleTime: 0 });
      setConflict({ mine: draft, theirs: stored.data, etag: stored.etag });
    }
  }

  async function finish(templateId: string) {
    setConflict(null);
    if (!recipe) {
      await navigate({
        to: "/w/$workspace/recipes/$templateId",
        from: "/w/$workspace",
        params: { templateId },
        ignoreBlocker: true,
      });
      return;
    }
    const fresh = await cache.fetchQuery({ ...recipeQuery(workspace, templateId), staleTime: 0 });
    setOrigin({ recipe: fresh.data, etag: fresh.etag });
  }

  if (agents.isPending) return <SkeletonRows />;
  if (!agents.data) return <LoadProblem of={agents} />;
  const options = agents.data.items.map(({ id, name, status }) => ({ id, name, isActive: takesWork(status) }));
  const isStale = asProblem(save.error).status === 412;

  return (
    <>
      <RecipeEditor
        key={origin.etag}
        initial={draftOf(origin.recipe ?? undefined)}
        isNew={!recipe}
        agents={options}
        isBusy={save.isPending}
        error={isStale ? null : save.error}
        readOnly={!mayEdit}
        onSave={(draft) => void store(draft, origin.etag)}
      />
      {conflict && (
        <ConflictDialog
          mine={conflict.mine}
          theirs={conflict.theirs}
          agentName={(id) => options.find((one) => one.id === id)?.name ?? "no agent"}
          isBusy={save.isPending}
          onClose={() => setConflict(null)}
          onKeepMine={() => void store(conflict.mine, conflict.etag)}
          onTakeTheirs={() => {
            setOrigin({ recipe: conflict.theirs, etag: conflict.etag });
            setConflict(null);
          }}
        />
      )}
    </>
  );
}

function RecipeActions({ recipe }: { recipe: Recipe }) {
  const [open, setOpen] = useState<"cook" | "delete" | null>(null);
  const remove = useDeleteRecipe();
  const navigate = useNavigate();
  if (!useCan("editor")) return null;
  return (
    <div className="flex items-center gap-2">
      <IconButton label="Delete this recipe" onClick={() => setOpen("delete")}>
        <Trash2 aria-hidden className="size-5" />
      </IconButton>
      <Button look="primary" onClick={() => setOpen("cook")}>
        <ChefHat aria-hidden className="size-4" /> Cook
      </Button>
      {open === "cook" && (
        <CookDialog
          templateId={recipe.template_id}
          onClose={() => setOpen(null)}
          onStarted={(runId) => navigate({ to: "/w/$workspace/runs/$runId", from: "/w/$workspace", params: { runId } })}
        />
      )}
      <Confirm
        open={open === "delete"}
        onOpenChange={(isOpen) => setOpen(isOpen ? "delete" : null)}
        title={`Delete ${recipe.name}?`}
        action="Delete recipe"
        onConfirm={async () => {
          await remove.mutateAsync(recipe.template_id);
          await navigate({ to: "/w/$workspace/recipes", from: "/w/$workspace", ignoreBlocker: true });
        }}
      >
        Its versions and its place in this list go. Its agents stay.
      </Confirm>
    </div>
  );
}
