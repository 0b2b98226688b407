import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { ChefHat } from "lucide-react";
import { useRef, useState } from "react";
import type { Recipe } from "@/client";
import { AgentSelect } from "@/features/agents/agent-select";
import { agentQuery } from "@/features/agents/queries";
import { bodyOf, type Draft, draftOf, slugOf } from "@/features/recipes/draft";
import { RecipeEditor } from "@/features/recipes/editor";
import { recipeQuery, useSaveRecipe } from "@/features/recipes/queries";
import { differencesOf, recipeShape } from "@/features/recipes/shape";
import { patternsQuery } from "@/features/skills/pattern-queries";
import { countOf, type Edited, type Saved, type Storage } from "@/lib/edited";
import { formatCount } from "@/lib/format";
import { handOver, usePlace } from "@/lib/kept-draft";
import { useCan, useWorkspace } from "@/lib/workspace";
import { Button } from "@/ui/button";
import { ConflictDialog } from "@/ui/conflict-dialog";
import { RestoreNote } from "@/ui/restore-note";
import { SaveBar } from "@/ui/save-bar";
import { toast } from "@/ui/toaster";
import { RecipeCook } from "./recipe-actions";

const FORM = "recipe";
const COOK = "cook";
const IDLE_HINT = "Not active: activate it before cooking.";

interface Props {
  edit: Edited<Draft>;
  /** Null while it is a new one. */
  recipe: Recipe | null;
}

/** The form of a recipe with what belongs around it: unsaved work of before, the bar that saves, two people's saves. */
export function Editor({ edit, recipe }: Props) {
  const { id: workspace } = useWorkspace();
  const cache = useQueryClient();
  const mayEdit = useCan("editor");
  const patterns = useQuery(patternsQuery(workspace)).data?.items ?? [];
  const { store, settle, cooking, setCooking } = useRecipeSave(edit, recipe);

  /** An agent of the form was read to be shown there; one that somebody else chose comes with their recipe. */
  function nameOf(id: number | null): string {
    if (id === null) return "no agent";
    const shown = cache.getQueryData(agentQuery(workspace, id).queryKey)?.data;
    return (shown ?? recipe?.steps.find((step) => step.agent_id === id)?.agent)?.name ?? `agent ${id}`;
  }

  return (
    <div className="grid gap-6">
      {mayEdit && (
        <RestoreNote
          kept={edit.kept}
          etag={recipe ? edit.etag : null}
          basis={recipe ? `version ${recipe.version}` : "a new recipe"}
        />
      )}
      <RecipeEditor
        form={FORM}
        edit={edit}
        agentSelect={({ onChange, ...rest }) => (
          <AgentSelect {...rest} onChange={(agent) => onChange(agent.id)} idleHint={IDLE_HINT} />
        )}
        patterns={patterns}
        readOnly={!mayEdit}
        onSave={(by) => void store(by === COOK)}
      />
      {mayEdit && (!recipe || edit.isDirty) && (
        <SaveBar
          text={words(edit, recipe !== null)}
          action={recipe ? "Save changes" : "Create recipe"}
          form={FORM}
          busy={edit.isSaving}
          onDiscard={edit.isDirty ? edit.discard : undefined}
        >
          {recipe && (
            <Button type="submit" form={FORM} value={COOK} disabled={edit.isSaving}>
              <ChefHat aria-hidden className="size-4" /> Save and cook
            </Button>
          )}
        </SaveBar>
      )}
      <ConflictDialog
        what="recipe"
        edit={edit}
        rows={(stored, mine) => differencesOf(stored, mine, nameOf)}
        onSave={settle}
      />
      {cooking && <RecipeCook templateId={cooking} onClose={() => setCooking(null)} />}
    </div>
  );
}

function words(edit: Edited<Draft>, isStored: boolean): string {
  if (!isStored) return edit.isDirty ? "Kept on this device until you create it" : "Nothing is stored yet";
  const changes = formatCount(countOf(edit, recipeShape), "unsaved change");
  return edit.isStale ? `${changes}; somebody else has saved meanwhile` : changes;
}

/** Saves a recipe, then goes on as it was asked to: to the new recipe's page, or to cooking it. */
function useRecipeSave(edit: Edited<Draft>, recipe: Recipe | null) {
  const { id: workspace } = useWorkspace();
  const cache = useQueryClient();
  const navigate = useNavigate();
  const save = useSaveRecipe();
  const place = usePlace({ kind: "recipe", id: "" });
  const [cooking, setCooking] = useState<string | null>(null);
  const isCookWanted = useRef(false);
  const saved = useRef<Recipe | null>(null);

  const storage: Storage<Draft> = {
    send: async ({ after, etag }) => {
      const body = bodyOf(after);
      const stored = await save.mutateAsync(
        recipe
          ? { templateId: recipe.template_id, etag, body }
          : { templateId: null, etag, body: { ...body, template_id: slugOf(after.name) } },
      );
      saved.current = stored.data;
      return { data: draftOf(stored.data), etag: stored.etag };
    },
    read: async () => {
      const found = await cache.fetchQuery({ ...recipeQuery(workspace, recipe?.template_id ?? ""), staleTime: 0 });
      return { data: draftOf(found.data), etag: found.etag };
    },
  };

  async function goOn(result: Saved): Promise<Saved> {
    const stored = saved.current;
    if (result !== "stored" || !stored) return result;
    toast.success(`Saved as version ${stored.version}.`);
    if (recipe) {
      if (isCookWanted.current) setCooking(stored.template_id);
      return result;
    }
    // What was typed while it was being created goes along to its own page.
    if (edit.isDirtyNow() && place) {
      handOver({ ...place, id: stored.template_id }, edit.current());
      edit.discard();
    }
    await navigate({
      to: "/w/$workspace/recipes/$templateId",
      from: "/w/$workspace",
      params: { templateId: stored.template_id },
      ignoreBlocker: true,
    });
    return result;
  }

  return {
    store: async (isCook: boolean) => {
      isCookWanted.current = isCook;
      return goOn(await edit.save(storage));
    },
    settle: async (sides: Parameters<Edited<Draft>["settle"]>[0]) => goOn(await edit.settle(sides, storage)),
    cooking,
    setCooking,
  };
}
