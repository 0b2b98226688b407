"""Words of the tools room: what a tool is, what a call carries, what comes back."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol
from uuid import UUID

from automatos.llm.types import ToolSpec

JsonObject = dict[str, Any]
DEFAULT_DEADLINE_S = 60.0


class Effect(StrEnum):
    """Whether a call can change something outside the conversation."""

    READ = "read"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a call gave: the text the model reads, and a stable code when it failed."""

    ok: bool
    output: str
    error_code: str | None = None


@dataclass(frozen=True, slots=True)
class ResourceLimits:
    """How much of the machine an agent's calls may take, as the agent's configuration says.

    `memory_mb` and `cpu_percent` (of one processor, over the time a call may last) hold sandboxed commands;
    `network_bandwidth`, in megabits a second, is how fast web tools read.
    """

    memory_mb: int
    cpu_percent: int
    network_bandwidth: int


@dataclass(frozen=True, slots=True)
class ToolContext:
    """For whom a call is made and within which limits.

    `call_key` names this call for good ("execution:step:turn:call"): the same key after a crash means the same call.
    `allowed` is what the agent was granted. `home` is the folder of the execution; tools keep their files inside it.
    `handed` are tools that the run carries with it; one is called only when its name is granted too. Without `limits`
    the server's own hold.
    """

    workspace_id: UUID
    agent_id: int | None
    execution_id: UUID | None
    run_id: UUID | None
    call_key: str
    allowed: frozenset[str]
    deadline_s: float
    home: Path
    handed: Mapping[str, "HandedTool"] = field(default_factory=lambda: MappingProxyType({}))
    limits: ResourceLimits | None = None


@dataclass(frozen=True, slots=True)
class HandedTool:
    """A tool that a higher room made for one run: what the model is told, and what answers.

    `run` gets arguments that fit the spec's JSON Schema and returns what the model reads; it raises
    `tools.errors.ToolRefused` for what it will not or cannot do.
    """

    spec: ToolSpec
    run: Callable[[JsonObject, ToolContext], Awaitable[str]]
    effect: Effect = Effect.READ
    deadline_s: float = DEFAULT_DEADLINE_S


@dataclass(frozen=True, slots=True)
class Script:
    """A program that came with a skill: its files by path, which of them to run, and what it is told as JSON.

    The ending of `command` says what runs it: `.py` Python, `.sh` the POSIX shell.
    """

    files: Mapping[str, bytes]
    command: str
    arguments: JsonObject


@dataclass(frozen=True, slots=True)
class ToolInfo:
    """A built-in tool as people see it; `off_reason` says why this server cannot offer it."""

    name: str
    description: str
    parameters: JsonObject
    effect: Effect
    off_reason: str | None = None

    @property
    def is_available(self) -> bool:
        """Whether agents can be offered this tool here and now."""
        return self.off_reason is None


class ToolCatalogue(Protocol):
    """What the toolbox tells people: which tools exist and which of them work here."""

    def available(self) -> list[ToolInfo]:
        """Return every built-in tool by name, each with why it is off when it is."""
        ...

    def off_reason(self, name: str) -> str | None:
        """Return why a tool cannot be used on this server; None when it can."""
        ...
