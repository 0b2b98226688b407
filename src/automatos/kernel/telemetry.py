"""Logs that can be read, searched and shown to strangers: structured, with the request in them, without secrets."""

import io
import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Final, TextIO, cast

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from automatos.kernel.config import Settings

HIDDEN: Final = "[hidden]"
MAX_DEPTH = 8
QUIET_LOGGERS = ("uvicorn.access", "asyncio", "aiohttp.access", "urllib3", "botocore")
"""Libraries that speak per request or per call; only their warnings are wanted."""

SECRET_NAMES = re.compile(
    r"(?:pass(?:word|wd|phrase)|secret|token|authorization|cookie|credential|"
    r"api[_-]?key|access[_-]?key|private[_-]?key|signature)s?$",
    re.IGNORECASE,
)
"""Field names whose value is never written: the word ends the name, so `total_tokens` is caught and `*_id` is not."""

COUNTED_NAMES = re.compile(r"(?:^|_)tokens$", re.IGNORECASE)
"""Names under which numbers count the tokens of models; text under the same name is a list of secrets."""

SECRET_TEXT = re.compile(
    r"(?P<scheme>\b(?:Bearer|Basic|ApiKey)\s+)[A-Za-z0-9._~+/=-]{8,}"
    r"|\b(?:sk|pk|rk|ak|xai|gsk|hf|ghp|gho|ghs|ghu|whsec)[-_][A-Za-z0-9_-]{8,}"
    r"|\bAKIA[0-9A-Z]{16}\b"
    r"|\bAIza[0-9A-Za-z_-]{30,}"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"
    r"|(?P<url>://[^/\s:@]*:)[^/\s@]+(?=@)"
    r"|(?P<named>(?:password|passwd|secret|api[_-]?key|access[_-]?token)[\"']?\s*[=:]\s*[\"']?)[^\s\"'&,;]+",
    re.IGNORECASE,
)
"""What keys of the usual providers, tokens, and passwords in addresses and query strings look like inside text."""


def hide_secrets(text: str) -> str:
    """Return the text with everything that looks like a key, token or password replaced."""
    return SECRET_TEXT.sub(_replacement, text)


def _replacement(found: re.Match[str]) -> str:
    return (found["scheme"] or found["url"] or found["named"] or "") + HIDDEN


def scrub(value: Any, depth: int = 0) -> Any:
    """Return a copy of a logged value without secrets, whether they hide in names, text or nested values."""
    if isinstance(value, str):
        return hide_secrets(value)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if depth >= MAX_DEPTH:
        return "[nested too deeply]"
    if isinstance(value, Mapping):
        entries = cast("Mapping[Any, Any]", value).items()
        return {str(name): _scrub_named(str(name), item, depth) for name, item in entries}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [scrub(item, depth + 1) for item in cast("list[Any]", value)]
    return hide_secrets(str(value))


def _scrub_named(name: str, value: Any, depth: int) -> Any:
    is_secret = SECRET_NAMES.search(name) and not (COUNTED_NAMES.search(name) and _is_count(value))
    return HIDDEN if is_secret and value is not None else scrub(value, depth + 1)


def _is_count(value: Any) -> bool:
    """Say whether a value is a number, or numbers by name."""
    if isinstance(value, Mapping):
        return all(_is_count(each) for each in cast("Mapping[Any, Any]", value).values())
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _scrub_event(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    return cast("EventDict", scrub(event))


def _drop_color_message(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Drop the second, coloured copy of its message that uvicorn attaches."""
    event.pop("color_message", None)
    return event


def _render_json(_: WrappedLogger, __: str, event: MutableMapping[str, Any]) -> str:
    try:
        return orjson.dumps(event, default=str).decode()
    except TypeError:
        return orjson.dumps({name: ascii(value) for name, value in event.items()}).decode()


class _StandardError(io.TextIOBase):
    """Standard error as it is at the moment of writing: test runners and daemons put another one in its place."""

    def write(self, text: str, /) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


class _OwnHandler(logging.StreamHandler[_StandardError]):
    """The one handler that we put on the root logger."""


def configure_logging(settings: Settings) -> None:
    """Send every log line of this process, ours and the libraries', to standard error in one format.

    `log_format` is `json`, `text`, or `auto`: text on a terminal and JSON elsewhere. May be called again.
    """
    is_text = settings.log_format == "text" or (settings.log_format == "auto" and sys.stderr.isatty())
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _scrub_event,
    ]
    renderer: Processor = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback) if is_text else _render_json
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _StandardError())),
        cache_logger_on_first_use=False,
    )
    handler = _OwnHandler(_StandardError())
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name, _drop_color_message, *shared],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    ))
    root = logging.getLogger()
    root.handlers[:] = [*(each for each in root.handlers if not isinstance(each, _OwnHandler)), handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        library = logging.getLogger(name)
        library.handlers[:] = []
        library.propagate = True
    for name in QUIET_LOGGERS:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
