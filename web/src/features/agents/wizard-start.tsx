import { Copy, FilePlus2, UserRound } from "lucide-react";
import { useState } from "react";
import type { Persona } from "@/client/library";
import { Button } from "@/ui/button";
import { CardChoice } from "@/ui/choice";
import { SelectField } from "@/ui/field";
import { AgentSelect } from "./agent-select";
import { type AgentDraft, BLANK, type ChangeDraft, copyOf } from "./draft";

interface Props {
  draft: AgentDraft;
  change: ChangeDraft;
  personas: readonly Persona[];
}

const STARTS = [
  {
    value: "blank",
    title: "Blank",
    text: "Decide everything yourself.",
    icon: <FilePlus2 aria-hidden className="size-4" />,
  },
  {
    value: "persona",
    title: "A persona",
    text: "Begin with a voice of the library.",
    icon: <UserRound aria-hidden className="size-4" />,
  },
  {
    value: "agent",
    title: "An agent you have",
    text: "Copy it, then change what differs.",
    icon: <Copy aria-hidden className="size-4" />,
  },
];

/** An agent that begins as a persona of the library: its name and description too, until they are changed. */
export function draftFrom(persona: Persona): Partial<AgentDraft> {
  return { name: persona.name, description: persona.description, personaKind: "predefined", personaId: persona.id };
}

/** What a new agent begins as; what was there before can be had back. */
export function WizardStart({ draft, change, personas }: Props) {
  const [start, setStart] = useState("blank");
  const [copied, setCopied] = useState<number | null>(null);
  const [taken, setTaken] = useState<{ from: string; before: AgentDraft } | null>(null);

  function take(from: string, part: Partial<AgentDraft>) {
    setTaken({ from, before: taken?.before ?? draft });
    change({ ...BLANK, ...part });
  }

  function choosePersona(id: string) {
    const persona = personas.find((one) => one.id === id);
    if (persona) take(persona.name, draftFrom(persona));
  }

  return (
    <div className="grid gap-3">
      <p aria-hidden className="-mb-1 text-sm font-medium">
        Start from
      </p>
      <CardChoice label="Start from" value={start} options={STARTS} onChange={setStart} />
      {start === "persona" && (
        <SelectField
          label="Persona"
          value={draft.personaId ?? ""}
          onChange={(event) => choosePersona(event.target.value)}
        >
          <option value="">Choose a persona</option>
          {personas.map((one) => (
            <option key={one.id} value={one.id}>
              {one.name} ({one.category})
            </option>
          ))}
        </SelectField>
      )}
      {start === "agent" && (
        <AgentSelect
          label="Agent to copy"
          value={copied}
          onChange={(agent) => {
            setCopied(agent.id);
            take(agent.name, copyOf(agent));
          }}
        />
      )}
      {taken && (
        <p role="status" className="flex flex-wrap items-center gap-x-3 gap-y-1 text-sm text-muted">
          Filled in from {taken.from}.
          <Button
            size="sm"
            look="quiet"
            onClick={() => {
              change(taken.before);
              setTaken(null);
            }}
          >
            Undo
          </Button>
        </p>
      )}
    </div>
  );
}
