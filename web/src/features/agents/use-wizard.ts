import { useEffect, useState } from "react";
import { draftKey, findDrafts, forgetDraft, keepDraft } from "@/lib/drafts";
import { usePlace } from "@/lib/kept-draft";
import { asProblem, type FieldError, type Problem } from "@/lib/problem";
import { type AgentDraft, BLANK, bodyOf } from "./draft";
import { complaintsOf, FIELDS, faultOf, faultsIn, STEPS, stepOf, stepsOf } from "./fields";
import { useCreateAgent } from "./queries";

interface Options {
  step: number;
  /** Goes to a step; `isCorrection` replaces the address instead of adding to the history. */
  onStep: (step: number, isCorrection?: boolean) => void;
  /** What to begin with instead of the draft kept on this device. */
  beginning: AgentDraft | null;
}

/** An agent that is not made yet. */
interface Begun {
  agent: AgentDraft;
  activate: boolean;
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
export function useWizard({ step, onStep, beginning }: Options) {
  const place = usePlace({ kind: "agent", id: "new" });
  // One for all tabs: whoever begins again goes on with it.
  const key = place ? draftKey(place, "wizard") : "";
  const [kept] = useState(() => (beginning || !place ? null : findDrafts<Begun>(place, "")[0]));
  // What a later version of the page added starts as on a new agent.
  const [draft, setDraft] = useState<AgentDraft>(() => beginning ?? { ...BLANK, ...kept?.draft.agent });
  const [activate, setActivate] = useState(kept?.draft.activate ?? true);
  const [restoredAt, setRestoredAt] = useState(kept?.keptAt ?? null);
  const [tried, setTried] = useState(0);
  const [problem, setProblem] = useState<Problem | null>(null);
  const create = useCreateAgent();
  const isDone = create.isSuccess;

  useEffect(() => {
    if (isDone || JSON.stringify(draft) === JSON.stringify(BLANK)) return;
    const begun: Begun = { agent: draft, activate };
    keepDraft(key, { draft: begun, origin: { agent: BLANK, activate: true }, etag: null });
  }, [key, draft, activate, isDone]);

  const reachable = reachableOf(draft);
  const shown = Math.min(step, reachable);
  // The address is held back too: filling in what was missing must not jump ahead under the hands.
  useEffect(() => {
    if (step !== shown) onStep(shown, true);
  }, [step, shown, onStep]);
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
    forgetDraft(key);
    setDraft(BLANK);
    setRestoredAt(null);
    setProblem(null);
    setTried(0);
    onStep(1);
  }

  async function finish() {
    try {
      const agent = await create.mutateAsync({ ...bodyOf(draft), activate });
      forgetDraft(key);
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
