"""Tables: people, sessions, workspaces, members, invitations, API keys, audit log."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from automatos.kernel.db import Base
from automatos.kernel.ids import new_id

JsonObject = dict[str, object]
NOW = func.now()
AWARE = DateTime(timezone=True)


class User(Base):
    """A person who can sign in, locally or through an identity provider."""

    __tablename__ = "users"
    __table_args__ = (Index("uq_users_identity", "issuer", "external_id", unique=True),)

    id: Mapped[int] = mapped_column(Integer, Identity(), primary_key=True)
    email: Mapped[str | None] = mapped_column(String(320), unique=True)
    name: Mapped[str] = mapped_column(String(200), server_default="")
    password_hash: Mapped[str | None] = mapped_column(Text)
    issuer: Mapped[str | None] = mapped_column(String(500))
    external_id: Mapped[str | None] = mapped_column(String(255))
    system_role: Mapped[str] = mapped_column(String(20), server_default="user")
    is_active: Mapped[bool] = mapped_column(Boolean, server_default="true")
    created_at: Mapped[datetime] = mapped_column(AWARE, server_default=NOW)
    last_sign_in_at: Mapped[datetime | None] = mapped_column(AWARE)


class UserSession(Base):
    """One signed-in browser; the cookie's value is never stored, only its SHA-256.

    `id` is what its owner calls it by. `origin` says what it was opened for, `issuer` who vouched; the organisation
    that a token spoke for is reached by the session only until that token ends.
    """

    __tablename__ = "user_sessions"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    id: Mapped[UUID] = mapped_column(unique=True, server_default=text("gen_random_uuid()"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(AWARE, server_default=NOW)
    expires_at: Mapped[datetime] = mapped_column(AWARE)
    last_used_at: Mapped[datetime] = mapped_column(AWARE, server_default=NOW)
    user_agent: Mapped[str] = mapped_column(String(300), server_default="")
    origin: Mapped[str] = mapped_column(String(20), server_default="password")
    issuer: Mapped[str | None] = mapped_column(String(500))
    organisation: Mapped[str | None] = mapped_column(String(255))
    organisation_role: Mapped[str | None] = mapped_column(String(20))
    organisation_until: Mapped[datetime | None] = mapped_column(AWARE)


class Workspace(Base):
    """A tenant: everything people make belongs to exactly one.

    `barred_user_ids` are people whom an admin put out here although their organisation counts them in.
    """

    __tablename__ = "workspaces"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(200))
    slug: Mapped[str] = mapped_column(String(100), unique=True)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    is_personal: Mapped[bool] = mapped_column(Boolean, server_default="false")
    external_org_id: Mapped[str | None] = mapped_column(String(255), unique=True)
    plan_limits: Mapped[JsonObject] = mapped_column(JSONB, server_default="{}")
    settings: Mapped[JsonObject] = mapped_column(JSONB, server_default="{}")
    is_active: Mapped[bool] = mapped_column(Boolean, server_default="true")
    barred_user_ids: Mapped[list[int]] = mapped_column(ARRAY(Integer), server_default="{}")
    created_at: Mapped[datetime] = mapped_column(AWARE, server_default=NOW)


class WorkspaceMember(Base):
    """A person's role in a workspace; in an organisation's, until when their last token of it vouches for them."""

    __tablename__ = "workspace_members"

    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)
    role: Mapped[str] = mapped_column(String(20))
    joined_at: Mapped[datetime] = mapped_column(AWARE, server_default=NOW)
    vouched_until: Mapped[datetime | None] = mapped_column(AWARE)


class WorkspaceInvitation(Base):
    """An open offer of a role to an email address; the token's SHA-256 is stored, never the token."""

    __tablename__ = "workspace_invitations"
    __table_args__ = (
        Index("uq_invitations_pending", "workspace_id", "email", unique=True,
              postgresql_where="accepted_at IS NULL AND revoked_at IS NULL"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), index=True)
    email: Mapped[str] = mapped_column(String(320))
    role: Mapped[str] = mapped_column(String(20))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    invited_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(AWARE, server_default=NOW)
    expires_at: Mapped[datetime] = mapped_column(AWARE)
    accepted_at: Mapped[datetime | None] = mapped_column(AWARE)
    revoked_at: Mapped[datetime | None] = mapped_column(AWARE)


class ApiKey(Base):
    """A key for programs; only its prefix and SHA-256 are stored.

    One that belongs to a person works as long as they are a member and never does more than they may.
    """

    __tablename__ = "api_keys"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    key_prefix: Mapped[str] = mapped_column(String(20))
    key_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    key_type: Mapped[str] = mapped_column(String(20), server_default="server")
    role: Mapped[str] = mapped_column(String(20), server_default="editor")
    belongs_to: Mapped[str] = mapped_column(String(20), server_default="person")
    is_active: Mapped[bool] = mapped_column(Boolean, server_default="true")
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(AWARE, server_default=NOW)
    expires_at: Mapped[datetime | None] = mapped_column(AWARE)
    last_used_at: Mapped[datetime | None] = mapped_column(AWARE)


class AuditEntry(Base):
    """One change of permission, credential, agent state or definition: who, what, when, from where.

    `actor` is a name that people choose; who it was stands in `user_id`, `api_key_id` and `carrier`. They are no
    foreign keys: an entry outlives what it is about, and the application's role may add and read entries, no more.
    """

    __tablename__ = "audit_log"
    __table_args__ = (Index("ix_audit_log_workspace", "workspace_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    actor: Mapped[str] = mapped_column(String(320))
    action: Mapped[str] = mapped_column(String(100))
    target_type: Mapped[str] = mapped_column(String(50), server_default="")
    target_id: Mapped[str] = mapped_column(String(100), server_default="")
    detail: Mapped[JsonObject] = mapped_column(JSONB, server_default="{}")
    request_id: Mapped[str] = mapped_column(String(64), server_default="")
    client_address: Mapped[str] = mapped_column(String(64), server_default="")
    user_id: Mapped[int | None] = mapped_column(Integer)
    api_key_id: Mapped[UUID | None] = mapped_column()
    carrier: Mapped[str] = mapped_column(String(20), server_default="")
    created_at: Mapped[datetime] = mapped_column(AWARE, server_default=NOW)
