"""Logs that can be read, searched and shown to strangers: structured, with the request in them, without secrets."""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping, Sequence
from functools import lru_cache
from typing import Any, cast
from urllib.parse import urlsplit
from uuid import UUID

import orjson
import structlog
from pydantic import SecretStr
from structlog.typing import EventDict, Processor, WrappedLogger

from automatos.kernel.config import Settings
from automatos.kernel.logfiles import LogFile, open_log_file, tell_terminal
from automatos.kernel.secret import HIDDEN

MAX_DEPTH = 8
TRACES = ("exception", "stack")
QUIET_LOGGERS = ("uvicorn.access", "asyncio", "aiohttp.access", "httpx2", "urllib3", "botocore")
"""Libraries that speak per request or per call; only their warnings are wanted."""

SECRET_NAMES = re.compile(
    r"(?:pass(?:word|wd|phrase)|secret|token|authorization|cookie|credential|"
    r"api[_-]?key|access[_-]?key|private[_-]?key|signature)s?$",
    re.IGNORECASE,
)
"""Field names whose value is never written: the word ends the name, so `total_tokens` is caught and `*_id` is not."""

VAGUE_NAMES = re.compile(r"(?:value|key|session|sealed)s?", re.IGNORECASE)
"""Whole names under which secrets are kept and numbers are none."""

COUNTED_NAMES = re.compile(r"(?:^|_)tokens$", re.IGNORECASE)
"""Names under which numbers count the tokens of models; text under the same name is a list of secrets."""

SECRET_TEXT = re.compile(
    # Ours first: session and sign-in cookies, links of set-up and invitation.
    r"(?P<cookie>\bautomatos_\w+=|\b(?:set-)?cookie[\"']?\s*:\s*)[^\r\n\"']+"
    r"|(?P<link>[?&#]token=)[^\s\"'&#]+"
    r"|(?P<scheme>\b(?:Bearer|Basic|ApiKey)\s+)[A-Za-z0-9._~+/=-]{8,}"
    r"|\b(?:sk|pk|rk|ak|xai|gsk|hf|gh[opsu]|whsec|glpat|npm|pypi|dop_v1|github_pat|xox[a-z](?:\.xox[a-z])?)"
    r"[-_](?=[A-Za-z_-]*[0-9A-Z])[A-Za-z0-9_-]{8,}"
    r"|\bya29\.[A-Za-z0-9_-]{8,}"
    r"|\bAKIA[0-9A-Z]{16}\b"
    r"|\bAIza[0-9A-Za-z_-]{30,}"
    r"|(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]++\.[A-Za-z0-9_-]*"
    r"|(?P<hook>\bhooks\.slack\.com/services/)[^\s\"']+"
    r"|(?P<pem>-----BEGIN [A-Z ]*PRIVATE KEY-----)(?s:.*?)(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|(?P<url>://[^/\s:@]*:)[^/\s@]+(?=@)"
    r"|(?P<named>(?:password|passwd|secret|api[_-]?key|secret[_-]?access[_-]?key|private[_-]?key|"
    r"(?:access|refresh|id|session|setup)[_-]?token|(?<![A-Za-z0-9_])token(?=\\?[\"']\s*:|=))"
    r"\\?[\"']?\s*[=:]\s*\\?[\"']?)[^\s\"'&,;\\]+"
    # Values in the words of PostgreSQL and its driver.
    r"|(?P<row>\bDETAIL:  |\binvalid input for query argument \$\d{1,9}\b[^:\n]{0,200}: )[^\n]*"
    r"|(?P<syntax>\binvalid input syntax for type [\w ]{1,200}: )[^\n]*",
    re.IGNORECASE,
)
"""What cookies, links, keys, tokens, and passwords in addresses look like inside text, and values of statements."""

_known: list[re.Pattern[str]] = []
"""The operator's own secrets as they are set: they need no shape."""
KNOWN_LENGTH = 8
LONGEST_KNOWN_NAME = 60
"""Names up to this length are judged once: they are those of our own fields."""


