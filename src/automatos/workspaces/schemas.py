"""What clients send and get."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints, computed_field

from automatos.kernel.schemas import Body, Out, SingleLine
from automatos.kernel.visible import visible, visible_in
from automatos.workspaces.types import (
    ActorKind,
    AuthMethod,
    KeyOwner,
    KeyState,
    KeyType,
    Role,
    SessionOrigin,
    SystemRole,
)

Email = Annotated[
    str,
    StringConstraints(strip_whitespace=True, to_lower=True, min_length=3, max_length=320,
                      pattern=r"^[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+$"),
]
Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$"),
    SingleLine,
]
Slug = Annotated[str, StringConstraints(min_length=2, max_length=100, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
NewPassword = Annotated[str, StringConstraints(min_length=8, max_length=256)]
Chosen = Annotated[str, AfterValidator(visible)]
Token = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Setup(Body):
    """The first account."""

    email: Email
    name: Name
    password: NewPassword
    workspace_name: Name | None = None
    token: Token | None = None


class TakeOver(Body):
    """The one-time token of the link that the server printed; none is needed on the server's own machine."""

    token: Token | None = None


class SignIn(Body):
    """An email address and its password."""

    email: Email
    password: Annotated[str, StringConstraints(min_length=1, max_length=256)]


class PasswordChange(Body):
    """The present password and the new one."""

    current_password: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    new_password: NewPassword


class SessionOut(Out):
    """A signed-in browser or terminal of the caller."""

    id: UUID
    origin: SessionOrigin = Field(description="What it was opened with: a password, a sign-in at the identity "
                                  "provider, or a token of it.")
    issuer: str | None = Field(description="Who vouched; null for a password.")
    organisation_until: datetime | None = Field(
        description="Until when it reaches the workspace of the organisation that was signed in for.")
    user_agent: str = Field(description="What the browser says of itself.")
    created_at: datetime
    last_used_at: datetime = Field(description="To within five minutes.")
    expires_at: datetime
    is_current: bool = Field(description="This request came with it.")

    @classmethod
    def of(cls, held: object, *, is_current: bool) -> Self:
        """Return a stored session as its owner sees it."""
        shown = (name for name in cls.model_fields if name != "is_current")
        return cls.model_validate({name: getattr(held, name) for name in shown} | {"is_current": is_current})


class SessionList(Out):
    """The caller's sessions that hold, the one used last first."""

    items: list[SessionOut]
    total: int


class SessionsEnded(Out):
    """How many sessions were ended."""

    sessions_ended: int


class WorkspaceNew(Body):
    """A workspace to make."""

    name: Name
    slug: Slug | None = None


class WorkspaceChange(Body):
    """What to change of a workspace; what is left out stays."""

    name: Name | None = None
    slug: Slug | None = None


PlanNumber = Annotated[int, Field(strict=True, ge=-1, le=1_000_000, description="-1 is any number.")]


class PlanChange(Body):
    """How many of each a workspace may have, -1 for any number; what is left out stays."""

    max_agents: PlanNumber | None = None
    max_workflows: PlanNumber | None = None
    max_members: PlanNumber | None = None


class TenantChange(Body):
    """What a system admin changes of a workspace."""

    plan_limits: PlanChange


class InvitationNew(Body):
    """Whom to invite, as what."""

    email: Email
    role: Role = Role.EDITOR


class RoleChange(Body):
    """The new role of a member."""

    role: Role


class InvitationAcceptance(Body):
    """The token of an invitation's link."""

    token: Token


class SignUp(Body):
    """A new account for an invited address."""

    token: Token
    name: Name
    password: NewPassword


class ApiKeyNew(Body):
    """An API key to make."""

    name: Name
    role: Role | None = Field(None, description="Editor for server keys and viewer for public ones, unless said.")
    key_type: KeyType = KeyType.SERVER
    expires_at: AwareDatetime | None = None
    belongs_to: KeyOwner = Field(
        KeyOwner.PERSON, description="A person's key ends with their membership; an owner may make one for all.")


class AuthConfig(Out):
    """What a browser must know before anybody is signed in."""

    mode: Literal["local", "clerk", "oidc", "none"]
    provider: str | None = Field(description="What the identity provider is called on the button.")
    passwords: bool = Field(description="Whether anybody can sign in with a password.")
    needs_setup: bool = Field(description="The first account, with a password, is still to be made.")
    needs_admin: bool = Field(description="Nobody administers the server yet; whoever signs in can take it over.")
    clerk_publishable_key: str | None
    version: str
    demo: bool


class SignedOut(Out):
    """Where to go after signing out: the provider's own page where it offers one."""

    url: str


class UserOut(Out):
    """A person."""

    id: int
    email: str | None
    name: str
    system_role: SystemRole


