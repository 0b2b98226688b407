"""Agents as runs get them, and a shelf of skills kept in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from automatos.agents.types import AgentConfiguration, AgentSpec, AgentStatus, PersonaSpec, SkillSpec
from automatos.llm.types import ToolSpec
from automatos.tools.types import HandedTool, ToolContext

SOUP = SkillSpec(1, "soup", "Use it to cook soup.", 3, 12)
BREAD = SkillSpec(2, "bread", "Use it to bake bread.", 1, 8)


def agent(**fields: object) -> AgentSpec:
    """Return an agent with a persona and a tool, and whatever else is said."""
    known: dict[str, object] = {
        "id": 7, "name": "Ada", "description": "Checks numbers.", "agent_type": "data_analyst",
        "status": AgentStatus.ACTIVE, "persona": PersonaSpec("custom", "Be exact."), "skills": (), "model": None,
        "tools": ("calculator",), "settings": AgentConfiguration(), "version": 1,
    }
    return AgentSpec(**(known | fields))  # type: ignore[arg-type]


@dataclass
class Shelf:
    """Holds the texts of SOUP and BREAD, and hands out a tool that loads one."""

    read: list[str] = field(default_factory=list)

    async def core(self, skill: SkillSpec) -> str:
        if skill not in {SOUP, BREAD}:
            raise LookupError(skill.name)
        self.read.append(skill.name)
        return f"How to make {skill.name}."

    def handed_tools(self, agent: AgentSpec) -> Mapping[str, HandedTool]:
        async def load(arguments: dict[str, Any], context: ToolContext) -> str:
            del context
            return f"How to make {arguments['name']}."

        loader = HandedTool(ToolSpec("load_skill", "Loads a skill.", {"type": "object"}), load)
        return {"load_skill": loader} if agent.skills else {}
