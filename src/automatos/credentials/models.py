"""Tables: credential types, and credentials, encrypted."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Boolean, DateTime, ForeignKey, Index, LargeBinary, String, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from automatos.kernel.db import Base
from automatos.kernel.ids import new_id

AWARE = DateTime(timezone=True)


class CredentialType(Base):
    """What a kind of credential is made of: a JSON Schema of its fields, and how one is tested."""

    __tablename__ = "credential_types"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    display_name: Mapped[str] = mapped_column(String(200))
    category: Mapped[str] = mapped_column(String(50))
    description: Mapped[str] = mapped_column(Text, server_default="")
    schema: Mapped[dict[str, object]] = mapped_column(JSONB)
    test_endpoint: Mapped[dict[str, object] | None] = mapped_column(JSONB)
    documentation_url: Mapped[str | None] = mapped_column(String(500))
    is_active: Mapped[bool] = mapped_column(Boolean, server_default="true")


class Credential(Base):
    """Secret values of a workspace, typed, sealed with AES-256-GCM under the server's key.

    `provider` is the model provider it opens; credentials of other kinds have none.
    """

    __tablename__ = "credentials"
    __table_args__ = (Index("uq_credentials_name", "workspace_id", "name", unique=True),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    credential_type: Mapped[str] = mapped_column(String(100))
    provider: Mapped[str | None] = mapped_column(String(100))
    environment: Mapped[str] = mapped_column(String(20), server_default="production")
    description: Mapped[str] = mapped_column(Text, server_default="")
    tags: Mapped[list[str]] = mapped_column(JSONB, server_default="[]")
    expires_at: Mapped[datetime | None] = mapped_column(AWARE)
    base_url: Mapped[str | None] = mapped_column(String(500))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    hint: Mapped[str] = mapped_column(String(20), server_default="")
    is_active: Mapped[bool] = mapped_column(Boolean, server_default="true")
    created_by: Mapped[str] = mapped_column(String(320), server_default="")
    created_at: Mapped[datetime] = mapped_column(AWARE, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(AWARE, server_default=func.now())
    last_used_at: Mapped[datetime | None] = mapped_column(AWARE)
    last_tested_at: Mapped[datetime | None] = mapped_column(AWARE)
    test_status: Mapped[str] = mapped_column(String(20), server_default="not_tested")
    test_message: Mapped[str] = mapped_column(Text, server_default="")
