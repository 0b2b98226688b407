"""The change detector: what an agent watches, as it is now, and what of it is new since a moment.

It asks the packages that know, and stores what they say; a text that differs means that something changed.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents import service as agents
from automatos.agents.types import AgentSpec
from automatos.heartbeats.configuration import task_digest
from automatos.heartbeats.schemas import HeartbeatSettings
from automatos.heartbeats.types import Watch
from automatos.recipes import service as recipes

JsonObject = dict[str, Any]
OWN, TASK = "own", "task"


class _Watcher(NamedTuple):
    """How something of a workspace is watched: a text that stays the same while it does, and lines of what is new."""

    fingerprint: Callable[[AsyncSession, UUID], Awaitable[str]]
    changed_since: Callable[[AsyncSession, UUID, datetime], Awaitable[list[str]]]


WATCHERS: Mapping[Watch, _Watcher] = {
    Watch.AGENTS: _Watcher(agents.fingerprint, agents.changed_since),
    Watch.RECIPES: _Watcher(recipes.recipes_fingerprint, recipes.recipes_changed_since),
    Watch.RUNS: _Watcher(recipes.runs_fingerprint, recipes.runs_ended_since),
}


async def look(
    session: AsyncSession, workspace_id: UUID, agent: AgentSpec, settings: HeartbeatSettings, at: datetime
) -> JsonObject:
    """Return what an agent watches as it is now: `at`, and by name the fingerprints `seen`."""
    seen = {OWN: str(agent.version), TASK: task_digest(settings)}
    for watch in settings.watch:
        seen[watch.value] = (_skills(agent) if watch is Watch.SKILLS
                             else await WATCHERS[watch].fingerprint(session, workspace_id))
    return {"at": at.isoformat(timespec="seconds"), "seen": seen}


def is_same(before: JsonObject | None, now: JsonObject) -> bool:
    """Say whether nothing that is watched changed between two looks."""
    return before is not None and before["seen"] == now["seen"]


async def changes(
    session: AsyncSession, workspace_id: UUID, agent: AgentSpec, before: JsonObject | None, now: JsonObject
) -> list[str]:
    """Return in lines what changed between two looks, as the agent is told."""
    if before is None:
        return []
    since = datetime.fromisoformat(before["at"])
    lines: list[str] = []
    for name, fingerprint in now["seen"].items():
        if before["seen"].get(name) != fingerprint:
            lines += await _lines(session, workspace_id, agent, name, since)
    return lines


async def _lines(session: AsyncSession, workspace_id: UUID, agent: AgentSpec, name: str, since: datetime) -> list[str]:
    if name == OWN:
        return [f"Your own definition was saved; it is at version {agent.version}"]
    if name == TASK:
        return ["What you are told to check was changed"]
    if name == Watch.SKILLS:
        return [f"Your skill {skill.name!r} is at version {skill.version}" for skill in agent.skills]
    found = await WATCHERS[Watch(name)].changed_since(session, workspace_id, since)
    return found or [f"The {name} of the workspace are no longer what they were"]


def _skills(agent: AgentSpec) -> str:
    return " ".join(f"{skill.id}:{skill.version}" for skill in agent.skills)
