"""Words of the tools room: what a tool is, what a call carries, what comes back."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

JsonObject = dict[str, Any]


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
class ToolContext:
    """For whom a call is made and within which limits.

    `call_key` names this call for good ("execution:step:turn:call"): the same key after a crash means the same call.
    `allowed` is what the agent was granted. `home` is the folder of the execution; tools keep their files inside it.
    """

    workspace_id: UUID
    agent_id: int | None
    execution_id: UUID | None
    run_id: UUID | None
    call_key: str
    allowed: frozenset[str]
    deadline_s: float
    home: Path


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
