"""Table: typed settings, of the system (no workspace) or of one workspace."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, Identity, Index, Integer, String, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from automatos.kernel.db import Base


class SystemSetting(Base):
    """One value, typed string, number, boolean or json; the workspace's row wins over the system's."""

    __tablename__ = "system_settings"
    __table_args__ = (
        Index("uq_settings_key", "workspace_id", "category", "key", unique=True, postgresql_nulls_not_distinct=True),
    )

    id: Mapped[int] = mapped_column(Integer, Identity(), primary_key=True)
    workspace_id: Mapped[UUID | None] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    category: Mapped[str] = mapped_column(String(100))
    key: Mapped[str] = mapped_column(String(100))
    value: Mapped[object] = mapped_column(JSONB)
    value_type: Mapped[str] = mapped_column(String(20))
    updated_by: Mapped[str] = mapped_column(String(320), server_default="")
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
