"""Saved versions of agents: kept at every save, listed, compared."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents.document_schemas import (
    AgentChange,
    AgentVersionDiff,
    AgentVersionInfo,
    AgentVersionOut,
    AgentVersions,
)
from automatos.agents.documents import definition_of
from automatos.agents.errors import VersionNotFound
from automatos.agents.models import Agent, AgentVersion
from automatos.agents.queries import assigned, records
from automatos.agents.queries import versions as queries

ABSENT = object()


async def describe(session: AsyncSession, agent: Agent) -> dict[str, Any]:
    """Return an agent's definition as it is stored now."""
    personas = [agent.persona_id] if agent.persona_id else []
    found = await assigned.read_companions(session, [agent.workspace_id], [agent.id], personas)
    persona = found.personas.get(agent.persona_id) if agent.persona_id else None
    return definition_of(agent, persona, found.skills.get(agent.id, ()))


async def keep(session: AsyncSession, agent: Agent, author: str) -> None:
    """Keep what a saved agent is, under its version, in the transaction of the save."""
    definition = await describe(session, agent)
    await queries.insert_version(session, agent.workspace_id, agent.id, agent.version, definition, author)


async def list_versions(
    session: AsyncSession, workspace_id: UUID, agent_id: int, *, skip: int, limit: int
) -> AgentVersions:
    """Return an agent's saves, newest first; raises AgentNotFound."""
    await records.get_agent(session, workspace_id, agent_id)
    rows, total = await queries.list_versions(session, workspace_id, agent_id, skip, limit)
    return AgentVersions(items=[AgentVersionInfo.model_validate(row) for row in rows], total=total)


async def get_version(session: AsyncSession, workspace_id: UUID, agent_id: int, version: int) -> AgentVersionOut:
    """Return one save with its definition; raises AgentNotFound, VersionNotFound."""
    return AgentVersionOut.model_validate(await find_version(session, workspace_id, agent_id, version))


async def compare(
    session: AsyncSession, workspace_id: UUID, agent_id: int, before: int, after: int
) -> AgentVersionDiff:
    """Return what changed from one version to another; raises AgentNotFound, VersionNotFound."""
    old = await find_version(session, workspace_id, agent_id, before)
    new = await find_version(session, workspace_id, agent_id, after)
    return AgentVersionDiff(from_version=before, to_version=after, changes=list(changes_between(
        old.definition, new.definition)))


async def find_version(session: AsyncSession, workspace_id: UUID, agent_id: int, version: int) -> AgentVersion:
    """Return the row of one save; raises AgentNotFound, VersionNotFound."""
    agent = await records.get_agent(session, workspace_id, agent_id)
    found = await queries.find_version(session, workspace_id, agent_id, version)
    if found is None:
        raise VersionNotFound(agent.name, version)
    return found


def changes_between(before: Mapping[str, Any], after: Mapping[str, Any], at: str = "") -> Iterator[AgentChange]:
    """Say what differs, setting by setting, in the order of the names; lists count as wholes, absent is null."""
    for name in sorted({*before, *after}):
        old, new = before.get(name, ABSENT), after.get(name, ABSENT)
        path = f"{at}/{name.replace('~', '~0').replace('/', '~1')}"
        if isinstance(old, Mapping) or isinstance(new, Mapping):
            fits = _fit(old, new)
            yield from changes_between(_inside(old), _inside(new), path) if fits else [_change(path, old, new)]
        elif old != new:
            yield _change(path, old, new)


def _fit(old: Any, new: Any) -> bool:
    """Say whether both sides are objects, or one is and the other is not there at all."""
    return all(side is ABSENT or side is None or isinstance(side, Mapping) for side in (old, new))


def _inside(side: Any) -> Mapping[str, Any]:
    return side if isinstance(side, Mapping) else {}


def _change(path: str, old: Any, new: Any) -> AgentChange:
    return AgentChange(path=path, before=None if old is ABSENT else old, after=None if new is ABSENT else new)
