"""A wire whose models may write tool calls into their text: they are read out of it and not shown as the answer."""

import re
import secrets
from dataclasses import replace

import structlog

from automatos.llm.providers import ModelProvider, OnText, ProviderCall
from automatos.llm.providers.tool_calls import ID_LENGTH
from automatos.llm.providers.written_calls import LONGEST_OPENING, OPENINGS, WrittenCall, read_calls
from automatos.llm.types import Answer, AnswerEnd, ProviderItems, ToolCall

_ANY = "|".join(map(re.escape, OPENINGS))
_OPENING = re.compile(_ANY)
_FENCE = r"(?:`{3,}|~{3,})[ \t]{0,8}[\w+-]{0,20}[ \t]{0,8}"
_KEY = r"[\"'](?:name|tool|tool_name|function|function_name|type|id|arguments|parameters|args|input|params)[\"']"
_WHOLE = re.compile(rf"{_FENCE}\n\s*(?:{_ANY})|(?:{_FENCE}\n\s*)?(?:\[\s*)?\{{\s*{_KEY}")
"""How an answer begins that may be nothing but a call, bare or in a fence."""
_WHOLE_BEGINS = re.compile(
    rf"(?:`{{1,2}}|~{{1,2}}|{_FENCE}(?:\n\s*(?:<[^\s>]{{0,30}})?)?|"
    rf"(?:{_FENCE}\n\s*)?(?:\[\s*)?(?:\[|\{{\s*(?:[\"']\w{{0,14}})?)?)\Z")
MAX_BEGINNING = 512
log = structlog.get_logger(__name__)


class WrittenCallsProvider:
    """Asks over another wire, and reads the calls of offered tools that stand at the end of the text."""

    def __init__(self, wire: ModelProvider) -> None:
        self._wire = wire

    async def stream(self, call: ProviderCall, on_text: OnText) -> Answer:
        """Ask once; see `ModelProvider`."""
        gate = _Gate(on_text)
        answer = await self._wire.stream(call, gate.feed)
        if answer.tool_calls or answer.end is not AnswerEnd.COMPLETE:
            gate.open()
            return answer
        found = read_calls(answer.text, call.tools)
        if found is None or any(_is_quoted(call, each) for each in found[1]):
            gate.open()
            return answer
        text, calls = found
        gate.open(up_to=len(text))
        log.info("llm.calls_read_from_text", provider=call.provider.name, model=call.choice.model_id, calls=len(calls))
        return replace(answer, text=text, end=AnswerEnd.TOOL_CALLS, items=_without_text(answer.items),
                       calls_from_text=True, tool_calls=tuple(
                           ToolCall(secrets.token_hex(ID_LENGTH)[:ID_LENGTH], c.name, c.arguments) for c in calls))


def _is_quoted(call: ProviderCall, found: WrittenCall) -> bool:
    """Say whether a call stands word for word in what the model was given: then it quotes, whoever wrote it there."""
    return any(found.written in message.content for message in call.messages if message.role in {"user", "tool"})


def _without_text(items: ProviderItems | None) -> ProviderItems | None:
    """Return the items that may stand beside calls in place of the text; those that hold the text may not."""
    if items is None or items.wire != "openai" or any("content" in item for item in items.items):
        return None
    return items


class _Gate:
    """Hands text on until calls may begin, and holds the rest back until it is known what it is."""

    def __init__(self, on_text: OnText) -> None:
        self._on_text = on_text
        self._held = ""
        self._pieces: list[str] = []
        self._told = 0
        self._is_beginning = True
        self._is_shut = False

    def feed(self, text: str) -> None:
        """Take a piece of the answer."""
        if self._is_shut:
            self._pieces.append(text)
        elif self._held or self._is_beginning or "<" in text or "[" in text:
            self._look(self._held + text)
        else:
            self._tell(text)

    def open(self, up_to: int | None = None) -> None:
        """Hand on what is held; of an answer that ends with calls, only its text before them."""
        rest = self._held + "".join(self._pieces)
        self._tell(rest if up_to is None else rest[:max(up_to - self._told, 0)])
        self._held, self._pieces, self._is_shut = "", [], False

    def _tell(self, text: str) -> None:
        if text:
            self._told += len(text)
            self._on_text(text)

    def _look(self, text: str) -> None:
        if self._is_beginning:
            begins = text.lstrip()
            self._is_shut = bool(_WHOLE.match(begins))
            if self._is_shut or (len(text) < MAX_BEGINNING and _WHOLE_BEGINS.match(begins)):
                self._held = text
                return
            self._is_beginning = False
        opening = _OPENING.search(text)
        self._is_shut = opening is not None
        at = opening.start() if opening else _cut_opening(text)
        self._held = text[at:]
        self._tell(text[:at])


def _cut_opening(text: str) -> int:
    """Return where an opening may begin whose rest is still to come, at the latest at the text's end."""
    for at in range(max(len(text) - LONGEST_OPENING, 0), len(text)):
        if text[at] in "<[" and any(opening.startswith(text[at:]) for opening in OPENINGS):
            return at
    return len(text)
