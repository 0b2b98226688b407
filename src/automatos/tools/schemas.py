"""What clients get about tools."""

from typing import Any

from automatos.kernel.schemas import Out
from automatos.tools.types import Effect


class BuiltinTool(Out):
    """A built-in tool, and why it is off on this server when it is."""

    name: str
    description: str
    parameters: dict[str, Any]
    effect: Effect
    is_available: bool
    off_reason: str | None


class BuiltinTools(Out):
    """Every built-in tool."""

    items: list[BuiltinTool]
    total: int
