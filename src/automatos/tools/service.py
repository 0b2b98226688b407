"""The toolbox: which tools exist, which an agent was granted, and one guarded way to call them."""

import asyncio
from collections.abc import Awaitable, Mapping
from functools import cache, lru_cache
from itertools import islice
from typing import Any

import orjson
import structlog
from jsonschema.exceptions import ValidationError

from automatos.kernel.config import Settings
from automatos.kernel.errors import DatabaseUnavailable
from automatos.kernel.http import Http
from automatos.llm.types import BeforeCall, ToolSpec
from automatos.tools.builtin import RUNNERS
from automatos.tools.errors import ToolRefused
from automatos.tools.guard import WebGuard
from automatos.tools.registry import ToolDefinition, bounded, definitions, handed_definition
from automatos.tools.room import Folders, Unfinished
from automatos.tools.sandbox import Sandbox
from automatos.tools.scripts import run_script
from automatos.tools.tool_deps import ToolDeps
from automatos.tools.tracker import ToolTracker
from automatos.tools.types import Effect, HandedTool, JsonObject, Script, ToolContext, ToolInfo, ToolResult

__all__ = ["ToolTracker", "Toolbox", "known_names", "read_arguments"]

log = structlog.get_logger(__name__)
MAX_ARGUMENT_CHARS = 2_000_000
MAX_OUTPUT_CHARS = 20_000
SHOWN_FAULTS = 5
SHELL = "shell"
KEPT_SPECS = 256


def known_names() -> frozenset[str]:
    """Return the names of every built-in tool, whether or not this server can offer it."""
    return frozenset(definitions())


class Toolbox:
    """The built-in tools of this process; open it once at start. It owns nothing that must be closed.

    `unfinished` says which executions still need their folder; without it none gives way to others. `until_certain` is
    awaited before each call: it returns when this process may still do its work. `specs` gives what a model is told of
    the built-in tools among some names, and keeps it: after `open` it never changes.
    """

    def __init__(
        self, settings: Settings, http: Http, unfinished: Unfinished | None = None,
        until_certain: BeforeCall | None = None,
    ) -> None:
        self._until_certain = until_certain
        reach = settings.allow_private_urls
        self._web = WebGuard(http.session(allow_private=reach), allow_private=reach)
        self._sandbox = Sandbox()
        self._folders = Folders(settings.workspace_files_mb * 1024**2, unfinished)
        self._probe_folder = settings.home / "sandbox"
        self.specs = lru_cache(KEPT_SPECS)(self._specs)

    async def open(self) -> None:
        """Find out whether commands can be confined on this machine; the shell stays off where they cannot."""
        await self._sandbox.probe(self._probe_folder)
        self.specs.cache_clear()

    def available(self) -> list[ToolInfo]:
        """Return every built-in tool by name, each with why it is off when it is."""
        return [ToolInfo(tool.name, tool.description, tool.parameters, tool.effect, self.off_reason(tool.name))
                for tool in definitions().values()]

    def off_reason(self, name: str) -> str | None:
        """Return why a tool cannot be used on this server; None when it can."""
        if name not in definitions():
            return f"There is no built-in tool {name!r}."
        return self._sandbox.off_reason if name == SHELL else None

    def effect_of(self, name: str) -> Effect | None:
        """Return whether calls of a built-in tool change something; None when there is no such tool."""
        return definitions()[name].effect if name in definitions() else None

    def _specs(self, names: tuple[str, ...]) -> tuple[ToolSpec, ...]:
        """Return what a model is told of the built-in tools among the named ones; those that are off are left out."""
        return tuple(spec for name, spec in _told().items() if name in names and self.off_reason(name) is None)

    def specs_with(self, names: tuple[str, ...], handed: Mapping[str, HandedTool]) -> tuple[ToolSpec, ...]:
        """Return what `specs` does, followed by the handed-down tools among the named ones."""
        wanted = set(names)
        more = (tool.spec for name, tool in handed.items() if name in wanted and name not in _told())
        return (*self.specs(names), *more)

    async def call(self, name: str, arguments: str, context: ToolContext) -> ToolResult:
        """Call a granted tool with JSON text and return what the model reads; a failure is a result too.

        Codes: tool_not_granted, tool_off, invalid_arguments, tool_timeout, tool_failed, and those of the tools. The
        call ends within the shorter of the tool's and the context's time. Only cancellation is raised, and a database
        that is away: then nothing is known of what the tool would have said.
        """
        try:
            tool = self._granted(name, context)
            values = read_arguments(tool, arguments)
            if self._until_certain:
                await self._until_certain()
            async with asyncio.timeout(max(0.0, min(context.deadline_s, tool.deadline_s))):
                output = await self._run(tool.name, values, context)
            return ToolResult(True, presentable(output))
        except ToolRefused as refused:
            return ToolResult(False, presentable(refused.message), refused.code)
        except TimeoutError:
            return ToolResult(False, f"{name} did not finish in time and was stopped.", "tool_timeout")
        except DatabaseUnavailable:
            raise
        except Exception:
            log.exception("tools.call_failed", tool=name, call_key=context.call_key)
            return ToolResult(False, f"{name} failed on the server. Try another way.", "tool_failed")

    async def run_script(self, script: Script, context: ToolContext) -> str:
        """Run a script of a skill in the sandbox and return what it printed, for tools that rooms above hand down.

        Raises:
            ToolRefused: the sandbox is off, or the script failed.
            TimeoutError: it did not end in time.
        """
        return await run_script(script, ToolDeps(context, self._web, self._sandbox, self._folders))

    @property
    def scripts_off_reason(self) -> str | None:
        """Why scripts of skills cannot be run on this server; None when they can."""
        return self._sandbox.off_reason

    def _run(self, name: str, values: JsonObject, context: ToolContext) -> Awaitable[str]:
        if name in definitions():
            return RUNNERS[name](values, ToolDeps(context, self._web, self._sandbox, self._folders))
        return context.handed[name].run(values, context)

    def _granted(self, name: str, context: ToolContext) -> ToolDefinition:
        """Return the tool of that name, if it was granted; no handed-down tool takes the name of a built-in one."""
        tool, handed = definitions().get(name), context.handed.get(name)
        tool = tool or (handed_definition(handed) if handed else None)
        if tool is None or name not in context.allowed:
            granted = ", ".join(sorted(context.allowed)) or "none"
            raise ToolRefused("tool_not_granted", f"{name[:100]!r} is not a tool you were given. Yours: {granted}.")
        if name in definitions() and (reason := self.off_reason(name)):
            raise ToolRefused("tool_off", f"{name} is off on this server: {reason}")
        return tool


