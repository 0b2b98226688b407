"""Prompt assembly: what an agent reads before its first turn, in a fixed order of parts."""

import re
from functools import cache
from pathlib import Path

from automatos.agents.types import AgentSpec
from automatos.llm.types import Message, ToolCall, ToolSpec
from automatos.runs.types import JsonObject, Opening, Turn

PROMPTS = Path(__file__).parent / "prompts"
_CLOSING = re.compile(r"<\s*/(?=\s*data)", re.IGNORECASE)


@cache
def _text(name: str) -> str:
    return (PROMPTS / f"{name}.md").read_text(encoding="utf-8").strip()


def assemble(agent: AgentSpec, tools: tuple[ToolSpec, ...]) -> str:
    """Return the system prompt: base, identity, persona, tools, execution policy; parts an agent lacks are left out."""
    parts = [
        _text("task"),
        _identity(agent),
        f"# Persona\n{agent.persona_prompt}" if agent.persona_prompt else "",
        _tool_list(tools),
        _text("policy"),
    ]
    return "\n\n".join(part for part in parts if part)


def _identity(agent: AgentSpec) -> str:
    about = f"\n{agent.description}" if agent.description else ""
    return f"# Who you are\nYou are {agent.name} ({agent.agent_type.replace('_', ' ')}).{about}"


def _tool_list(tools: tuple[ToolSpec, ...]) -> str:
    if not tools:
        return ""
    return "# Your tools\n" + "\n".join(f"- {tool.name}: {tool.description}" for tool in tools)


def messages_of(opening: Opening, turns: list[Turn]) -> list[Message]:
    """Rebuild the conversation from what a run started with and its journal."""
    journal = sorted(turns, key=lambda turn: turn.seq)
    said = [_model_message(turn.body) if turn.kind == "model" else _tool_message(turn.body) for turn in journal]
    return [Message("system", opening.system_prompt), Message("user", opening.prompt), *said]


def _model_message(body: JsonObject) -> Message:
    return Message("assistant", body["text"], tool_calls=calls_of(body))


def _tool_message(body: JsonObject) -> Message:
    return Message("tool", fence(body["output"]), tool_call_id=body["call_id"], name=body["name"])


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
