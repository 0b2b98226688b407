import { Link } from "@tanstack/react-router";
import type { AgentSlots } from "@/features/agents/slots";
import { ModelFields } from "@/features/llm/model-fields";
import { PersonaPicker } from "@/features/personas/persona-picker";
import { SkillChecklist } from "@/features/skills/skill-checklist";
import { ToolChecklist } from "@/features/tools/tool-checklist";

/** The parts of an agent's form that other features bring; `withAll` shows the rarer settings of models too. */
export function agentSlots(withAll: boolean): AgentSlots {
  return {
    persona: ({ draft, change, fault }) => (
      <PersonaPicker value={draft} category={draft.category} onChange={change} fault={fault} />
    ),
    model: ({ draft, change, fault }) => (
      <ModelFields value={draft} onChange={change} fault={fault} withAll={withAll} />
    ),
    tools: ({ draft, change }) => <ToolChecklist value={draft.tools} onChange={(tools) => change({ tools })} />,
    skills: ({ draft, change }) => (
      <SkillChecklist
        value={draft.skillIds}
        onChange={(skillIds) => change({ skillIds })}
        whereSkillsAre={
          <Link to="/w/$workspace/skills" from="/w/$workspace" className="text-accent underline">
            Add some
          </Link>
        }
      />
    ),
  };
}
