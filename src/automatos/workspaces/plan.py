"""How many of a thing a workspace may have: what its plan says, held wherever one more is made."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.kernel.errors import Problem
from automatos.workspaces import queries


class PlanLimit(StrEnum):
    """What a plan limits, by the name it is stored under; recipes are the workflows that people make here."""

    AGENTS = "max_agents"
    RECIPES = "max_workflows"
    MEMBERS = "max_members"


@dataclass(frozen=True, slots=True)
class Counted:
    """A limited thing as people call it, and how room is made for one more."""

    nouns: str
    instead: str


COUNTED = {
    PlanLimit.AGENTS: Counted("agents", "Archive or delete one first"),
    PlanLimit.RECIPES: Counted("recipes", "Delete one first"),
    PlanLimit.MEMBERS: Counted("members and open invitations", "Remove or withdraw one first"),
}


class PlanLimitReached(Problem):
    """The workspace has as many of something as its plan allows."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "plan_limit_reached"
    title: ClassVar[str] = "The workspace's plan allows no more"

    def __init__(self, limit: PlanLimit, most: int, there: int) -> None:
        counted = COUNTED[limit]
        super().__init__(
            f"This workspace may have {most} {counted.nouns} and has {there}. {counted.instead}, work in a shared "
            "workspace, or ask whoever administers the server for more.",
            limit_name=limit.value, limit=most, used=there)


def limit_of(plan_limits: Mapping[str, object], limit: PlanLimit) -> int | None:
    """Return how many a plan allows, None for any number; -1 is stored for that."""
    most = plan_limits.get(limit)
    return most if isinstance(most, int) and most >= 0 else None


async def hold_room(session: AsyncSession, workspace_id: UUID) -> None:
    """Hold off others who make limited things here, before a transaction locks rows that they may lock too."""
    limits = await queries.read_plan_limits(session, workspace_id)
    if any(limit_of(limits, each) is not None for each in COUNTED):
        await queries.read_plan_limits(session, workspace_id, lock=True)


async def require_room(
    session: AsyncSession, workspace_id: UUID, limit: PlanLimit, count: Callable[[], Awaitable[int]]
) -> None:
    """Refuse one more than the workspace's plan allows.

    Where there is a limit, whoever makes one waits for the others who do: two at once cannot pass it together.

    Raises:
        PlanLimitReached: there are as many as there may be.
    """
    if limit_of(await queries.read_plan_limits(session, workspace_id), limit) is None:
        return
    most = limit_of(await queries.read_plan_limits(session, workspace_id, lock=True), limit)
    if most is not None and (there := await count()) >= most:
        raise PlanLimitReached(limit, most, there)
