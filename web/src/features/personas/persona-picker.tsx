import { queryOptions, useQuery } from "@tanstack/react-query";
import { BookOpen, CircleSlash, PenLine } from "lucide-react";
import { useState } from "react";
import type { Persona, PersonaList } from "@/client/library";
import { formatTokens } from "@/lib/format";
import { api, dataOf } from "@/lib/http";
import { useWorkspace } from "@/lib/workspace";
import { CardChoice } from "@/ui/choice";
import { TextArea } from "@/ui/field";
import { PickFilter } from "@/ui/filters";
import { LoadProblem } from "@/ui/loaded";
import { SkeletonRows } from "@/ui/states";

const MOST = 200;

/** Personas to choose from: all, or those that are offered to agents shown under a category. */
export const personaChoicesQuery = (workspace: string, shownAs?: string) =>
  queryOptions({
    queryKey: [workspace, "personas", "choices", shownAs ?? ""],
    queryFn: ({ signal }) =>
      dataOf(
        api(workspace).GET("/api/personas", {
          params: { query: { limit: MOST, marketplace_category: shownAs } },
          signal,
        }),
      ),
    staleTime: 60_000,
  });

/** Who speaks: nobody in particular, a persona of the library, or words of the agent's own. */
export interface Voice {
  personaKind: "none" | "predefined" | "custom";
  personaId: string | null;
  customPrompt: string;
}

interface Props {
  value: Voice;
  /** What the agent is shown as, by which the library is narrowed. */
  category: string | null | undefined;
  onChange: (part: Partial<Voice>) => void;
  fault: (key: keyof Voice) => string | undefined;
}

const KINDS = [
  { value: "none", title: "None", text: "The model as it is.", icon: <CircleSlash aria-hidden className="size-4" /> },
  {
    value: "predefined",
    title: "From the library",
    text: "A voice that many agents can share.",
    icon: <BookOpen aria-hidden className="size-4" />,
  },
  {
    value: "custom",
    title: "Its own words",
    text: "Written for this agent alone.",
    icon: <PenLine aria-hidden className="size-4" />,
  },
];

/** Chooses who an agent is. Going from a persona to own words starts with that persona's. */
export function PersonaPicker({ value, category, onChange, fault }: Props) {
  const { id: workspace } = useWorkspace();
  const personas = useQuery(personaChoicesQuery(workspace));
  const fitting = useQuery(personaChoicesQuery(workspace, category ?? undefined));
  const chosen = personas.data?.items.find((one) => one.id === value.personaId);

  function choose(kind: string) {
    const personaKind = kind as Voice["personaKind"];
    const words = chosen?.system_prompt ?? "";
    const isUnwritten = value.customPrompt.trim() === "" || value.customPrompt === words;
    const customPrompt = personaKind === "custom" ? words : "";
    onChange({ personaKind, ...(isUnwritten ? { customPrompt } : {}) });
  }

  return (
    <div className="grid gap-5">
      <CardChoice label="Persona" value={value.personaKind} options={KINDS} onChange={choose} />
      {value.personaKind === "predefined" && (
        <>
          {(personas.isPending || fitting.isPending) && <SkeletonRows rows={3} />}
          <LoadProblem of={personas.error ? personas : fitting} />
          {personas.data && fitting.data && (
            <Library
              all={personas.data}
              fitting={fitting.data}
              chosen={chosen}
              onChoose={(personaId) => onChange({ personaId })}
            />
          )}
          <p role="alert" className="text-sm text-bad empty:hidden">
            {fault("personaId")}
          </p>
        </>
      )}
      {value.personaKind === "custom" && (
        <TextArea
          label="Who it is"
          rows={12}
          maxLength={100_000}
          value={value.customPrompt}
          onChange={(event) => onChange({ customPrompt: event.target.value })}
          hint={
            chosen && value.customPrompt === chosen.system_prompt
              ? `These are the words of ${chosen.name}. Make them this agent’s own.`
              : "What the agent is told before every task: its role, its manner, its limits."
          }
          error={fault("customPrompt")}
        />
      )}
    </div>
  );
}

interface LibraryProps {
  all: PersonaList;
  fitting: PersonaList;
  chosen: Persona | undefined;
  onChoose: (id: string) => void;
}

function Library({ all, fitting, chosen, onChoose }: LibraryProps) {
  const [category, setCategory] = useState<string | undefined>(undefined);
  const [isWhole, setWhole] = useState(false);
  const list = isWhole ? all : fitting;
  const offered = new Set(list.items.map((one) => one.id));
  const shown = all.items.filter(
    (one) => one === chosen || (offered.has(one.id) && (category === undefined || one.category === category)),
  );
  return (
    <div className="grid gap-4">
      <div className="justify-self-start">
        <PickFilter
          label="All categories"
          options={list.categories.map((name) => ({ value: name, label: name }))}
          value={category}
          onChange={setCategory}
        />
      </div>
      {fitting.total < all.total && (
        <label className="flex items-center gap-2 text-sm text-muted">
          <input
            type="checkbox"
            className="size-4 accent-accent"
            checked={isWhole}
            onChange={(event) => {
              setWhole(event.target.checked);
              setCategory(undefined);
            }}
          />
          Show personas for other kinds of work too
        </label>
      )}
      <CardChoice
        label="Persona of the library"
        wide
        value={chosen?.id ?? ""}
        options={shown.map((one) => ({ value: one.id, title: one.name, text: one.description, note: one.category }))}
        onChange={onChoose}
      />
      {chosen && <Preview persona={chosen} />}
    </div>
  );
}

function Preview({ persona }: { persona: Persona }) {
  return (
    <details className="rounded-xl bg-sunken p-4">
      <summary className="cursor-pointer font-medium">
        What {persona.name} is told{" "}
        <span className="font-normal text-muted">{formatTokens(persona.token_estimate)}</span>
      </summary>
      {persona.voice_description && <p className="mt-3 text-muted">{persona.voice_description}</p>}
      <p className="mt-3 wrap-anywhere whitespace-pre-wrap">{persona.system_prompt}</p>
    </details>
  );
}
