import { Download } from "lucide-react";
import type { Run } from "@/client";
import { download, fileNameOf } from "@/lib/download";
import { Button } from "@/ui/button";
import { TextCard } from "@/ui/text/text-card";
import type { KitchenState } from "./kitchen-state";
import { EndNote } from "./turn";

/** What all of it was for: the last output, first on the page once the run has ended well. */
export function ResultCard({ run, state }: { run: Run; state: KitchenState }) {
  if (state.finalOutput === null) return null;
  const text = state.finalOutput;
  const name = `${run.recipe_name} ${run.created_at.slice(0, 10)}`;
  const source = resultStep(state);
  return (
    <section aria-labelledby="result-title" className="card grid gap-3 p-4 sm:p-6">
      {source?.isCutOff && <EndNote end="cut_off" />}
      <TextCard
        text={text}
        level={2}
        copyLabel="Copy the result"
        title={
          <h2 id="result-title" className="text-lg font-semibold">
            Result
            {run.kind === "recipe" && source && (
              <span className="ml-2 text-sm font-normal text-muted">
                <span className="font-mono">{source.outputKey}</span> of step {source.order}
              </span>
            )}
          </h2>
        }
        actions={
          <>
            <Save label=".md" onSave={() => download(fileNameOf(name, "md"), text, "text/markdown")} />
            <Save
              label=".json"
              onSave={() => download(fileNameOf(name, "json"), asJson(run, state), "application/json")}
            />
          </>
        }
      />
    </section>
  );
}

/** The step whose output is the run's. */
export function resultStep(state: KitchenState) {
  return state.steps.findLast((step) => step.status === "completed");
}

function Save({ label, onSave }: { label: string; onSave: () => void }) {
  return (
    <Button size="sm" look="quiet" className="px-2!" aria-label={`Download as ${label}`} onClick={onSave}>
      <Download aria-hidden className="size-4" /> {label}
    </Button>
  );
}

/** The result with what it was made of, for programs. */
function asJson(run: Run, state: KitchenState): string {
  const outputs = Object.fromEntries(
    state.steps.filter((step) => step.output !== null).map((step) => [step.outputKey, step.output]),
  );
  const { id, recipe_name, recipe_version, input_data, created_at } = run;
  const of = { id, name: recipe_name, version: recipe_version, status: state.status, created_at, inputs: input_data };
  return JSON.stringify({ run: of, result: state.finalOutput, outputs }, null, 2);
}
