import { useQuery } from "@tanstack/react-query";
import { ChefHat } from "lucide-react";
import { type FormEvent, useEffect, useRef, useState } from "react";
import type { Recipe } from "@/client";
import { formatCount } from "@/lib/format";
import { randomId } from "@/lib/id";
import { asProblem } from "@/lib/problem";
import { useWorkspace } from "@/lib/workspace";
import { Button } from "@/ui/button";
import { Dialog, DialogActions } from "@/ui/dialog";
import { LoadProblem } from "@/ui/loaded";
import { ProblemNote } from "@/ui/problem";
import { SkeletonRows } from "@/ui/states";
import { CookInputs, readInputs, startingValues } from "./cook-inputs";
import { recipeQuery, useCook } from "./queries";

interface Props {
  templateId: string;
  /** Inputs of an earlier run, to cook it again. */
  earlier?: Record<string, unknown>;
  onClose: () => void;
  onStarted: (runId: string) => void;
}

/** Asks for a recipe's inputs and starts it. */
export function CookDialog({ templateId, earlier, onClose, onStarted }: Props) {
  const { id: workspace } = useWorkspace();
  const recipe = useQuery(recipeQuery(workspace, templateId));
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={recipe.data ? `Cook ${recipe.data.data.name}` : "Cook a recipe"}
      description={
        recipe.data && `${formatCount(recipe.data.data.steps.length, "step")}, version ${recipe.data.data.version}.`
      }
    >
      {recipe.isPending && <SkeletonRows rows={2} />}
      <LoadProblem of={recipe} />
      {recipe.data && <CookForm recipe={recipe.data.data} earlier={earlier} onClose={onClose} onStarted={onStarted} />}
    </Dialog>
  );
}

interface FormProps extends Omit<Props, "templateId"> {
  recipe: Recipe;
}

function CookForm({ recipe, earlier, onClose, onStarted }: FormProps) {
  const [values, setValues] = useState(() => startingValues(recipe.inputs, earlier));
  const [faults, setFaults] = useState<Record<string, string>>({});
  const [key, setKey] = useState(randomId);
  const cook = useCook();
  const form = useRef<HTMLFormElement>(null);
  const problem = cook.error ? asProblem(cook.error) : null;

  // The fields may come after the dialog opened, which then had only its Close button to focus.
  useEffect(() => form.current?.querySelector<HTMLElement>("input, textarea, button[type=submit]")?.focus(), []);

  function change(name: string, value: string | boolean) {
    setValues((current) => ({ ...current, [name]: value }));
    setKey(randomId());
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    const read = readInputs(recipe.inputs, values);
    setFaults(read.faults);
    if (Object.keys(read.faults).length > 0) return;
    cook.mutate(
      { templateId: recipe.template_id, inputs: read.inputs, key },
      { onSuccess: (started) => onStarted(started.recipe_execution_id) },
    );
  }

  return (
    <form ref={form} onSubmit={submit}>
      <CookInputs
        inputs={recipe.inputs}
        values={values}
        onChange={change}
        faultOf={(name) => faults[name] ?? problem?.forField(`input_data.${name}`)}
      />
      {problem && <ProblemNote error={problem} className="mt-2" />}
      <DialogActions>
        <Button onClick={onClose}>Not now</Button>
        <Button type="submit" look="primary" busy={cook.isPending}>
          {!cook.isPending && <ChefHat aria-hidden className="size-4" />}
          Cook
        </Button>
      </DialogActions>
    </form>
  );
}
