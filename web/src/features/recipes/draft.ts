import type { ErrorHandling, InputType, Recipe, RecipeBody, RecipeFault, RecipeInput } from "@/client";
import { randomId } from "@/lib/id";

/** A recipe while it is being edited. Inputs are a list, so that they keep their place while their name changes. */
export interface Draft {
  templateId: string;
  name: string;
  description: string;
  tags: string[];
  inputs: DraftInput[];
  steps: DraftStep[];
  outputs: RecipeBody["outputs"];
  executionConfig: Record<string, unknown>;
}

/** The default is text, as it is typed: changing the type changes how it is read and drops nothing. */
export interface DraftInput extends Omit<RecipeInput, "default"> {
  key: string;
  name: string;
  defaultText: string;
}

export interface DraftStep {
  key: string;
  stepId: string;
  agentId: number | null;
  prompt: string;
  outputKey: string;
  errorHandling: ErrorHandling;
  retries: number | null;
  timeoutS: number | null;
  iterations: number | null;
  /** The pattern whose words follow the prompt. */
  patternSlug: string | null;
  /** When it comes and what it does in a recipe that is more than a line; kept as the recipe's file says it. */
  flow: Flow;
}

export type Flow = Pick<RecipeBody["steps"][number], (typeof FLOW_FIELDS)[number]>;

const FLOW_FIELDS = ["needs", "when", "inside", "for_each", "approval", "wait", "run"] as const;

function flowOf(step: Recipe["steps"][number]): Flow {
  return Object.fromEntries(FLOW_FIELDS.flatMap((name) => (step[name] == null ? [] : [[name, step[name]]])));
}

/** Whether an agent does the step. */
export const isDoneByAgent = ({ flow }: DraftStep): boolean =>
  !(flow.for_each || flow.approval || flow.wait || flow.run);

export function draftOf(recipe?: Recipe): Draft {
  if (!recipe) {
    return {
      templateId: "",
      name: "",
      description: "",
      tags: [],
      inputs: [],
      steps: [{ ...newStep(1), key: "first" }],
      outputs: {},
      executionConfig: {},
    };
  }
  return {
    templateId: recipe.template_id,
    name: recipe.name,
    description: recipe.description,
    tags: recipe.tags,
    inputs: Object.entries(recipe.inputs).map(([name, { default: value, ...input }]) => ({
      ...input,
      name,
      key: name,
      defaultText: textOf(value),
    })),
    steps: recipe.steps
      .toSorted((one, other) => one.order - other.order)
      .map((step) => ({
        key: step.step_id,
        stepId: step.step_id,
        agentId: step.agent_id,
        prompt: step.prompt_template,
        outputKey: step.output_key,
        errorHandling: step.error_handling ?? "stop",
        retries: step.max_retries ?? null,
        timeoutS: step.timeout_s ?? null,
        iterations: step.max_iterations ?? null,
        patternSlug: step.pattern_slug ?? null,
        flow: flowOf(step),
      })),
    outputs: recipe.outputs as Draft["outputs"],
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
    retries: null,
    timeoutS: null,
    iterations: null,
    patternSlug: null,
    flow: {},
  };
}

export function newInput(number: number): DraftInput {
  return { key: randomId(), name: `input_${number}`, type: "string", required: true, description: "", defaultText: "" };
}

const isJson = (type: InputType) => type === "array" || type === "object";

function textOf(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** A default as it is typed, read as its type says; what cannot be read goes as it is, and the server names it. */
export function defaultOf(text: string, type: InputType): RecipeInput["default"] {
  if (text === "") return null;
  if (type === "string") return text;
  if (type === "boolean") return text === "true" || (text === "false" ? false : text);
  if (isJson(type)) {
    try {
      return JSON.parse(text);
    } catch {
      return text;
    }
  }
  return text.trim() === "" || Number.isNaN(Number(text)) ? text : Number(text);
}

/** No agent has this id; the server says so at the step. */
const NO_AGENT = 0;

/** What the server is sent; steps are numbered in the order on screen. */
export function bodyOf(draft: Draft): RecipeBody {
  return {
    name: draft.name,
    description: draft.description,
    tags: draft.tags,
    inputs: Object.fromEntries(
      draft.inputs.map(({ key: _, name, defaultText, ...input }) => [
        name,
        { ...input, default: defaultOf(defaultText, input.type) },
      ]),
    ),
    outputs: draft.outputs,
    steps: draft.steps.map((step, index) => ({
      step_id: step.stepId,
      order: index + 1,
      agent_id: isDoneByAgent(step) ? (step.agentId ?? NO_AGENT) : null,
      prompt_template: step.prompt,
      output_key: step.outputKey,
      error_handling: step.errorHandling,
      max_retries: step.retries,
      timeout_s: step.timeoutS,
      max_iterations: step.iterations,
      pattern_slug: step.patternSlug,
      ...step.flow,
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
