"""Table: credentials, encrypted."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Boolean, DateTime, ForeignKey, Index, LargeBinary, String, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from automatos.kernel.db import Base
from automatos.kernel.ids import new_id

AWARE = DateTime(timezone=True)


class Credential(Base):
    """A secret of a workspace for one provider, sealed with AES-256-GCM under the server's key."""

    __tablename__ = "credentials"
    __table_args__ = (Index("uq_credentials_name", "workspace_id", "name", unique=True),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    provider: Mapped[str] = mapped_column(String(100))
    base_url: Mapped[str | None] = mapped_column(String(500))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    hint: Mapped[str] = mapped_column(String(20), server_default="")
    is_active: Mapped[bool] = mapped_column(Boolean, server_default="true")
    created_by: Mapped[str] = mapped_column(String(320), server_default="")
    created_at: Mapped[datetime] = mapped_column(AWARE, server_default=func.now())
    last_used_at: Mapped[datetime | None] = mapped_column(AWARE)
    last_tested_at: Mapped[datetime | None] = mapped_column(AWARE)
    test_status: Mapped[str] = mapped_column(String(20), server_default="not_tested")
    test_message: Mapped[str] = mapped_column(Text, server_default="")
