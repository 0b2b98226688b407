import { useNavigate } from "@tanstack/react-router";
import { ChefHat } from "lucide-react";
import { useState } from "react";
import type { Recipe } from "@/client";
import { CookDialog } from "@/features/recipes/cook-dialog";
import { exportOf, useDeleteRecipe } from "@/features/recipes/queries";
import { useCan, useWorkspace } from "@/lib/workspace";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/confirm";
import { MoreMenu, saveYaml } from "@/ui/more-menu";
import { ActivateAgent } from "./activate-agent";

interface CookProps {
  templateId: string;
  /** What the person should know before: that unsaved changes are not part of what is cooked. */
  note?: string | undefined;
  onClose: () => void;
}

/** The dialog that starts a recipe, and the way to its run. */
export function RecipeCook({ templateId, note, onClose }: CookProps) {
  const navigate = useNavigate();
  return (
    <CookDialog
      templateId={templateId}
      note={note}
      onClose={onClose}
      activate={(agent) => <ActivateAgent key={agent.id} agent={agent} />}
      // It has begun: nothing is asked any more. Unsaved changes are kept and offered on return.
      onStarted={(runId) =>
        navigate({
          to: "/w/$workspace/runs/$runId",
          from: "/w/$workspace",
          params: { runId },
          ignoreBlocker: true,
        })
      }
    />
  );
}

interface Props {
  recipe: Recipe;
  isDirty: boolean;
}

/** What can be done with a recipe as it is stored. */
export function RecipeActions({ recipe, isDirty }: Props) {
  const [isCooking, setCooking] = useState(false);
  if (!useCan("editor")) return <More recipe={recipe} mayEdit={false} />;
  return (
    <div className="flex items-center gap-2">
      <Button look={isDirty ? "secondary" : "primary"} onClick={() => setCooking(true)}>
        <ChefHat aria-hidden className="size-4" /> {isDirty ? `Cook version ${recipe.version}` : "Cook"}
      </Button>
      <More recipe={recipe} mayEdit />
      {isCooking && (
        <RecipeCook
          templateId={recipe.template_id}
          note={isDirty ? "Your unsaved changes are not part of it. They stay here, unsaved." : undefined}
          onClose={() => setCooking(false)}
        />
      )}
    </div>
  );
}

function More({ recipe, mayEdit }: { recipe: Recipe; mayEdit: boolean }) {
  const { id: workspace } = useWorkspace();
  const [isDeleting, setDeleting] = useState(false);
  const remove = useDeleteRecipe();
  const navigate = useNavigate();

  return (
    <>
      <MoreMenu
        mayEdit={mayEdit}
        onDuplicate={() =>
          navigate({ to: "/w/$workspace/recipes/new", from: "/w/$workspace", search: { from: recipe.template_id } })
        }
        onExport={() => void saveYaml(recipe.template_id, () => exportOf(workspace, recipe.template_id))}
        onDelete={() => setDeleting(true)}
      />
      <Confirm
        open={isDeleting}
        onOpenChange={setDeleting}
        title={`Delete ${recipe.name}?`}
        action="Delete recipe"
        onConfirm={async () => {
          await remove.mutateAsync(recipe.template_id);
          await navigate({ to: "/w/$workspace/recipes", from: "/w/$workspace", ignoreBlocker: true });
        }}
      >
        Its versions and its place in this list go. Its agents stay.
      </Confirm>
    </>
  );
}
