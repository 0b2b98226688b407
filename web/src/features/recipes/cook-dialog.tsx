import { useQuery, useQueryClient } from "@tanstack/react-query";
import { ChefHat, TriangleAlert } from "lucide-react";
import { type FormEvent, type ReactNode, useEffect, useRef, useState } from "react";
import type { Recipe } from "@/client";
import { useEdited } from "@/lib/edited";
import { formatCount } from "@/lib/format";
import { randomId } from "@/lib/id";
import { asProblem } from "@/lib/problem";
import { useWorkspace } from "@/lib/workspace";
import { Button } from "@/ui/button";
import { Dialog, DialogFoot } from "@/ui/dialog";
import { Loaded } from "@/ui/loaded";
import { ProblemNote } from "@/ui/problem";
import { RestoreNote } from "@/ui/restore-note";
import { SkeletonRows } from "@/ui/states";
import { CookInputs, type InputValues, readInputs, startingValues } from "./cook-inputs";
import { recipeQuery, useCook } from "./queries";
import { type StepAgent, unreadyAgents } from "./readiness";

interface Props {
  templateId: string;
  /** Inputs of an earlier run, to cook it again. */
  earlier?: Record<string, unknown>;
  /** What the person should know before, such as that unsaved changes are not cooked. */
  note?: string | undefined;
  /** The button that makes an agent ready. */
  activate: (agent: StepAgent) => ReactNode;
  onClose: () => void;
  onStarted: (runId: string) => void;
}

/** Asks for a recipe's inputs and starts it. */
export function CookDialog(props: Props) {
  const { id: workspace } = useWorkspace();
  const recipe = useQuery(recipeQuery(workspace, props.templateId));
  const found = recipe.data?.data;
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && props.onClose()}
      title={found ? `Cook ${found.name}` : "Cook a recipe"}
      description={found && `${formatCount(found.steps.length, "step")}, version ${found.version}. ${props.note ?? ""}`}
    >
      <Loaded of={recipe} pending={<SkeletonRows rows={2} />}>
        {({ data }) => <CookForm {...props} recipe={data} />}
      </Loaded>
    </Dialog>
  );
}

function CookForm({ recipe, earlier, activate, onClose, onStarted }: Props & { recipe: Recipe }) {
  const edit = useEdited<InputValues>(
    { data: startingValues(recipe.inputs, earlier), etag: null },
    { keep: { kind: "cook", id: recipe.template_id } },
  );
  const values = edit.draft;
  const [faults, setFaults] = useState<Record<string, string>>({});
  const [key, setKey] = useState(randomId);
  const { workspaceRead, ...cook } = useCooking();
  const form = useRef<HTMLFormElement>(null);
  const problem = cook.error ? asProblem(cook.error) : null;
  const waiting = unreadyAgents(recipe);

  // The fields may come after the dialog opened, which then had only its Close button to focus.
  useEffect(() => form.current?.querySelector<HTMLElement>("input, textarea, button[type=submit]")?.focus(), []);

  function change(name: string, value: string | boolean) {
    edit.change({ [name]: value });
    setFaults(({ [name]: _, ...others }) => others);
    setKey(randomId());
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    const read = readInputs(recipe.inputs, values);
    setFaults(read.faults);
    if (Object.keys(read.faults).length > 0) {
      requestAnimationFrame(() => form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
      return;
    }
    cook.mutate(
      { templateId: recipe.template_id, inputs: read.inputs, key },
      {
        onSuccess: (started) => {
          edit.discard();
          onStarted(started.run_id);
        },
        // It may have been refused because an agent is not ready any more.
        onError: () => workspaceRead(),
      },
    );
  }

  return (
    <form ref={form} onSubmit={submit} noValidate className="grid gap-3">
      <RestoreNote kept={edit.kept} basis="the same recipe" />
      <CookInputs
        inputs={recipe.inputs}
        values={values}
        onChange={change}
        faultOf={(name) => faults[name] ?? problem?.forField(`input_data.${name}`)}
      />
      <DialogFoot>
        {waiting.length > 0 && (
          <ul aria-label="Agents that are not ready" className="grid gap-2 rounded-xl bg-warn-soft px-4 py-3">
            {waiting.map((agent) => (
              <li key={agent.id} className="flex flex-wrap items-center gap-3">
                <TriangleAlert aria-hidden className="size-4 shrink-0 text-warn" />
                <span className="min-w-0 flex-1 wrap-anywhere">
                  {agent.name} is {agent.status}; it does its step only when active.
                </span>
                {agent.status !== "deleted" && activate(agent)}
              </li>
            ))}
          </ul>
        )}
        {problem && !(problem.code === "recipe_not_ready" && waiting.length > 0) && <ProblemNote error={problem} />}
        <div className="flex flex-wrap justify-end gap-2">
          <Button onClick={onClose}>Not now</Button>
          <Button type="submit" look="primary" busy={cook.isPending} disabled={waiting.length > 0}>
            {!cook.isPending && <ChefHat aria-hidden className="size-4" />}
            Cook
          </Button>
        </div>
      </DialogFoot>
    </form>
  );
}

function useCooking() {
  const { id: workspace } = useWorkspace();
  const cache = useQueryClient();
  return {
    ...useCook(),
    workspaceRead: () => cache.invalidateQueries({ queryKey: [workspace, "recipes"] }),
  };
}
