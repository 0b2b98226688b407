"""SQL of accounts as a server sees them: system admins, passwords; accounts belong to no workspace."""

from collections.abc import Sequence

from sqlalchemy import exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.workspaces.models import User
from automatos.workspaces.types import SystemRole


async def is_any_admin(session: AsyncSession) -> bool:
    """Say whether an active account is system admin."""
    return bool(await session.scalar(select(exists(
        select(User.id).where(User.system_role == SystemRole.ADMIN, User.is_active)
    ))))


async def list_users(session: AsyncSession, system_role: str | None = None) -> Sequence[User]:
    """Return the accounts, or those of one role on the server, the oldest first."""
    statement = select(User).order_by(User.id)
    return (await session.scalars(statement.where(User.system_role == system_role) if system_role else statement)).all()


async def find_users(session: AsyncSession, who: str) -> Sequence[User]:
    """Return the accounts called by this email address, number, or id at the identity provider."""
    names = [User.email == who.lower(), User.external_id == who]
    if who.isdecimal() and len(who) < 10:
        names.append(User.id == int(who))
    return (await session.scalars(select(User).where(or_(*names)).order_by(User.id))).all()


async def set_system_role(session: AsyncSession, user_id: int, system_role: str) -> None:
    """Give a person their role on the whole server."""
    await session.execute(update(User).where(User.id == user_id).values(system_role=system_role))


async def is_any_password(session: AsyncSession) -> bool:
    """Say whether any account has a password."""
    return bool(await session.scalar(select(exists(select(User.id).where(User.password_hash.is_not(None))))))
