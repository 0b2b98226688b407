"""Prompt assembly: what an agent reads before its first turn, in a fixed order of parts."""

from functools import cache
from pathlib import Path

from automatos.agents.types import AgentSpec
from automatos.llm.types import Message, ToolCall, ToolSpec
from automatos.runs.types import JsonObject, Opening, Turn

PROMPTS = Path(__file__).parent / "prompts"


@cache
def _text(name: str) -> str:
    return (PROMPTS / f"{name}.md").read_text(encoding="utf-8").strip()


def assemble(agent: AgentSpec, tools: tuple[ToolSpec, ...]) -> str:
    """Return the system prompt: base, identity, persona, tools, execution policy; parts an agent lacks are left out."""
    parts = [
        _text("base"),
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
    messages = [Message("system", opening.system_prompt), Message("user", opening.prompt)]
    for turn in sorted(turns, key=lambda turn: turn.seq):
        messages.append(_model_message(turn.body) if turn.kind == "model" else _tool_message(turn.body))
    return messages


def _model_message(body: JsonObject) -> Message:
    return Message("assistant", body["text"], tool_calls=calls_of(body))


def _tool_message(body: JsonObject) -> Message:
    return Message("tool", fence(body["output"]), tool_call_id=body["call_id"], name=body["name"])


def calls_of(body: JsonObject) -> tuple[ToolCall, ...]:
    """Return the tool calls of a model turn's body."""
    return tuple(ToolCall(call["id"], call["name"], call["arguments"]) for call in body["tool_calls"])


def fence(text: str) -> str:
    """Mark text as material that is not to be obeyed; it cannot close the mark itself."""
    harmless = text.replace("</data", "<\\/data")
    return f"<data>\n{harmless}\n</data>"
