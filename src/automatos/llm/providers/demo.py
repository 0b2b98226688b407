"""The demo provider: no model, no network; deterministic, follows the tool protocol, and says that it is a demo."""

import asyncio
import re
from collections.abc import Sequence
from typing import Any

import orjson

from automatos.llm.providers import OnText, ProviderCall
from automatos.llm.types import Answer, AnswerEnd, Message, ToolCall, ToolSpec, Usage

LABEL = "[demo]"
WORDS_PER_PIECE = 4
MAX_POINTS = 6
_SUM = re.compile(r"(?<![\d\s.])[\s.]*+(\d[\d\s.]*+(?:[-+*/]\s*+\(?\s*+\d[\d\s.]*+\)?\s*+)++)")
_CLOCK = re.compile(r"(?i)\b(today|current (?:date|time)|what (?:date|time|day)|now\b.{0,200}\b(?:date|time))")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_FENCE = re.compile(r"</?data>")
_MARKS = re.compile(r"^[\s#>*\-\d.)]+")


class DemoProvider:
    """Answers from the prompt alone."""

    def __init__(self, delay_ms: int) -> None:
        self._delay_s = delay_ms / 1000

    async def stream(self, call: ProviderCall, on_text: OnText) -> Answer:
        """Answer once; see `ModelProvider`."""
        prompt, results = _last_turn(call.messages)
        wanted = wanted_tool(prompt, call.tools) if call.may_call_tools and not results else None
        text = "" if wanted else write_answer(prompt, results)
        for piece in _pieces(text):
            if self._delay_s:
                await asyncio.sleep(self._delay_s)
            on_text(piece)
        usage = Usage(sum(len(m.content) for m in call.messages) // 4 + 1, len(text) // 4 + 1)
        if wanted:
            return Answer(text, (wanted,), usage, "tool_calls", AnswerEnd.TOOL_CALLS)
        return Answer(text, (), usage, "stop", AnswerEnd.COMPLETE)


def wanted_tool(prompt: str, tools: Sequence[ToolSpec]) -> ToolCall | None:
    """Return one call of the offered tool that the prompt asks for, None when none fits."""
    for tool in tools:
        name = tool.name.lower()
        arithmetic = _SUM.search(prompt) if "calc" in name else None
        is_named = re.search(rf"(?i)\buse (?:the )?(?:tool )?{re.escape(name)}\b", prompt)
        is_clock = any(word in name for word in ("date", "time", "clock")) and _CLOCK.search(prompt)
        if arithmetic or is_clock or is_named:
            subject = arithmetic[1].strip() if arithmetic else prompt.strip()[:200]
            return ToolCall("call_demo_1", tool.name, orjson.dumps(_arguments(tool.parameters, subject)).decode())
    return None


def _arguments(schema: dict[str, Any], subject: str) -> dict[str, Any]:
    """Fill the required parameters of a tool: the subject where text is wanted, the simplest value elsewhere."""
    properties: dict[str, dict[str, Any]] = schema.get("properties") or {}
    return {name: _value(properties.get(name) or {}, subject) for name in schema.get("required") or []}


def _value(schema: dict[str, Any], subject: str) -> Any:
    if "default" in schema:
        return schema["default"]
    if schema.get("enum"):
        return schema["enum"][0]
    number = re.search(r"\d+", subject)
    simple: dict[str, Any] = {"integer": int(number[0]) if number else 1, "number": float(number[0]) if number else 1.0,
                              "boolean": True, "array": [], "object": {}}
    return simple.get(str(schema.get("type")), subject)


def write_answer(prompt: str, results: list[str]) -> str:
    """Write the text: what was asked, the points found in the prompt, what tools said, how to get a real answer."""
    points = _points(prompt)
    lines = [f"{LABEL} No model is connected, so this text was put together from the prompt alone.", ""]
    if points:
        lines += [f"## {points[0]}", ""]
    if results:
        lines += ["What the tools answered:", ""]
        lines += [f"- {result.strip()[:500]}" for result in results] + [""]
    if points[1:]:
        lines += ["Points to work with:", ""]
        lines += [f"{number}. {point}" for number, point in enumerate(points[1: MAX_POINTS + 1], 1)] + [""]
    lines += ["Next step: add a key under Settings, Credentials, and a model writes this instead."]
    return "\n".join(lines)


def _points(prompt: str) -> list[str]:
    """Return the distinct sentences of a prompt, cleaned of marks and of the demo's own phrases in earlier outputs."""
    found: dict[str, None] = {}
    for sentence in _SENTENCE.split(prompt):
        cleaned = _MARKS.sub("", _FENCE.sub("", sentence)).strip()[:200]
        if len(cleaned) > 2 and LABEL not in cleaned and not cleaned.startswith(("Next step: add", "Points to work")):
            found.setdefault(cleaned)
    return list(found)


def _last_turn(messages: Sequence[Message]) -> tuple[str, list[str]]:
    """Return the last user text and the tool results that follow it."""
    results: list[str] = []
    for message in reversed(messages):
        if message.role == "tool":
            results.insert(0, _FENCE.sub("", message.content).strip())
        elif message.role == "user":
            return message.content, results
    return "", results


def _pieces(text: str) -> list[str]:
    """Cut a text after every few words; joined they are the text."""
    words = re.findall(r"\S+\s*|\s+", text)
    return ["".join(words[at: at + WORDS_PER_PIECE]) for at in range(0, len(words), WORDS_PER_PIECE)]
