"""Tables: heartbeats, what agents check by themselves, and what came of each."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, DateTime, ForeignKey, Index, Integer, String, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from automatos.kernel.db import Base
from automatos.kernel.ids import new_id

AWARE = DateTime(timezone=True)


class Heartbeat(Base):
    """When an agent checks in by itself. `anchor_at` is where its intervals are counted from; `watched` is the
    fingerprint of what it watches, as of the last beat that ran."""

    __tablename__ = "heartbeats"
    __table_args__ = (Index("ix_heartbeats_due", "next_at", postgresql_where=text("next_at IS NOT NULL")),)

    agent_id: Mapped[int] = mapped_column(ForeignKey("agents.id", ondelete="CASCADE"), primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), index=True)
    is_enabled: Mapped[bool] = mapped_column(Boolean, server_default="false")
    config: Mapped[dict[str, object]] = mapped_column(JSONB, server_default="{}")
    version: Mapped[int] = mapped_column(Integer, server_default="1")
    anchor_at: Mapped[datetime] = mapped_column(AWARE, server_default=func.now())
    next_at: Mapped[datetime | None] = mapped_column(AWARE)
    watched: Mapped[dict[str, object] | None] = mapped_column(JSONB)
    updated_at: Mapped[datetime] = mapped_column(AWARE, server_default=func.now())


class HeartbeatResult(Base):
    """What came of one beat: running, success, error, unchanged or skipped; `due_at` is null when a person asked.

    `watched` is what the agent watched, as it was when it was decided to ask the agent; null before that.
    """

    __tablename__ = "heartbeat_results"
    __table_args__ = (
        Index("uq_heartbeat_results_due", "agent_id", "due_at", unique=True),
        Index("ix_heartbeat_results_agent", "agent_id", "id"),
        Index("ix_heartbeat_results_workspace", "workspace_id", "created_at"),
        Index("ix_heartbeat_results_running", "workspace_id", "agent_id", postgresql_where=text("status = 'running'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    agent_id: Mapped[int] = mapped_column(ForeignKey("agents.id", ondelete="CASCADE"))
    due_at: Mapped[datetime | None] = mapped_column(AWARE)
    status: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str | None] = mapped_column(Text)
    execution_id: Mapped[UUID | None] = mapped_column()
    findings: Mapped[list[object]] = mapped_column(JSONB, server_default="[]")
    actions_taken: Mapped[list[object]] = mapped_column(JSONB, server_default="[]")
    tokens_used: Mapped[int] = mapped_column(Integer, server_default="0")
    cost_micro_usd: Mapped[int | None] = mapped_column(BigInteger)
    watched: Mapped[dict[str, object] | None] = mapped_column(JSONB)
    triggered_by: Mapped[str] = mapped_column(String(320), server_default="heartbeat")
    created_at: Mapped[datetime] = mapped_column(AWARE, server_default=func.now())
    finished_at: Mapped[datetime | None] = mapped_column(AWARE)
