"""Words of this package: who asks, in which role, for which workspace."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

ALL_WORKSPACES = "__all__"
"""What a system admin names instead of a workspace to read across all of them."""

SESSION_COOKIE = "automatos_session"


class Role(StrEnum):
    """What a member may do in a workspace; ordered, so that `role >= Role.EDITOR` reads as it says."""

    VIEWER = "viewer"
    EDITOR = "editor"
    ADMIN = "admin"
    OWNER = "owner"

    def __lt__(self, other: str) -> bool:
        return _RANK[self] < _RANK[Role(other)]

    def __le__(self, other: str) -> bool:
        return _RANK[self] <= _RANK[Role(other)]

    def __gt__(self, other: str) -> bool:
        return _RANK[self] > _RANK[Role(other)]

    def __ge__(self, other: str) -> bool:
        return _RANK[self] >= _RANK[Role(other)]


_RANK = {role: rank for rank, role in enumerate(Role)}


class SystemRole(StrEnum):
    """What a person may do on the whole server."""

    USER = "user"
    ADMIN = "admin"


class AuthMethod(StrEnum):
    """How a caller proved who they are."""

    SESSION = "session"
    JWT = "jwt"
    API_KEY = "api_key"
    PLATFORM_KEY = "platform_key"
    NONE = "none"


class SessionOrigin(StrEnum):
    """What a session was opened for."""

    PASSWORD = "password"  # noqa: S105 - a word
    PROVIDER = "provider"
    TOKEN = "token"  # noqa: S105 - a word


class KeyOwner(StrEnum):
    """Whose an API key is: it ends with its maker's membership, or stays until somebody revokes it."""

    PERSON = "person"
    WORKSPACE = "workspace"


class KeyState(StrEnum):
    """Whether a key that nobody revoked is taken today, and why not."""

    WORKS = "works"
    EXPIRED = "expired"
    MAKER_LEFT = "maker_left"
    MAKER_UNVOUCHED = "maker_unvouched"


class KeyType(StrEnum):
    """Where an API key may live: on a server, or in a page that anybody can read."""

    SERVER = "server"
    PUBLIC = "public"


class ActorKind(StrEnum):
    """Who an entry of the audit log is about, whatever name they chose; `unrecorded` in entries of older versions."""

    PERSON = "person"
    API_KEY = "api_key"
    PLATFORM_KEY = "platform_key"
    LOCAL_USER = "local_user"
    SERVER = "server"
    UNRECORDED = "unrecorded"


class Carrier(StrEnum):
    """Which part of a request brought the credential."""

    BEARER = "bearer"
    API_KEY = "api_key"
    COOKIE = "cookie"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class UserRef:
    """A person, as far as other packages need to know them."""

    id: int
    email: str | None
    name: str
    system_role: SystemRole = SystemRole.USER


@dataclass(frozen=True, slots=True)
class Membership:
    """A workspace as one of its members sees it in their list."""

    id: UUID
    name: str
    slug: str
    is_personal: bool
    role: Role


@dataclass(frozen=True, slots=True)
class Tenant:
    """A workspace as the server's system admins see it; `owner` is an email address or a name."""

    id: UUID
    name: str
    slug: str
    is_personal: bool
    owner: str | None
    members: int
    plan_limits: dict[str, Any]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Member:
    """A person in a workspace."""

    user_id: int
    email: str | None
    name: str
    role: Role
    joined_at: datetime


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries of the audit log are wanted; what is None does not matter.

    `action` is one action (`member.removed`) or all of a noun (`member`), `actor` a part of a name, in any case,
    `without` an action that is left out.
    """

    action: str | None = None
    actor: str | None = None
    target_type: str | None = None
    target_id: str | None = None
    without: str | None = None
    user_id: int | None = None
    api_key_id: UUID | None = None
    carrier: str | None = None
    client_address: str | None = None


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """An entry of the audit log, as far as other packages need to know it."""

    id: int
    actor: str
    action: str
    detail: dict[str, Any]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Presented:
    """What one request shows for itself, read but not yet believed.

    `workspace` is the workspace the request names, None when it names none; `wants_all` says that it names all of them.
    """

    carrier: Carrier
    secret: str = field(repr=False)
    workspace: UUID | None = None
    wants_all: bool = False
    request_id: str = ""
    client_address: str = ""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, for which workspace, with which role: the request context that every service works by.

    `user` is None for keys and in single-user mode. `all_workspaces` is only ever true on read routes that ask for
    it and for system admins; `workspace_id` is then the one they would otherwise be in. `proof` is the digest of the
    credential and `valid_until` its end, by which a long stream asks whether its caller is still welcome. `issuer` and
    `organisation` are whom the identity provider vouches for now.
    """

    user: UserRef | None
    workspace_id: UUID
    role: Role
    auth_method: AuthMethod
    api_key_id: UUID | None = None
    api_key_name: str = ""
    is_system_admin: bool = False
    all_workspaces: bool = False
    request_id: str = ""
    client_address: str = ""
    proof: bytes = field(default=b"", repr=False)
    valid_until: datetime | None = None
    carrier: Carrier = Carrier.NOTHING
    issuer: str | None = None
    organisation: str | None = None
    organisation_role: Role | None = None
    actor: str = field(init=False)
    """The name this caller goes by in the audit log and in `created_by`: an email address or a key's name."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "actor", self._name())

    @property
    def reach(self) -> UUID | None:
        """The workspace that this caller's lists are read in; None for all of them."""
        return None if self.all_workspaces else self.workspace_id

    def _name(self) -> str:
        if self.user:
            return self.user.email or self.user.name or f"user {self.user.id}"
        if self.auth_method is AuthMethod.API_KEY:
            return f"API key {self.api_key_name}"
        return "platform key" if self.auth_method is AuthMethod.PLATFORM_KEY else "local user"