def hide_secrets(text: str) -> str:
    """Return the text with everything that looks like a key, token or password replaced."""
    for known in _known:
        text = known.sub(HIDDEN, text)
    return SECRET_TEXT.sub(_replacement, text)


def _replacement(found: re.Match[str]) -> str:
    return next((kept for kept in found.groupdict().values() if kept), "") + HIDDEN


def hide_settings(settings: Settings) -> None:
    """Hide every secret that the operator set, in any form of text, from now on."""
    values = [value.get_secret_value().strip() for _, value in settings if isinstance(value, SecretStr)]
    parts = [password for value in values if "://" in value and (password := _password_in(value))]
    secrets = sorted({each for each in (*values, *parts) if len(each) >= KNOWN_LENGTH}, key=len, reverse=True)
    _known[:] = [re.compile("|".join(map(re.escape, secrets)))] if secrets else []


def _password_in(address: str) -> str | None:
    try:
        return urlsplit(address).password
    except ValueError:
        return None


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
    return str(value) if type(value) is UUID else hide_secrets(str(value))


def _scrub_named(name: str, value: Any, depth: int) -> Any:
    hides, counts, is_vague = _judge_name(name) if len(name) <= LONGEST_KNOWN_NAME else _judge_name.__wrapped__(name)
    is_secret = hides and not (counts and _is_count(value))
    is_hidden = is_secret or (is_vague and not isinstance(value, (bool, int, float)))
    return HIDDEN if is_hidden and value is not None else scrub(value, depth + 1)


@lru_cache(maxsize=1000)
def _judge_name(name: str) -> tuple[bool, bool, bool]:
    """Say whether a name is that of a secret, of a count of tokens, and one under which secrets are kept."""
    return bool(SECRET_NAMES.search(name)), bool(COUNTED_NAMES.search(name)), bool(VAGUE_NAMES.fullmatch(name))


def _is_count(value: Any) -> bool:
    """Say whether a value is a number, or numbers by name."""
    if isinstance(value, Mapping):
        return all(_is_count(each) for each in cast("Mapping[Any, Any]", value).values())
    return isinstance(value, (int, float)) and not isinstance(value, bool)


OBEYED = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069\\ufeff]")
"""Characters that a terminal obeys instead of showing them: controls, line ends, changes of direction."""


def show_controls(text: str) -> str:
    """Return the text with each character that a terminal would obey written as its number."""
    return OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _show(value: Any) -> Any:
    if isinstance(value, str):
        return show_controls(value)
    if isinstance(value, Mapping):
        return {show_controls(str(name)): _show(item) for name, item in cast("Mapping[Any, Any]", value).items()}
    if isinstance(value, list):
        return [_show(item) for item in cast("list[Any]", value)]
    return value


def _for_terminal(event: EventDict) -> EventDict:
    """Return an event whose values stay on their line; a traceback keeps its lines, each behind a margin."""
    shown: dict[str, Any] = _show({name: item for name, item in event.items() if name not in TRACES})
    traces = {name: "\n".join(f"  | {show_controls(line)}" for line in str(event[name]).split("\n"))
              for name in TRACES if name in event}
    return shown | traces


def _scrub_event(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    return cast("EventDict", scrub(event))


def _drop_color_message(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Drop the second, coloured copy of its message that uvicorn attaches."""
    event.pop("color_message", None)
    return event


def _render_json(_: WrappedLogger, __: str, event: MutableMapping[str, Any]) -> str:
    try:
        line = orjson.dumps(event, default=str).decode()
    except TypeError:
        line = orjson.dumps({name: ascii(value) for name, value in event.items()}).decode()
    return show_controls(line)  # what is left of them is inside of strings, where this is JSON's own escape


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
        structlog.processors.format_exc_info,
        _scrub_event,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    hide_settings(settings)
    console = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)

    def render_text(logger: WrappedLogger, method: str, event: EventDict) -> str:
        return console(logger, method, _for_terminal(event))

    lines = _Lines(file, render_text if is_text else _render_json)
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
        library.setLevel(logging.NOTSET)  # a server that ran in this process before may have set it
    for name in QUIET_LOGGERS:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
