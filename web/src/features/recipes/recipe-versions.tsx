import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Recipe } from "@/client";
import { useWorkspace } from "@/lib/workspace";
import { Button } from "@/ui/button";
import { Dialog, DialogActions } from "@/ui/dialog";
import { DiffList } from "@/ui/diff-list";
import { Loaded } from "@/ui/loaded";
import { Panel } from "@/ui/panel";
import { VersionRows } from "@/ui/version-rows";
import { type Draft, draftOf } from "./draft";
import { recipeVersionsQuery } from "./queries";
import { differencesOf, recipeShape } from "./shape";

interface Props {
  recipe: Recipe;
  mayRestore: boolean;
  /** Takes an earlier version into the form; it is stored when the form is saved. */
  onRestore: (draft: Draft) => void;
}

/** Every saved state of a recipe: what it said, and the way back to it. */
export function RecipeVersions({ recipe, mayRestore, onRestore }: Props) {
  const { id: workspace } = useWorkspace();
  const versions = useQuery(recipeVersionsQuery(workspace, recipe.template_id));
  const [shown, show] = useState<number | null>(null);
  const names = new Map(recipe.steps.map((step) => [step.agent_id, step.agent?.name]));
  const nameOf = (id: number | null) => names.get(id ?? 0) ?? `agent ${id}`;
  return (
    <Loaded of={versions}>
      {({ items }) => {
        const chosen = items.find((one) => one.version === shown);
        const now = draftOf(recipe);
        const then = chosen && recipeShape.align(draftOf({ ...recipe, ...chosen.definition } as Recipe), now);
        return (
          <Panel title="Saved versions" lead="A run keeps to the version it began with.">
            <VersionRows
              items={items}
              current={recipe.version}
              action={(version) => (
                <Button size="sm" onClick={() => show(version)}>
                  Compare<span className="sr-only"> version {version} with the current one</span>
                </Button>
              )}
            />
            {chosen && then && (
              <Dialog
                open
                onOpenChange={(open) => !open && show(null)}
                wide
                title={`Version ${chosen.version} and the current one`}
                description="Restoring it fills the form; nothing is stored before you save."
              >
                <DiffList
                  rows={differencesOf(then, now, nameOf)}
                  sides={{ before: `Version ${chosen.version}`, after: `Version ${recipe.version}` }}
                />
                <DialogActions>
                  <Button onClick={() => show(null)}>Close</Button>
                  {mayRestore && (
                    <Button look="primary" onClick={() => onRestore(then)}>
                      Restore into the form
                    </Button>
                  )}
                </DialogActions>
              </Dialog>
            )}
          </Panel>
        );
      }}
    </Loaded>
  );
}
