import type { ErrorHandling, Recipe, RecipeBody, RecipeFault, RecipeInput } from "@/client";
import { randomId } from "@/lib/id";

/** A recipe while it is being edited. Inputs are a list, so that they keep their place while their name changes. */
export interface Draft {
  templateId: string;
  name: string;
  description: string;
  tags: string[];
  inputs: DraftInput[];
  steps: DraftStep[];
  executionConfig: Record<string, unknown>;
}

export interface DraftInput extends RecipeInput {
  key: string;
  name: string;
}

export interface DraftStep {
  key: string;
  stepId: string;
  agentId: number | null;
  prompt: string;
  outputKey: string;
  errorHandling: ErrorHandling;
  kept: Pick<RecipeBody["steps"][number], "max_retries" | "max_iterations" | "timeout_s">;
}

export function draftOf(recipe?: Recipe): Draft {
  if (!recipe) {
    return {
      templateId: "",
      name: "",
      description: "",
      tags: [],
      inputs: [],
      steps: [newStep(1)],
      executionConfig: {},
    };
  }
  return {
    templateId: recipe.template_id,
    name: recipe.name,
    description: recipe.description,
    tags: recipe.tags,
    inputs: Object.entries(recipe.inputs).map(([name, input]) => ({ ...input, name, key: randomId() })),
    steps: recipe.steps
      .toSorted((one, other) => one.order - other.order)
      .map((step) => ({
        key: randomId(),
        stepId: step.step_id,
        agentId: step.agent_id,
        prompt: step.prompt_template,
        outputKey: step.output_key,
        errorHandling: step.error_handling,
        kept: { max_retries: step.max_retries, max_iterations: step.max_iterations, timeout_s: step.timeout_s },
      })),
    executionConfig: recipe.execution_config,
  };
}

export function newStep(number: number): DraftStep {
  return {
    key: randomId(),
    stepId: `step-${number}`,
    agentId: null,
    prompt: "",
    outputKey: `result_${number}`,
    errorHandling: "stop",
    kept: {},
  };
}

export function newInput(number: number): DraftInput {
  return { key: randomId(), name: `input_${number}`, type: "string", required: true, description: "" };
}

/** No agent has this id; the server says so at the step. */
const NO_AGENT = 0;

/** What the server is sent; steps are numbered in the order on screen. */
export function bodyOf(draft: Draft): RecipeBody {
  return {
    name: draft.name,
    description: draft.description,
    tags: draft.tags,
    inputs: Object.fromEntries(draft.inputs.map(({ key: _, name, ...input }) => [name, input])),
    steps: draft.steps.map((step, index) => ({
      step_id: step.stepId,
      order: index + 1,
      agent_id: step.agentId ?? NO_AGENT,
      prompt_template: step.prompt,
      output_key: step.outputKey,
      error_handling: step.errorHandling,
      ...Object.fromEntries(Object.entries(step.kept).filter(([, value]) => value != null)),
    })),
    execution_config: draft.executionConfig,
  };
}

/** The list with one entry moved by one place, or as it was at the ends. */
export function moved<T>(list: T[], from: number, by: -1 | 1): T[] {
  const to = from + by;
  const entry = list[from];
  if (entry === undefined || to < 0 || to >= list.length) return list;
  return list.toSpliced(from, 1).toSpliced(to, 0, entry);
}

/** What a step's prompt may put in: the inputs, then what earlier steps gave. */
export function variablesFor(draft: Draft, index: number): string[] {
  const inputs = draft.inputs.map((input) => `{input.${input.name}}`);
  const outputs = draft.steps.slice(0, index).map((step) => `{${step.outputKey}}`);
  return index > 0 ? [...inputs, ...outputs, "{previous_output}"] : inputs;
}

const plain = (where: string) => where.replace(/\[(\d+)\]/g, ".$1");

/** The words for one field such as `steps.0.prompt_template`, with the place inside a prompt. */
export function faultAt(faults: RecipeFault[], field: string): string | undefined {
  const found = faults.filter(({ where }) => plain(where) === field || plain(where).startsWith(`${field}.`));
  if (found.length === 0) return undefined;
  return found
    .map(({ message, line, column }) => (line ? `line ${line}, column ${column}: ${message}` : message))
    .join("; ");
}

/** A name for addresses: lower case, hyphens between words. */
export function slugOf(name: string): string {
  return name
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 100);
}
