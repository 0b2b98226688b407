import { Pencil } from "lucide-react";
import type { ReactNode } from "react";
import type { Persona } from "@/client/library";
import { formatCount } from "@/lib/format";
import { Button } from "@/ui/button";
import { SwitchField } from "@/ui/switch";
import { type AgentDraft, bodyOf } from "./draft";
import { STEPS } from "./fields";
import type { WizardSlots } from "./slots";
import type { Wizard } from "./use-wizard";

interface Props {
  wizard: Wizard;
  slots: Pick<WizardSlots, "context" | "trial">;
  personas: readonly Persona[];
  skillName: (id: number) => string | undefined;
}

/** The whole agent before it is created: what was chosen, what it would read, how it answers. */
export function WizardReview({ wizard, slots, personas, skillName }: Props) {
  const { draft, activate, setActivate, go } = wizard;
  const agent = bodyOf(draft);
  const persona = personas.find((one) => one.id === draft.personaId);
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-6 lg:grid-cols-2">
      <div className="grid content-start gap-6">
        <dl className="divide-y rounded-lg border">
          <Chosen step={1} onGo={go}>
            <p className="font-medium wrap-anywhere">{draft.name}</p>
            <p className="text-muted">{[draft.category, ...draft.tags].filter(Boolean).join(", ")}</p>
            {draft.description && <p className="wrap-anywhere">{draft.description}</p>}
          </Chosen>
          <Chosen step={2} onGo={go}>
            {personaWords(draft, persona)}
          </Chosen>
          <Chosen step={3} onGo={go}>
            {modelWords(draft)}
          </Chosen>
          <Chosen step={4} onGo={go}>
            <p>{draft.tools.length > 0 ? draft.tools.join(", ") : "No tools"}</p>
            <p>{draft.skillIds.length > 0 ? skillWords(draft, skillName) : "No skills"}</p>
          </Chosen>
        </dl>
        <SwitchField
          label="Activate it right away"
          hint="It can take work as soon as it is created."
          checked={activate}
          onChange={setActivate}
        />
      </div>
      <div className="grid content-start gap-6">
        <Topic title="What it reads">{slots.context(agent)}</Topic>
        <Topic title="Talk to it">{slots.trial(agent)}</Topic>
      </div>
    </div>
  );
}

function personaWords(draft: AgentDraft, persona: Persona | undefined): string {
  if (draft.personaKind === "predefined") return persona?.name ?? "A persona of the library";
  if (draft.personaKind === "custom") return draft.customPrompt;
  return "No persona";
}

function modelWords(draft: AgentDraft): string {
  if (!draft.model) return "The workspace’s default model";
  const settings = [
    draft.temperature !== null && `temperature ${draft.temperature}`,
    draft.maxTokens !== null && `answers up to ${draft.maxTokens} tok`,
    draft.fallbackModelId && `falls back to ${draft.fallbackModelId}`,
  ].filter(Boolean);
  return [`${draft.model.model_id} (${draft.model.provider})`, ...settings].join(", ");
}

function skillWords(draft: AgentDraft, skillName: (id: number) => string | undefined): string {
  const names = draft.skillIds.map(skillName);
  return names.every(Boolean) ? names.join(", ") : formatCount(names.length, "skill");
}

function Chosen({ step, onGo, children }: { step: number; onGo: (step: number) => void; children: ReactNode }) {
  const title = STEPS[step - 1];
  return (
    <div className="px-4 py-3">
      <dt className="flex items-center justify-between gap-3 text-sm text-muted">
        {title}
        <Button size="sm" look="quiet" onClick={() => onGo(step)}>
          <Pencil aria-hidden className="size-3.5" /> Edit <span className="sr-only">{title}</span>
        </Button>
      </dt>
      <dd className="line-clamp-6 wrap-anywhere whitespace-pre-wrap">{children}</dd>
    </div>
  );
}

function Topic({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="grid grid-cols-[minmax(0,1fr)] gap-3">
      <h3 className="font-semibold">{title}</h3>
      {children}
    </section>
  );
}
