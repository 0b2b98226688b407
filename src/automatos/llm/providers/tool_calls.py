"""Tool calls as providers stream them, and as they are sent back."""

import hashlib
import json
import re
import secrets
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import orjson

from automatos.llm.providers.merging import JsonObject, merge_fields
from automatos.llm.types import ToolCall, ToolSpec

ID_LENGTH = 9
"""As long as the strictest provider wants it, in characters that all of them take."""
ANY_ID = r".{1,64}"
MOST_LOOKS, FEW = 64, 1_000
"""Finding out whether arguments are whole may cost so many times their length, so that it stays linear."""
_READ = frozenset({"index", "id", "type", "function"})
_READ_OF_FUNCTION = frozenset({"name", "arguments"})
_FENCE_HEAD = re.compile(r"```[\w+-]{0,20}")
MAX_WRAPPINGS = 3


class PartialCall:
    """One call while its pieces come; `extra` is what else the provider said of it."""

    __slots__ = ("_looked", "arguments", "extra", "id", "name", "size")

    def __init__(self) -> None:
        self.id = ""
        self.name = ""
        self.arguments: list[str] = []
        self.extra: JsonObject = {}
        self.size = 0
        self._looked = 0

    def add(self, written: str) -> None:
        """Take the next piece of its arguments."""
        self.arguments.append(written)
        self.size += len(written)

    @property
    def is_whole(self) -> bool:
        """Whether its arguments are complete JSON already; those that seem so over and over are looked at no more."""
        if self._looked > MOST_LOOKS * (self.size + FEW):
            return False
        self._looked += self.size + len(self.arguments)
        written = "".join(self.arguments)
        if not written.rstrip().endswith("}"):
            return False
        try:
            orjson.loads(written)
        except orjson.JSONDecodeError:
            return False
        return True


class CallJoiner:
    """Joins pieces of calls; some providers number no call, or all of them 0, and some give no ids."""

    def __init__(self) -> None:
        self.calls: list[PartialCall] = []
        self._places: dict[Any, int] = {}
        self._by_id: dict[str, PartialCall] = {}

    def take(self, part: JsonObject) -> int:
        """Take one piece of a call and return how much it added."""
        function: Any = part.get("function")
        is_flat = not isinstance(function, dict)
        holder: JsonObject = part if is_flat else function
        name = str(holder.get("name") or (function if isinstance(function, str) else ""))
        written = written_arguments(holder.get("arguments"))
        call = self._call_for(part.get("index"), str(part.get("id") or ""), name, written)
        call.name = call.name or name
        call.add(written)
        read = _READ | _READ_OF_FUNCTION if is_flat else _READ
        extra = {key: value for key, value in part.items() if key not in read and value is not None}
        inner = {} if is_flat else {key: value for key, value in holder.items()
                                    if key not in _READ_OF_FUNCTION and value is not None}
        if inner:
            extra["function"] = inner
        if extra:
            merge_fields(call.extra, extra)
        return len(written) + 64

    def _call_for(self, index: Any, call_id: str, name: str, arguments: str) -> PartialCall:
        call = self._open_call(index, call_id)
        if call is None or _begins_another(call, index, call_id, name, arguments):
            call = PartialCall()
            if index is not None:
                self._places[index] = len(self.calls)
            self.calls.append(call)
        call.id = call.id or call_id
        if call.id:
            self._by_id[call.id] = call
        return call

    def _open_call(self, index: Any, call_id: str) -> PartialCall | None:
        """Return the call that a piece most likely continues: of its number, else of its id, else the last one."""
        if index is not None:
            return self.calls[self._places[index]] if index in self._places else None
        if call_id and (known := self._by_id.get(call_id)):
            return known
        last = self.calls[-1] if self.calls else None
        return None if last and call_id and last.id else last

    def finish(self, tools: Sequence[ToolSpec]) -> tuple[ToolCall, ...]:
        """Return the calls, with ids of our own where the provider gave none or the same one twice."""
        names = {tool.name for tool in tools}
        ids = _distinct(call.id for call in self.calls)
        return tuple(ToolCall(call_id, plain_name(call.name, names), meant_arguments("".join(call.arguments)))
                     for call_id, call in zip(ids, self.calls, strict=True))


def _begins_another(call: PartialCall, index: Any, call_id: str, name: str, arguments: str) -> bool:
    """Say by what it brings whether a piece begins a call of its own instead of continuing this one."""
    if call_id and call.id and call_id != call.id:
        return True
    brings_text = bool(arguments.strip())
    if not (name and call.name):
        is_loose = index is None and not call_id
        return is_loose and brings_text and call.is_whole
    if index is not None or (call_id and call_id == call.id):
        return brings_text and call.is_whole
    is_repeated = name == call.name and any(call.arguments) and not call.is_whole
    return not is_repeated


def _distinct(ids: Iterator[str]) -> Iterator[str]:
    seen: set[str] = set()
    for call_id in ids:
        own = call_id if call_id and call_id not in seen else secrets.token_hex(ID_LENGTH)[:ID_LENGTH]
        seen.add(own)
        yield own


def plain_name(written: str, offered: Collection[str]) -> str:
    """Return the name of a tool without what some models leave around it: a channel's mark, a namespace, spaces."""
    name = re.sub(r":\d+$|\(\)$", "", written.split("<|", 1)[0].strip())
    if name in offered:
        return name
    short = name.rpartition(".")[2].rpartition(":")[2]
    if short in offered:
        return short
    alike = [each for each in offered if each.casefold() == short.casefold()]
    return alike[0] if len(alike) == 1 else name


def written_arguments(arguments: Any) -> str:
    """Return arguments, or a piece of them, as text; a provider that sends the object itself means that object."""
    if arguments is None:
        return ""
    return arguments if isinstance(arguments, str) else orjson.dumps(arguments).decode()


def _unfenced(text: str) -> str:
    """Return what stands inside a fenced block that is the whole of a stripped text, else the text; in linear time."""
    head, newline, rest = text.partition("\n")
    if not newline or not rest.endswith("```") or not _FENCE_HEAD.fullmatch(head.rstrip()):
        return text
    inside = rest.removesuffix("```").rstrip(" \t")
    return inside.strip() if not inside or inside.endswith("\n") else text



def meant_arguments(written: str) -> str:
    """Return the JSON object that arguments mean; what means none comes back as it is, for the model to be told.

    Nothing and null are no arguments. Read through are a fence, an object written as a text, line ends inside of a
    text, and an empty object before the real one.
    """
    text = written
    for _ in range(MAX_WRAPPINGS):
        text = _unfenced(text.strip())
        if text in {"", "null", "None"}:
            return "{}"
        text = text.removeprefix("{}").strip() or text
        if as_object(text) is not None:
            return text
        try:
            value: Any = json.loads(text, strict=False)
        except (ValueError, RecursionError):
            break
        if not isinstance(value, str):
            return orjson.dumps(value).decode() if isinstance(value, dict) else written
        text = value
    return written


def object_text(arguments: str) -> str:
    """Return arguments as they may be sent back: strict servers refuse a history with any that are no JSON object."""
    return arguments if as_object(arguments) is not None else "{}"


def as_object(arguments: str) -> JsonObject | None:
    """Read arguments; None when they are no JSON object."""
    try:
        value = orjson.loads(arguments)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def portable_id(call_id: str | None, pattern: str) -> str:
    """Return an id that a provider takes: the same one, or where another provider made it, one made from it."""
    given = call_id or ""
    if re.fullmatch(pattern, given):
        return given
    return hashlib.sha256(given.encode("utf-8", "replace")).hexdigest()[:ID_LENGTH]
