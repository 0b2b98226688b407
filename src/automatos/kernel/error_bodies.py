"""What a provider says in an error, whatever shape it says it in."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from automatos.kernel.pauses import pause_in_document, pause_in_words

MAX_TEXT = 4000
MAX_DEPTH = 6
MAX_PARTS = 12
_WORD_KEYS = ("message", "msg", "detail", "error", "errors", "error_description", "error_message", "errorMessage",
              "description", "reason", "raw", "status_msg", "base_resp", "metadata", "title", "details")
_ANSWER_KEYS = ("choices", "content", "output", "delta", "item", "response")
_LOC = re.compile(r"['\"]loc['\"]:\s*[(\[]([^)\]]{1,200})[)\]]")
_QUOTED = re.compile(r"['\"]([^'\"]{1,100})['\"]|(\d+)")


@dataclass(frozen=True, slots=True)
class ProviderError:
    """A provider's error: its words, its code and type, the fields it names, the status it claims.

    `pause_s` is after how many seconds it says to come back, None when it does not.
    """

    message: str = ""
    code: str = ""
    fields: tuple[str, ...] = ()
    status: int | None = None
    is_page: bool = False
    pause_s: float | None = None

    @property
    def hints(self) -> str:
        """Everything that says what kind of error it is."""
        return f"{self.code} {self.message}"


def read_json(data: bytes) -> Any:
    """Read JSON as providers write it.

    Half of a surrogate pair, which some cut a text in, is kept as it is; NaN and the infinities are null; bytes that
    are no text become replacement characters; tabs and line ends inside of texts are taken.

    Raises:
        orjson.JSONDecodeError: it is no JSON.
    """
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        try:
            return json.loads(data.decode("utf-8", "replace"), strict=False, parse_constant=lambda _: None)
        except (ValueError, RecursionError):
            raise error from None


def read_error(body: bytes) -> ProviderError:
    """Read the body of an answer that is no answer: JSON of any shape, text, or a web page."""
    text = body[: 4 * MAX_TEXT].lstrip(b"\xef\xbb\xbf \t\r\n")
    if text[:1] == b"<":
        return ProviderError(_page_title(text), is_page=True)
    try:
        return error_of(read_json(body))
    except orjson.JSONDecodeError:
        return _of_text(text.decode("utf-8", "replace"))


def _page_title(page: bytes) -> str:
    """Return the title of a web page, found without looking at any byte twice."""
    lowered = page.lower()
    start = lowered.find(b"<title")
    start = lowered.find(b">", start) + 1 if start >= 0 else 0
    end = lowered.find(b"</title", start) if start else -1
    title = page[start:end].decode("utf-8", "replace") if end > start else ""
    return " ".join(title.split())[:200]


def _of_text(text: str) -> ProviderError:
    located = tuple(".".join(a or b for a, b in _QUOTED.findall(found)) for found in _LOC.findall(text[:MAX_TEXT]))
    return ProviderError(text[:MAX_TEXT].strip(), fields=located, pause_s=pause_in_words(text))


def error_of(document: Any) -> ProviderError:
    """Read a document that is known to be an error."""
    if isinstance(document, list):
        document = next((each for each in document if isinstance(each, dict)), {"message": _flat(document)})  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(document, dict):
        return _of_text(str(document))
    inner: Any = document.get("error")
    details: dict[str, Any] = inner if isinstance(inner, dict) else document
    message = "; ".join(dict.fromkeys(_words(details if isinstance(inner, dict) else document, 0)))[:MAX_TEXT]
    read = _of_text(message)
    code = " ".join(str(details[key]) for key in ("code", "type", "status") if isinstance(details.get(key), str | int))
    fields = [str(details["param"])] if details.get("param") else []
    fields += list(_locations(document, 0))
    pause_s = pause_in_document(document)
    return ProviderError(message, code, (*dict.fromkeys(fields), *read.fields), _status(details),
                         pause_s=read.pause_s if pause_s is None else pause_s)


def _status(details: dict[str, Any]) -> int | None:
    for key in ("code", "status", "status_code", "statusCode"):
        value: Any = details.get(key)
        number = int(value) if isinstance(value, str) and value.isdigit() and len(value) == 3 else value
        if isinstance(number, int) and not isinstance(number, bool) and 400 <= number < 600:
            return number
    return None


def _words(value: Any, depth: int) -> Iterator[str]:
    """Yield the sentences of an error document, from the outside in."""
    if depth > MAX_DEPTH:
        return
    if isinstance(value, str):
        if text := value.strip():
            yield from _inside(text, depth)
    elif isinstance(value, list):
        for item in value[:MAX_PARTS]:  # pyright: ignore[reportUnknownVariableType]
            yield from _words(item, depth + 1)
    elif isinstance(value, dict):
        located: Any = value.get("loc")
        place = ".".join(map(str, located)) + ": " if isinstance(located, list) else ""  # pyright: ignore[reportUnknownArgumentType]
        for key in _WORD_KEYS:
            if key in value:
                yield from (f"{place}{words}" for words in _words(value[key], depth + 1))


def _inside(text: str, depth: int) -> Iterator[str]:
    """Yield the words of a text that is itself a document, as gateways hand on what they were told."""
    if text[:1] in {"{", "["} and len(text) <= 4 * MAX_TEXT:
        try:
            found = list(_words(read_json(text.encode("utf-8", "replace")), depth + 1))
        except orjson.JSONDecodeError:
            found = []
        if found:
            yield from found
            return
    yield text[:MAX_TEXT]


def _locations(value: Any, depth: int) -> Iterator[str]:
    """Yield the fields that a list of validation errors names."""
    if depth > MAX_DEPTH:
        return
    if isinstance(value, list):
        for item in value[:MAX_PARTS]:  # pyright: ignore[reportUnknownVariableType]
            yield from _locations(item, depth + 1)
    elif isinstance(value, dict):
        if isinstance(value.get("loc"), list):
            yield ".".join(map(str, value["loc"]))
        for key in ("detail", "details", "message", "errors", "error"):
            if isinstance(value.get(key), list | dict):
                yield from _locations(value[key], depth + 1)


def _flat(value: Any) -> str:
    return "; ".join(_words(value, 0))[:MAX_TEXT]


def is_error(document: Any) -> bool:
    """Say whether a document that came where an answer was expected is an error."""
    if isinstance(document, list):
        return any(is_error(each) for each in document[:MAX_PARTS])  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType]
    if not isinstance(document, dict):
        return False
    if document.get("error") or document.get("object") == "error" or document.get("type") == "error":
        return True
    if "type" in document or any(key in document for key in _ANSWER_KEYS):
        return False
    return any(document.get(key) for key in ("detail", "message", "msg", "errors", "error_message", "base_resp"))