class MembershipOut(Out):
    """A workspace and the caller's role in it."""

    id: UUID
    name: str
    slug: str
    role: Role
    is_personal: bool


class Me(Out):
    """Who asks, where they may work, and where they are; `user` is null for keys and in single-user mode."""

    user: UserOut | None
    workspaces: list[MembershipOut]
    workspace_id: UUID
    role: Role
    auth_method: AuthMethod
    is_system_admin: bool


class WorkspaceList(Out):
    """The caller's workspaces."""

    items: list[MembershipOut]
    total: int


class PlanLimits(Out):
    """How many a workspace may have of each; -1 is no limit. Recipes are its workflows."""

    max_agents: int = -1
    max_workflows: int = -1
    max_members: int = -1


class WorkspaceOut(Out):
    """A workspace."""

    id: UUID
    name: str
    slug: str
    is_personal: bool
    plan_limits: PlanLimits
    created_at: datetime


class TenantOut(Out):
    """A workspace as a system admin sees it."""

    id: UUID
    name: Chosen
    slug: str
    is_personal: bool
    owner: Chosen | None = Field(description="The email address or the name of its owner.")
    members: int
    plan_limits: PlanLimits
    created_at: datetime


class TenantPage(Out):
    """A page of the server's workspaces; `next_cursor` leads to the next."""

    items: list[TenantOut]
    next_cursor: UUID | None


class MemberOut(Out):
    """A member."""

    user_id: int
    email: str | None
    name: str
    role: Role
    joined_at: datetime


class InvitationOut(Out):
    """An open invitation."""

    id: UUID
    email: str
    role: Role
    created_at: datetime
    expires_at: datetime


class InvitationMade(InvitationOut):
    """A new invitation with its token and link, shown once."""

    token: str
    url: str


class BarredOut(Out):
    """Somebody who was put out of a workspace here and may be let in again."""

    user_id: int
    email: str | None
    name: str


class MemberList(Out):
    """The members of a workspace, and for admins its open invitations and those who were put out of it here."""

    items: list[MemberOut]
    total: int
    invitations: list[InvitationOut]
    barred_user_ids: list[int] = Field(
        description="Members of the workspace's organisation whom an admin put out here; no token lets them in.")
    barred: list[BarredOut] = Field(description="The same people by name.")


class Accepted(Out):
    """The workspace an invitation led to."""

    workspace_id: UUID


class ApiKeyOut(Out):
    """An API key, without its text."""

    id: UUID
    name: str
    key_prefix: str
    key_type: KeyType
    role: Role
    belongs_to: KeyOwner
    created_by: int | None = Field(description="The account of the person who made it.")
    made_by: str | None = Field(description="The email address or the name of that person.")
    state: KeyState = Field(
        description="Whether it is taken today. `maker_left`: it belongs to somebody who is no member any more; revoke "
        "it and make another. `maker_unvouched`: the sign-in of its owner at the organisation has run out; it works "
        "again once they sign in.")
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None

    @classmethod
    def of(cls, key: object, made_by: str | None, state: KeyState) -> "ApiKeyOut":
        """Return a stored key as its workspace sees it."""
        shown = (name for name in ApiKeyOut.model_fields if name not in {"made_by", "state"})
        return ApiKeyOut.model_validate(
            {name: getattr(key, name) for name in shown} | {"made_by": made_by, "state": state})


class ApiKeyMade(ApiKeyOut):
    """A new API key with its text, shown once."""

    key: str


class ApiKeyList(Out):
    """The active API keys of a workspace."""

    items: list[ApiKeyOut]
    total: int


class AuditOut(Out):
    """One entry of the audit log; characters that nobody sees are written out in what people chose, as `[U+202E]`."""

    id: int
    workspace_id: UUID
    actor: Chosen = Field(description="The name they went by: chosen by people, and no proof of who it was.")
    action: str
    target_type: str
    target_id: str
    detail: Annotated[dict[str, object], AfterValidator(visible_in)]
    request_id: str
    client_address: str = Field(description="The address the request came from.")
    user_id: int | None = Field(description="The account that acted.")
    api_key_id: UUID | None = Field(description="The API key that acted.")
    carrier: str = Field(description="How they came: cookie, bearer, api_key, platform_key, nothing, or server.")
    created_at: datetime

    @computed_field
    @property
    def actor_kind(self) -> ActorKind:
        """Who it was, whatever they are called."""
        if self.user_id is not None:
            return ActorKind.PERSON
        return ActorKind.API_KEY if self.api_key_id else _KINDS.get(self.carrier, ActorKind.UNRECORDED)


_KINDS = {"platform_key": ActorKind.PLATFORM_KEY, "nothing": ActorKind.LOCAL_USER, "server": ActorKind.SERVER}


class AuditPage(Out):
    """A page of the audit log, the newest first; `next_cursor` leads to older entries."""

    items: list[AuditOut]
    next_cursor: str | None
