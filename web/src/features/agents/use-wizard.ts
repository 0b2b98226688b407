import { useEffect, useState } from "react";
import { asProblem, type FieldError, type Problem } from "@/lib/problem";
import { type AgentDraft, BLANK, bodyOf } from "./draft";
import { complaintsOf, FIELDS, faultOf, faultsIn, STEPS, stepOf, stepsOf } from "./fields";
import { forgetDraft, keepDraft, keptDraft } from "./kept-draft";
import { useCreateAgent } from "./queries";

interface Options {
  workspace: string;
  step: number;
  onStep: (step: number) => void;
  /** What to begin with instead of the draft kept on this device. */
  beginning: AgentDraft | null;
}

/** What is wrong and belongs to one step. The category is asked for here although the server could do without. */
function faultsAt(step: number, draft: AgentDraft): FieldError[] {
  const category = draft.category ? [] : [{ field: FIELDS.category.path, reason: "Choose what kind of work it does." }];
  return [...faultsIn(draft), ...category].filter(({ field }) =>
    Object.values(FIELDS).some((one) => one.path === field && one.step === step),
  );
}

/** The first step that is not complete; the last one when all are. */
function reachableOf(draft: AgentDraft): number {
  const open = STEPS.findIndex((_, index) => faultsAt(index + 1, draft).length > 0);
  return open < 0 ? STEPS.length : open + 1;
}

/** A new agent on its way through the steps: kept on this device until it is created or given up. */
export function useWizard({ workspace, step, onStep, beginning }: Options) {
  const [kept] = useState(() => (beginning ? null : keptDraft(workspace)));
  const [draft, setDraft] = useState(beginning ?? kept?.draft ?? BLANK);
  const [activate, setActivate] = useState(kept?.activate ?? true);
  const [restoredAt, setRestoredAt] = useState(kept?.keptAt ?? null);
  const [tried, setTried] = useState(0);
  const [problem, setProblem] = useState<Problem | null>(null);
  const create = useCreateAgent();
  const isDone = create.isSuccess;

  useEffect(() => {
    if (isDone || JSON.stringify(draft) === JSON.stringify(BLANK)) return;
    keepDraft(workspace, { draft, activate });
  }, [workspace, draft, activate, isDone]);

  const reachable = reachableOf(draft);
  const shown = Math.min(step, reachable);
  const faults = [...(tried >= shown ? faultsAt(shown, draft) : []), ...complaintsOf(problem)];

  function change(part: Partial<AgentDraft>) {
    setDraft((current) => ({ ...current, ...part }));
    setProblem(null);
  }

  /** Goes on when the step is complete; otherwise shows what is missing. */
  function next(): boolean {
    setTried(Math.max(tried, shown));
    if (faultsAt(shown, draft).length > 0) return false;
    onStep(shown + 1);
    return true;
  }

  function startOver() {
    forgetDraft(workspace);
    setDraft(BLANK);
    setRestoredAt(null);
    setProblem(null);
    setTried(0);
    onStep(1);
  }

  async function finish() {
    try {
      const agent = await create.mutateAsync({ ...bodyOf(draft), activate });
      forgetDraft(workspace);
      return agent;
    } catch (error) {
      const found = asProblem(error);
      setProblem(found);
      onStep(stepOf(found) ?? STEPS.length);
      return null;
    }
  }

  return {
    draft,
    change,
    activate,
    setActivate,
    step: shown,
    reachable,
    problem,
    faulty: problem ? stepsOf(problem) : [],
    restoredAt,
    fault: (key: keyof AgentDraft) => faultOf(faults, key),
    next,
    back: () => onStep(shown - 1),
    go: onStep,
    startOver,
    finish,
    isBusy: create.isPending || isDone,
  };
}

export type Wizard = ReturnType<typeof useWizard>;
