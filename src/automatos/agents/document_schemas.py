"""What clients send and get about agents as documents: saved versions, export and import."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from automatos.agents.configuration import AgentFile
from automatos.kernel.schemas import Body, Out

MAX_DOCUMENTS = 100
MAX_YAML_CHARS = 1_000_000

VersionNumber = Annotated[int, Field(ge=1, le=2**31 - 1)]


class AgentImport(Body):
    """Agents as documents: YAML text with one or several, or the same as JSON."""

    yaml: Annotated[str, Field(min_length=1, max_length=MAX_YAML_CHARS)] | None = None
    documents: Annotated[list[AgentFile], Field(min_length=1, max_length=MAX_DOCUMENTS)] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.yaml is None) == (self.documents is None):
            raise ValueError("give either yaml or documents")
        return self


class AgentVersionInfo(Out):
    """One saved state of an agent, without its content."""

    version: int
    author: str
    created_at: datetime


class AgentVersions(Out):
    """An agent's saved versions, newest first."""

    items: list[AgentVersionInfo]
    total: int


class AgentVersionOut(AgentVersionInfo):
    """One saved state of an agent, as export would give it."""

    definition: dict[str, Any]


class AgentChange(Out):
    """One difference: where (`/configuration/timeout_seconds`), and the value on either side; null where absent."""

    path: str
    before: Any
    after: Any


class AgentVersionDiff(Out):
    """What changed between two versions; `from` is the older side of the comparison."""

    from_version: int = Field(serialization_alias="from")
    to_version: int = Field(serialization_alias="to")
    changes: list[AgentChange]


class ImportedAgent(Out):
    """What the import did with one document."""

    id: int
    name: str
    action: Literal["created", "updated", "unchanged"]


class ImportResult(Out):
    """What the import did with each document, in order."""

    items: list[ImportedAgent]
