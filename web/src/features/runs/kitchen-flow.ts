import type { RunEventOf } from "@/lib/live/events";
import { newStep } from "./event-data";
import type { KitchenState, StepView } from "./kitchen-state";

/** What happens in a run that is a graph: steps wait, are decided, and are done for each item of a list. */

interface Named {
  order: number;
  step_id?: string;
  path?: string | null;
}

/** The screen with a step that the run did not begin with: those of a for-each's items come as they begin. */
export function known(state: KitchenState, { order, step_id, path }: Named): KitchenState {
  const name = path ?? step_id;
  if (name === undefined || state.steps.some((step) => step.order === order)) return state;
  const fresh = newStep({ order, step_id: name, agent_id: null, agent_name: "", output_key: step_id ?? name });
  const place = placeOf(state.steps, name);
  return { ...state, steps: state.steps.toSpliced(place, 0, { ...fresh, path: path ?? null }) };
}

/** Where a step of an item belongs: behind the for-each that repeats it and the steps of earlier items. */
function placeOf(steps: readonly StepView[], name: string): number {
  const around = name.slice(0, name.lastIndexOf("["));
  const item = itemOf(name);
  const before = steps.findLastIndex(
    ({ stepId }) => stepId === around || (stepId.startsWith(`${around}[`) && itemOf(stepId) <= item),
  );
  return before < 0 ? steps.length : before + 1;
}

const itemOf = (name: string) => Number.parseInt(name.slice(name.lastIndexOf("[") + 1), 10);

/** What a step is called: its number and name; those of items go by where they are, because their numbers say nothing. */
export function stepTitle({ order, stepId }: StepView): string {
  return stepId.includes("[") ? stepId : `${order}. ${stepId}`;
}

function change(state: KitchenState, order: number, part: Partial<StepView>): KitchenState {
  return { ...state, steps: state.steps.map((step) => (step.order === order ? { ...step, ...part } : step)) };
}

/** The step waits; the run does, too, when nothing else is at work. */
export function suspendStep(state: KitchenState, { at, data }: RunEventOf<"step.waiting">): KitchenState {
  const waiting = change(known(state, data), data.order, {
    status: "waiting",
    waitsFor: data.until === "agent" ? "paused" : data.until,
    ...(data.question ? { prompt: data.question } : {}),
    role: data.role ?? null,
    signal: data.signal ?? null,
    child: data.child_run_id
      ? { runId: data.child_run_id, recipeId: data.recipe_id ?? "", version: data.recipe_version ?? 0 }
      : null,
    dueAt: data.due_at ?? null,
    startedAt: at,
    silentSince: null,
  });
  return { ...waiting, status: waiting.steps.some((step) => step.status === "running") ? "running" : "waiting" };
}

export function decideStep(state: KitchenState, { data }: RunEventOf<"step.decided">): KitchenState {
  const decision = { isApproved: data.is_approved, by: data.by, comment: data.comment ?? "" };
  return change(state, data.order, { decision, waitsFor: null });
}

/** The step was done in an earlier run, with whose outputs this one began. */
export function takeOverStep(state: KitchenState, { data }: RunEventOf<"step.taken_over">): KitchenState {
  const status = data.is_skipped ? "skipped" : "completed";
  return change(state, data.order, {
    status,
    output: data.is_skipped ? null : data.output,
    takenOverFrom: data.run_id,
  });
}

export function expandStep(state: KitchenState, { at, data }: RunEventOf<"step.expanded">): KitchenState {
  return change(known(state, data), data.order, { status: "running", items: data.items, startedAt: at });
}
