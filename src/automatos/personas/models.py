"""Table: personas."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Boolean, DateTime, ForeignKey, Index, Numeric, String, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from automatos.kernel.db import Base
from automatos.kernel.ids import new_id

AWARE = DateTime(timezone=True)


class Persona(Base):
    """A voice an agent can speak with; global ones belong to no workspace and come with the product."""

    __tablename__ = "personas"
    __table_args__ = (
        Index("uq_personas_slug", "workspace_id", "slug", unique=True, postgresql_nulls_not_distinct=True),
        Index("ix_personas_scope", "scope", "workspace_id"),
        Index("ix_personas_category", "category"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    workspace_id: Mapped[UUID | None] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    scope: Mapped[str] = mapped_column(String(20))
    slug: Mapped[str] = mapped_column(String(120))
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text, server_default="")
    system_prompt: Mapped[str] = mapped_column(Text)
    voice_description: Mapped[str] = mapped_column(String(500), server_default="")
    category: Mapped[str] = mapped_column(String(100))
    tags: Mapped[list[str]] = mapped_column(JSONB, server_default="[]")
    suggested_temperature: Mapped[Decimal | None] = mapped_column(Numeric(3, 2))
    suggested_models: Mapped[list[str]] = mapped_column(JSONB, server_default="[]")
    source: Mapped[str] = mapped_column(String(20), server_default="manual")
    is_active: Mapped[bool] = mapped_column(Boolean, server_default="true")
    version: Mapped[int] = mapped_column(server_default="1")
    created_by: Mapped[str] = mapped_column(String(320), server_default="")
    created_at: Mapped[datetime] = mapped_column(AWARE, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(AWARE, server_default=func.now())
