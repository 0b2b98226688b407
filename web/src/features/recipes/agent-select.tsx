import { useState } from "react";
import { Combobox } from "@/ui/combobox";

export interface AgentOption {
  id: number;
  name: string;
  isActive: boolean;
}

/** So many are drawn; who has more types to find one. */
const SHOWN = 50;

interface Props {
  agents: readonly AgentOption[];
  value: number | null;
  onChange: (id: number | null) => void;
  error?: string | undefined;
}

/** The agent that does a step, found by its name among however many there are. */
export function AgentSelect({ agents, value, onChange, error }: Props) {
  const [text, setText] = useState("");
  const wanted = text.trim().toLowerCase();
  const found = wanted ? agents.filter((one) => one.name.toLowerCase().includes(wanted)) : agents;
  const chosen = agents.find((one) => one.id === value);
  return (
    <Combobox
      label="Agent"
      shown={chosen?.name ?? "Choose an agent"}
      value={value === null ? "" : String(value)}
      searchLabel="Search agents"
      onSearch={setText}
      searchesItself
      groups={[
        {
          heading: "Agents",
          options: found.slice(0, SHOWN).map((one) => ({
            value: String(one.id),
            label: one.name,
            detail: one.isActive ? undefined : "not active",
          })),
          note: found.length > SHOWN ? "Type to find the others." : undefined,
        },
      ]}
      onChange={(id) => onChange(id ? Number(id) : null)}
      hint={chosen && !chosen.isActive ? "Not active: activate it before cooking." : undefined}
      error={error}
    />
  );
}
