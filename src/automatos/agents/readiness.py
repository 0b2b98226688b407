"""Readiness: whether an agent has on this server what it needs to work."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from automatos.llm.service import ModelClient
from automatos.llm.types import ModelChoice
from automatos.tools.types import ToolCatalogue


@dataclass(frozen=True, slots=True)
class Readiness:
    """The checks an agent passes before it is active: its model can be asked, its tools work here."""

    models: ModelClient
    tools: ToolCatalogue

    async def find_faults(self, workspace_id: UUID, model: ModelChoice | None, tools: Iterable[str]) -> list[str]:
        """Return every reason why an agent with this model and these tools cannot work, in whole sentences."""
        faults = [f"Its tool {name} is off: {reason}" for name in tools if (reason := self.tools.off_reason(name))]
        if obstacle := await self.models.find_obstacle(workspace_id, model):
            faults.insert(0, f"Its model cannot be asked: {obstacle}")
        return faults
