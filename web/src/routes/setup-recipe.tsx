import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { ChefHat } from "lucide-react";
import { type ReactNode, useState } from "react";
import type { RecipeFile } from "@/client";
import { CookInputs, readInputs, startingValues } from "@/features/recipes/cook-inputs";
import { foundRecipesQuery, samplesQuery, useApplySample, useCook } from "@/features/recipes/queries";
import { declaredInputs } from "@/features/recipes/samples";
import { formatCount } from "@/lib/format";
import { randomId } from "@/lib/id";
import { asProblem } from "@/lib/problem";
import { useWorkspace } from "@/lib/workspace";
import { Button } from "@/ui/button";
import { Loaded } from "@/ui/loaded";
import { ProblemNote } from "@/ui/problem";
import { SkeletonRows } from "@/ui/states";

/** Takes over one sample with its agents into the workspace at hand, and cooks it. */
export function SetupRecipe({ children }: { children?: ReactNode }) {
  const samples = useQuery(samplesQuery);
  const [chosen, choose] = useState(0);
  return (
    <Loaded of={samples} pending={<SkeletonRows rows={3} />}>
      {(found) => {
        const sample = found[chosen];
        return (
          <div className="grid gap-5">
            <fieldset className="grid gap-2">
              <legend className="mb-2 font-medium">Sample recipes</legend>
              {found.map((one, index) => (
                <SampleOption
                  key={one.recipe.template_id}
                  sample={one}
                  isChosen={index === chosen}
                  onChoose={() => choose(index)}
                />
              ))}
            </fieldset>
            {sample && <CookSample key={sample.recipe.template_id} sample={sample} />}
            {children}
          </div>
        );
      }}
    </Loaded>
  );
}

interface OptionProps {
  sample: RecipeFile;
  isChosen: boolean;
  onChoose: () => void;
}

function SampleOption({ sample: { recipe, agents = [] }, isChosen, onChoose }: OptionProps) {
  return (
    <label className="flex cursor-pointer items-start gap-3 rounded-xl border p-3.5 hover:bg-sunken has-checked:border-accent has-checked:ring-1 has-checked:ring-accent">
      <input type="radio" name="sample" className="mt-1 size-4 accent-accent" checked={isChosen} onChange={onChoose} />
      <span className="min-w-0">
        <span className="block font-medium">{recipe.name}</span>
        <span className="block text-sm text-muted">{recipe.description}</span>
        <span className="mt-1 block text-sm text-muted">
          {formatCount(recipe.steps.length, "step")}, {formatCount(agents.length, "agent")}
        </span>
      </span>
    </label>
  );
}

function CookSample({ sample }: { sample: RecipeFile }) {
  const workspace = useWorkspace();
  const navigate = useNavigate();
  const inputs = declaredInputs(sample);
  const [values, setValues] = useState(() => startingValues(inputs));
  const [faults, setFaults] = useState<Record<string, string>>({});
  const apply = useApplySample();
  const cook = useCook();
  const here = useQuery(foundRecipesQuery(workspace.id, "", 100)).data?.items ?? [];
  const own = here.find((one) => one.template_id === sample.recipe.template_id);
  const error = apply.error ?? cook.error;
  const problem = error ? asProblem(error) : null;

  async function start() {
    const read = readInputs(inputs, values);
    setFaults(read.faults);
    if (Object.keys(read.faults).length > 0) return;
    // One that was taken over before may have been changed since; it is cooked as it is, not written over.
    const recipe = own ?? (await apply.mutateAsync(sample));
    const run = await cook.mutateAsync({ templateId: recipe.template_id, inputs: read.inputs, key: randomId() });
    await navigate({
      to: "/w/$workspace/runs/$runId",
      params: { workspace: workspace.slug, runId: run.run_id },
    });
  }

  return (
    <form
      className="grid gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        // Both mutations keep their error, which is shown below.
        void start().catch(() => undefined);
      }}
    >
      {Object.keys(inputs).length > 0 && (
        <CookInputs
          inputs={inputs}
          values={values}
          onChange={(name, value) => setValues((current) => ({ ...current, [name]: value }))}
          faultOf={(name) => faults[name] ?? problem?.forField(`input_data.${name}`)}
        />
      )}
      {problem && <ProblemNote error={problem} />}
      {own && (
        <p className="text-muted">
          This workspace has it already.{" "}
          <Link
            to="/w/$workspace/recipes/$templateId"
            params={{ workspace: workspace.slug, templateId: own.template_id }}
            className="text-accent underline underline-offset-2"
          >
            Open it
          </Link>
        </p>
      )}
      <Button type="submit" look="primary" className="w-full" busy={apply.isPending || cook.isPending}>
        <ChefHat aria-hidden className="size-4" /> Cook {sample.recipe.name}
      </Button>
    </form>
  );
}