@cache
def _told() -> dict[str, ToolSpec]:
    return {tool.name: ToolSpec(tool.name, tool.description, tool.parameters) for tool in definitions().values()}


def read_arguments(tool: ToolDefinition, arguments: str) -> dict[str, Any]:
    """Return a model's arguments as checked values; refuses with the field and the reason."""
    if len(arguments) > MAX_ARGUMENT_CHARS:
        raise ToolRefused("invalid_arguments", f"The arguments are longer than {MAX_ARGUMENT_CHARS} characters.")
    try:
        values: Any = orjson.loads(arguments.strip() or "{}")
    except ValueError as error:  # orjson's own error, and text it cannot encode
        raise ToolRefused("invalid_arguments", f"The arguments of {tool.name} are not JSON: {error}.") from error
    if not isinstance(values, dict):
        raise ToolRefused("invalid_arguments", f"The arguments of {tool.name} must be a JSON object.")
    with bounded():
        faults = [_fault(error) for error in islice(tool.validator.iter_errors(values), SHOWN_FAULTS)]
    if faults:
        raise ToolRefused("invalid_arguments", f"The arguments of {tool.name} are not valid. {'; '.join(faults)}.")
    return values


def _fault(error: ValidationError) -> str:
    field = ".".join(str(part) for part in error.absolute_path) or "arguments"
    if error.validator in {"maxLength", "minLength", "pattern"}:
        return f"{field}: does not fit {error.validator} {error.validator_value}"
    return f"{field}: {error.message[:300]}"


def presentable(output: str) -> str:
    """Return a tool's output as text that can be stored and sent: no NUL, no lone surrogates, 20,000 characters."""
    clean = output.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
    if len(clean) <= MAX_OUTPUT_CHARS:
        return clean
    return f"{clean[:MAX_OUTPUT_CHARS]}\n[cut: {len(clean) - MAX_OUTPUT_CHARS} more characters]"
