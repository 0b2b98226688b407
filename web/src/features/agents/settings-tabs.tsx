import { Blocks } from "lucide-react";
import type { ReactNode } from "react";
import { changedKeys } from "@/lib/changes";
import type { FieldError } from "@/lib/problem";
import { Panel } from "@/ui/panel";
import { Empty } from "@/ui/states";
import type { Tab } from "@/ui/tabs";
import type { AgentDraft } from "./draft";
import { FIELDS, TABS, type TabId, tabsOf } from "./fields";
import { BasicsFields } from "./form-basics";
import { PluginsNote } from "./form-capabilities";
import { SkillSettings, WorkFields } from "./form-limits";
import type { AgentSlots, PartProps } from "./slots";

const LABELS: Record<TabId, string> = {
  general: "General",
  model: "Model",
  persona: "Persona",
  skills: "Skills",
  plugins: "Plugins",
  tools: "Tools",
  heartbeat: "Heartbeat",
};

interface Marks {
  before: AgentDraft;
  after: AgentDraft;
  faults: readonly FieldError[];
  isHeartbeatChanged: boolean;
  isHeartbeatFaulty: boolean;
}

/** The seven tabs, each marked when it holds a change or a fault. */
export function settingsTabs({ before, after, faults, isHeartbeatChanged, isHeartbeatFaulty }: Marks): Tab[] {
  const faulty = new Set<TabId>(tabsOf(faults));
  const changed = new Set<TabId>(changedKeys(before, after).map((key) => FIELDS[key].tab));
  if (isHeartbeatChanged) changed.add("heartbeat");
  if (isHeartbeatFaulty) faulty.add("heartbeat");
  return TABS.map((id) => ({
    id,
    label: LABELS[id],
    mark: faulty.has(id)
      ? { tone: "bad", label: "has an error" }
      : changed.has(id)
        ? { tone: "accent", label: "changed" }
        : undefined,
  }));
}

interface Props {
  tab: TabId;
  part: PartProps;
  slots: AgentSlots;
  heartbeat: ReactNode;
}

/** What one tab holds. */
export function SettingsTab({ tab, part, slots, heartbeat }: Props) {
  switch (tab) {
    case "general":
      return (
        <>
          <Panel title="Basics">
            <BasicsFields {...part} />
          </Panel>
          <WorkFields {...part} />
        </>
      );
    case "model":
      return <Panel title="Model">{slots.model(part)}</Panel>;
    case "persona":
      return (
        <Panel title="Persona" lead="Who it is when it speaks.">
          {slots.persona(part)}
        </Panel>
      );
    case "skills":
      return (
        <Panel title="Skills" lead="Instructions it can follow, listed to it by name and description.">
          {slots.skills(part)}
          {part.draft.skillIds.length > 0 && <SkillSettings {...part} />}
        </Panel>
      );
    case "plugins":
      return (
        <Empty icon={<Blocks className="size-6" />} title="No plugins">
          <PluginsNote />
        </Empty>
      );
    case "tools":
      return (
        <Panel title="Tools" lead="It can do only what is ticked here.">
          {slots.tools(part)}
        </Panel>
      );
    case "heartbeat":
      return heartbeat;
  }
}
