import { ArrowLeft, ArrowRight, History } from "lucide-react";
import { type FormEvent, type ReactNode, useEffect, useRef } from "react";
import type { Persona } from "@/client/library";
import { formatAgo } from "@/lib/format";
import { Button } from "@/ui/button";
import { ProblemNote } from "@/ui/problem";
import { Steps } from "@/ui/steps";
import { STEPS } from "./fields";
import { BasicsFields } from "./form-basics";
import { PluginsNote } from "./form-capabilities";
import { SkillSettings } from "./form-limits";
import type { PartProps, WizardSlots } from "./slots";
import type { Wizard } from "./use-wizard";
import { WizardReview } from "./wizard-review";
import { WizardStart } from "./wizard-start";

interface Props {
  wizard: Wizard;
  slots: WizardSlots;
  personas: readonly Persona[];
  skillName: (id: number) => string | undefined;
  onCreate: () => void;
}

const LEADS = [
  "What it is called and what it is for.",
  "Who it is when it speaks.",
  "What it thinks with.",
  "What it can do and what it knows how to do.",
  "Everything at a glance. Talk to it before you create it.",
];

/** Five steps to a new agent. Enter goes on; nothing is stored on the server before the last. */
export function AgentWizard({ wizard, slots, personas, skillName, onCreate }: Props) {
  const { step } = wizard;
  const isLast = step === STEPS.length;
  const card = useRef<HTMLFormElement>(null);

  function submit(event: FormEvent) {
    event.preventDefault();
    if (isLast) onCreate();
    else if (!wizard.next()) requestAnimationFrame(() => firstFault(card.current)?.focus());
  }

  return (
    <form ref={card} onSubmit={submit} noValidate className="grid grid-cols-[minmax(0,1fr)] gap-6">
      <Steps
        label="Steps to a new agent"
        steps={STEPS}
        current={step}
        faulty={wizard.faulty}
        reachable={wizard.reachable}
        onGo={wizard.go}
      />
      {wizard.restoredAt && <Restored at={wizard.restoredAt} onStartOver={wizard.startOver} />}
      <section className="card grid grid-cols-[minmax(0,1fr)] gap-5 p-4 sm:p-6">
        <StepTitle step={step} />
        {wizard.problem && <ProblemNote error={wizard.problem} />}
        <Content wizard={wizard} slots={slots} personas={personas} skillName={skillName} />
      </section>
      <div className="flex flex-wrap items-center justify-between gap-3">
        <Button disabled={step === 1} onClick={wizard.back} className={step === 1 ? "invisible" : ""}>
          <ArrowLeft aria-hidden className="size-4" /> Back
        </Button>
        {isLast ? (
          <Button type="submit" look="primary" busy={wizard.isBusy}>
            Create agent
          </Button>
        ) : (
          <Button type="submit" look="primary">
            Next <ArrowRight aria-hidden className="size-4" />
          </Button>
        )}
      </div>
    </form>
  );
}

const firstFault = (form: HTMLFormElement | null) => form?.querySelector<HTMLElement>('[aria-invalid="true"]');

/** Takes the focus when the step changes, so that reading and tabbing go on at its beginning. */
function StepTitle({ step }: { step: number }) {
  const title = useRef<HTMLHeadingElement>(null);
  const last = useRef(step);
  useEffect(() => {
    if (last.current !== step) title.current?.focus();
    last.current = step;
  }, [step]);
  return (
    <div>
      <h2 ref={title} tabIndex={-1} className="text-lg font-semibold outline-none">
        {STEPS[step - 1]}
      </h2>
      <p className="text-muted">{LEADS[step - 1]}</p>
    </div>
  );
}

function Content({ wizard, slots, personas, skillName }: Omit<Props, "onCreate">) {
  const part: PartProps = wizard;
  switch (wizard.step) {
    case 1:
      return (
        <>
          <WizardStart draft={wizard.draft} change={wizard.change} personas={personas} />
          <BasicsFields {...part} />
        </>
      );
    case 2:
      return slots.persona(part);
    case 3:
      return slots.model(part);
    case 4:
      return (
        <>
          <Topic title="Tools" lead="It can do only what is ticked here.">
            {slots.tools(part)}
          </Topic>
          <Topic title="Skills" lead="Instructions it can follow, listed to it by name and description.">
            {slots.skills(part)}
            {wizard.draft.skillIds.length > 0 && <SkillSettings {...part} />}
          </Topic>
          <Topic title="Plugins">
            <PluginsNote />
          </Topic>
        </>
      );
    default:
      return <WizardReview wizard={wizard} slots={slots} personas={personas} skillName={skillName} />;
  }
}

function Topic({ title, lead, children }: { title: string; lead?: string; children: ReactNode }) {
  return (
    <section className="grid grid-cols-[minmax(0,1fr)] gap-4 border-t pt-5 first-of-type:border-t-0 first-of-type:pt-0">
      <div>
        <h3 className="font-semibold">{title}</h3>
        {lead && <p className="text-muted">{lead}</p>}
      </div>
      {children}
    </section>
  );
}

function Restored({ at, onStartOver }: { at: string; onStartOver: () => void }) {
  return (
    <p role="status" className="flex flex-wrap items-center gap-x-3 gap-y-2 rounded-xl bg-accent-soft px-4 py-2.5">
      <History aria-hidden className="size-4 shrink-0 text-accent" />
      <span className="min-w-0 flex-1">Your draft of {formatAgo(at)} is back. It is kept on this device only.</span>
      <Button size="sm" onClick={onStartOver}>
        Start over
      </Button>
    </p>
  );
}
