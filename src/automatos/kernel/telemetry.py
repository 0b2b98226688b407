"""Logs that can be read, searched and shown to strangers: structured, with the request in them, without secrets."""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any, Final, cast

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from automatos.kernel.config import Settings
from automatos.kernel.logfiles import LogFile, open_log_file, tell_terminal

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


class _Lines:
    """Takes events: each as JSON to a file and, from warnings on, as text to the terminal; or all to the terminal.

    It is what structlog calls a logger: its methods are the levels, each given what `render` made of the event.
    """

    def __init__(self, file: LogFile | None, to_terminal: Processor) -> None:
        self._file = file
        self._to_terminal = to_terminal

    def render(self, logger: WrappedLogger, method: str, event: EventDict) -> tuple[tuple[EventDict], dict[str, Any]]:
        """Hand the event on whole, because it may be written in two ways."""
        del logger, method
        return (event,), {}

    def _quiet(self, event: EventDict) -> None:
        if self._file:
            self._file.write_line(_render_json(None, "", event))
        else:
            tell_terminal(cast("str", self._to_terminal(None, "", event)))

    def _loud(self, event: EventDict) -> None:
        if self._file:
            self._file.write_line(_render_json(None, "", event))
        tell_terminal(cast("str", self._to_terminal(None, "", event)))

    debug = info = msg = _quiet
    warning = warn = error = exception = critical = fatal = _loud


class _OwnHandler(logging.Handler):
    """The one handler that we put on the root logger: libraries' records go where our own lines go."""

    def __init__(self, lines: _Lines, processors: Sequence[Processor]) -> None:
        super().__init__()
        self._lines = lines
        self._processors = processors

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; a record that cannot be written is left out, as the standard library does."""
        try:
            event: EventDict = {"event": record.getMessage(), "_record": record}
            if record.exc_info:
                event["exc_info"] = record.exc_info
            for process in self._processors:
                event = cast("EventDict", process(None, record.levelname.lower(), event))
            write = self._lines.warning if record.levelno >= logging.WARNING else self._lines.info
            write(event)
        except Exception:  # noqa: BLE001
            self.handleError(record)


def _name_library(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    record: logging.LogRecord = event.pop("_record")
    event["logger"] = record.name
    return event


def configure_logging(settings: Settings, process: str = "server") -> None:
    """Send every log line of this process, ours and the libraries', where `log_format` says. May be called again.

    `json` and `text` are asked for: all lines to standard error in that form. `auto` is for people who started the
    server themselves: all lines as JSON to a file of `home/logs`, only warnings and errors to standard error, as text;
    where the home takes no files, JSON to standard error.
    """
    file = open_log_file(settings.home, process) if settings.log_format == "auto" else None
    is_text = settings.log_format == "text" or file is not None
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _scrub_event,
    ]
    lines = _Lines(file, structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback) if is_text else _render_json)
    structlog.configure(
        processors=[*shared, lines.render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=False,
    )
    handler = _OwnHandler(lines, [_name_library, _drop_color_message, *shared])
    root = logging.getLogger()
    root.handlers[:] = [*(each for each in root.handlers if not isinstance(each, _OwnHandler)), handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        library = logging.getLogger(name)
        library.handlers[:] = []
        library.propagate = True
    for name in QUIET_LOGGERS:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
