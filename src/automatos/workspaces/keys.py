"""API keys: for programs, bound to one workspace and one role, shown once."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.kernel.clock import now
from automatos.kernel.ids import new_id
from automatos.kernel.secret import Secret
from automatos.workspaces import queries
from automatos.workspaces.audit import write_audit
from automatos.workspaces.errors import ApiKeyNotFound, GrantTooHigh
from automatos.workspaces.models import ApiKey, User, WorkspaceMember
from automatos.workspaces.tokens import digest, new_key, shown_prefix
from automatos.workspaces.types import Caller, KeyOwner, KeyState, KeyType, Role


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A key that was just made, with its text that is shown once and never stored."""

    key: ApiKey
    text: Secret
    made_by: str | None = None


@dataclass(frozen=True, slots=True)
class HeldKey:
    """A key as its workspace sees it: who made it, and whether it is taken today."""

    key: ApiKey
    made_by: str | None
    state: KeyState = KeyState.WORKS


async def list_keys(session: AsyncSession, caller: Caller) -> list[HeldKey]:
    """Return the active keys of the caller's workspace, the newest first, those that are not taken today too."""
    return [HeldKey(key, user and (user.email or user.name), _state(key, user, member, is_vouched_for))
            for key, user, member, is_vouched_for in await queries.list_keys(session, caller.workspace_id)]


def _state(key: ApiKey, user: User | None, member: WorkspaceMember | None, is_vouched_for: bool) -> KeyState:
    """Say for people what `queries.entering` decides for each request."""
    if key.expires_at is not None and key.expires_at <= now():
        return KeyState.EXPIRED
    if key.belongs_to == KeyOwner.WORKSPACE or key.created_by is None:
        return KeyState.WORKS
    if user is None or not user.is_active or member is None:
        return KeyState.MAKER_LEFT
    if is_vouched_for and (member.vouched_until is None or member.vouched_until <= now()):
        return KeyState.MAKER_UNVOUCHED
    return KeyState.WORKS


async def create_key(
    session: AsyncSession, caller: Caller, *, name: str, key_type: KeyType, role: Role, expires_at: datetime | None,
    belongs_to: KeyOwner = KeyOwner.PERSON,
) -> IssuedKey:
    """Make a key for the caller's workspace.

    A person's key ends with their membership; an owner may make one that is the workspace's and stays. A key made with
    a key is whosever that one is.

    Raises:
        GrantTooHigh: the role is above the caller's own, or above viewer for a public key; or one who is no owner makes
            a key for the workspace.
    """
    maker, parent = await _find_maker(session, caller)
    if belongs_to is KeyOwner.WORKSPACE and caller.role < Role.OWNER:
        raise GrantTooHigh(Role.OWNER, caller.role)
    owner = KeyOwner.WORKSPACE if maker is None or parent is KeyOwner.WORKSPACE else belongs_to
    ceiling = Role.VIEWER if key_type is KeyType.PUBLIC else caller.role
    if role > ceiling:
        raise GrantTooHigh(role, ceiling)
    text = new_key(key_type)
    key = await queries.insert_key(
        session, id=new_id(), workspace_id=caller.workspace_id, name=name, key_prefix=shown_prefix(text),
        key_hash=digest(text), key_type=key_type, role=role, expires_at=expires_at,
        created_by=maker, belongs_to=owner,
    )
    await write_audit(session, caller, "api_key.created", target_type="api_key", target_id=key.id,
                      detail={"name": name, "role": role, "key_type": key_type, "belongs_to": owner})
    made_by = await queries.find_user(session, maker) if maker is not None else None
    return IssuedKey(key, text, made_by and (made_by.email or made_by.name))


async def revoke_key(session: AsyncSession, caller: Caller, key_id: UUID) -> None:
    """Revoke a key; the next request with it is refused.

    Raises:
        ApiKeyNotFound: the workspace has no such active key.
        GrantTooHigh: the key can do more than the caller.
    """
    key = await queries.find_key(session, caller.workspace_id, key_id)
    if key is None:
        raise ApiKeyNotFound
    if Role(key.role) > caller.role:
        raise GrantTooHigh(Role(key.role), caller.role)
    await queries.revoke_keys(session, caller.workspace_id, key_id=key_id)
    await write_audit(session, caller, "api_key.revoked", target_type="api_key", target_id=key_id,
                      detail={"name": key.name})


async def _find_maker(session: AsyncSession, caller: Caller) -> tuple[int | None, KeyOwner | None]:
    """Return the person behind the caller, and whose the key is that they came with."""
    if caller.user:
        return caller.user.id, None
    if caller.api_key_id is None:
        return None, None
    parent = await queries.find_key(session, caller.workspace_id, caller.api_key_id)
    return (parent.created_by, KeyOwner(parent.belongs_to)) if parent else (None, None)
