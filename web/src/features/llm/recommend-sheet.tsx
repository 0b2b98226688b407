import { type FormEvent, useState } from "react";
import type { Recommendations } from "@/client/system";
import { asProblem } from "@/lib/problem";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { CheckField, TextField } from "@/ui/field";
import { ProblemNote } from "@/ui/problem";
import { Sheet } from "@/ui/sheet";
import { useRecommend } from "./catalogue-queries";
import { perMillion, perThousand } from "./prices";

const FORM = "needs";

interface Props {
  onOpen: (id: number) => void;
  onClose: () => void;
}

/** Says what a task asks of a model, and ranks the catalogue by it. */
export function RecommendSheet({ onOpen, onClose }: Props) {
  const [task, setTask] = useState("");
  const [cost, setCost] = useState("");
  const [context, setContext] = useState("");
  const [needsTools, setNeedsTools] = useState(false);
  const [needsVision, setNeedsVision] = useState(false);
  const recommend = useRecommend();
  const problem = recommend.error ? asProblem(recommend.error) : null;

  function submit(event: FormEvent) {
    event.preventDefault();
    recommend.mutate({
      task_type: task.trim() || "general",
      max_cost: perThousand(cost),
      min_context: context.trim() ? Number(context) : null,
      require_functions: needsTools,
      require_vision: needsVision,
      limit: 5,
    });
  }

  return (
    <Sheet
      open
      onOpenChange={(open) => !open && onClose()}
      title="Find a model for a task"
      footer={
        <>
          <Button onClick={onClose}>Close</Button>
          <Button type="submit" form={FORM} look="primary" busy={recommend.isPending}>
            Recommend
          </Button>
        </>
      }
    >
      <form id={FORM} onSubmit={submit} className="grid gap-x-4 gap-y-2 sm:grid-cols-2">
        <TextField
          className="sm:col-span-2"
          label="The task"
          value={task}
          maxLength={200}
          onChange={(event) => setTask(event.target.value)}
          hint="A few words, such as “review code” or “answer customers”."
          error={problem?.forField("task_type")}
        />
        <TextField
          label="Costs at most"
          optional
          type="number"
          min={0}
          step="any"
          value={cost}
          onChange={(event) => setCost(event.target.value)}
          hint="US dollars, 1M tokens in plus 1M out."
          error={problem?.forField("max_cost")}
        />
        <TextField
          label="Reads at least"
          optional
          type="number"
          min={1}
          value={context}
          onChange={(event) => setContext(event.target.value)}
          hint="tokens at once"
          error={problem?.forField("min_context")}
        />
        <CheckField
          label="Must call tools"
          checked={needsTools}
          onChange={(event) => setNeedsTools(event.target.checked)}
        />
        <CheckField
          label="Must read images"
          checked={needsVision}
          onChange={(event) => setNeedsVision(event.target.checked)}
        />
      </form>
      {problem && <ProblemNote error={problem} className="mt-4" />}
      <div aria-live="polite">{recommend.data && <Ranking found={recommend.data} onOpen={onOpen} />}</div>
    </Sheet>
  );
}

function Ranking({ found, onOpen }: { found: Recommendations; onOpen: (id: number) => void }) {
  const left = Object.entries(found.left_out).filter(([, count]) => count > 0);
  return (
    <section className="mt-4 grid gap-3">
      <h3 className="font-semibold">Best for {found.task.replaceAll("_", " ")}</h3>
      {found.items.length === 0 && <p className="text-muted">No model of the catalogue meets all of this.</p>}
      <ol className="grid gap-3">
        {found.items.map((one) => (
          <li key={`${one.provider} ${one.model_id}`} className="grid gap-1 rounded-lg border p-3">
            <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
              <button
                type="button"
                onClick={() => onOpen(one.model.id)}
                className="font-medium text-accent underline-offset-2 hover:underline"
              >
                {one.display_name}
              </button>
              <span className="text-sm text-muted tabular">
                {perMillion(one.model.input_cost_per_1k)} in, {perMillion(one.model.output_cost_per_1k)} out
              </span>
              <span className="ml-auto">
                {one.configured ? <Badge tone="ok">Ready</Badge> : <Badge tone="neutral">No key yet</Badge>}
              </span>
            </div>
            <p className="text-sm text-muted">{one.reason}</p>
          </li>
        ))}
      </ol>
      {left.length > 0 && (
        <p className="text-sm text-muted">
          Left out: {left.map(([need, count]) => `${count} by ${need.replaceAll("_", " ")}`).join(", ")}.
        </p>
      )}
    </section>
  );
}
