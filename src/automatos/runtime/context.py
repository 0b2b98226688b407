"""Prompt assembly: what an agent reads before its first turn, in a fixed order of parts."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from automatos.agents.types import AgentSpec
from automatos.llm.types import Message, ToolCall, ToolSpec
from automatos.runtime.replayed import items_of
from automatos.runtime.types import ITEMS, LOAD_SKILL, JsonObject, Opening, Part, PartSource, Turn

PROMPTS = Path(__file__).parent / "prompts"
_CLOSING = re.compile(r"<\s*/(?=\s*data)", re.IGNORECASE)
_TITLES: Mapping[PartSource, str] = {
    "task": "Task", "identity": "Who you are", "persona": "Persona", "skills": "Your skills", "tools": "Your tools",
    "policy": "How to work",
}


@cache
def text_of(name: str) -> str:
    """Return one of the texts that every prompt is made with."""
    return (PROMPTS / f"{name}.md").read_text(encoding="utf-8").strip()


def assemble(agent: AgentSpec, tools: tuple[ToolSpec, ...], cores: Mapping[int, str]) -> tuple[Part, ...]:
    """Return the parts of a system prompt: task, identity, persona, skills, tools, policy; without those it lacks.

    `cores` holds the whole texts of those skills, by id, that the agent reads from the start. This is the one place
    where prompts are put together: what people are shown is what runs get.
    """
    texts: Mapping[PartSource, str] = {
        "task": text_of("task"),
        "identity": _titled("identity", _identity(agent)),
        "persona": _titled("persona", agent.persona.system_prompt if agent.persona else ""),
        "skills": _titled("skills", _skills(agent, cores)),
        "tools": _titled("tools", "\n".join(f"- {tool.name}: {tool.description}" for tool in tools)),
        "policy": _titled("policy", text_of("policy")),
    }
    return tuple(Part(source, _TITLES[source], text) for source, text in texts.items() if text)


def join(parts: tuple[Part, ...]) -> str:
    """Return the system prompt that the parts make."""
    return "\n\n".join(part.text for part in parts)


def size_of(agent: AgentSpec, tools: tuple[ToolSpec, ...], cores: Mapping[int, str]) -> int:
    """Return how many characters of what people wrote `assemble` would put together, without doing so."""
    persona = len(agent.persona.system_prompt) if agent.persona else 0
    skills = sum(len(skill.name) + len(skill.description) for skill in agent.skills if skill.by_model)
    offered = sum(len(tool.name) + len(tool.description) for tool in tools)
    return len(agent.description) + persona + skills + offered + sum(len(text) for text in cores.values())


def _titled(source: PartSource, text: str) -> str:
    return f"# {_TITLES[source]}\n{text}" if text else ""


def _identity(agent: AgentSpec) -> str:
    lines = [f"You are {agent.name} ({agent.agent_type.replace('_', ' ')}).", agent.description,
             str(agent.configuration.get("environment_note", ""))]
    return "\n".join(line for line in lines if line)


def _skills(agent: AgentSpec, cores: Mapping[int, str]) -> str:
    """List every skill that the agent is told of by name and description; those with their text follow, whole."""
    skills = [skill for skill in agent.skills if skill.by_model]
    if not skills:
        return ""
    listed = "\n".join(f"- {skill.name}: {skill.description}" for skill in skills)
    how = text_of("skills_whole" if len(cores) == len(skills) else "skills")
    whole = [f"## {skill.name}\n{cores[skill.id]}" for skill in skills if skill.id in cores]
    return "\n\n".join([f"{how}\n{listed}", *whole])


def messages_of(opening: Opening, turns: list[Turn]) -> list[Message]:
    """Rebuild the conversation from what a run started with and its journal."""
    journal = sorted(turns, key=lambda turn: turn.seq)
    said = [_model_message(turn.body) if turn.kind == "model" else _tool_message(turn.body) for turn in journal]
    return [Message("system", opening.system_prompt), Message("user", opening.prompt), *said]


def _model_message(body: JsonObject) -> Message:
    return Message("assistant", body["text"], tool_calls=calls_of(body), items=items_of(body.get(ITEMS)))


def _tool_message(body: JsonObject) -> Message:
    """What tools return is material; the text of a skill that the agent was given is not, it is to be followed."""
    is_skill = body["name"] == LOAD_SKILL and body["ok"]
    text = body["output"] if is_skill else fence(body["output"])
    return Message("tool", text, tool_call_id=body["call_id"], name=body["name"])


def calls_of(body: JsonObject) -> tuple[ToolCall, ...]:
    """Return the tool calls of a model turn's body."""
    return tuple(ToolCall(call["id"], call["name"], call["arguments"]) for call in body["tool_calls"])


def storable(text: str) -> str:
    """Return text without what neither PostgreSQL nor JSON can hold: NUL is left out, lone surrogates become `?`."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def fence(text: str) -> str:
    """Mark text as material that is not to be obeyed; it cannot close the mark itself."""
    harmless = _CLOSING.sub(r"<\\/", text)
    return f"<data>\n{harmless}\n</data>"
