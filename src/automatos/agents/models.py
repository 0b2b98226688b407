"""Tables: agents, their saved versions, and the skills assigned to them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Boolean, DateTime, ForeignKey, Identity, Index, Integer, String, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from automatos.kernel.db import Base

AWARE = DateTime(timezone=True)
NO_USAGE = (
    '{"total_tokens": 0, "total_cost": "0", "total_requests": 0, "avg_tokens_per_request": 0, "last_used_at": null}'
)


class Agent(Base):
    """An AI worker of a workspace: who it is, which model it uses, which tools it may call.

    `stopping` is there while a graceful or scheduled stop waits for work to end: shutdown_type, target, requested_by,
    requested_at. `status_reason` says why the server set a status by itself.
    """

    __tablename__ = "agents"
    __table_args__ = (
        Index("uq_agents_name", "workspace_id", text("lower(name)"), unique=True,
              postgresql_where=text("status <> 'archived'")),
        Index("ix_agents_workspace_status", "workspace_id", "status"),
        Index("ix_agents_persona", "persona_id", postgresql_where=text("persona_id IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(Integer, Identity(), primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(255))
    slug: Mapped[str | None] = mapped_column(String(255))
    description: Mapped[str | None] = mapped_column(Text)
    agent_type: Mapped[str] = mapped_column(String(100))
    marketplace_category: Mapped[str | None] = mapped_column(String(100))
    status: Mapped[str] = mapped_column(String(50), server_default="inactive")
    configuration: Mapped[dict[str, object]] = mapped_column(JSONB, server_default="{}")
    tags: Mapped[list[str]] = mapped_column(JSONB, server_default="[]")
    llm_config: Mapped[dict[str, object] | None] = mapped_column("model_config", JSONB)
    model_usage_stats: Mapped[dict[str, object]] = mapped_column(JSONB, server_default=NO_USAGE)
    performance_metrics: Mapped[dict[str, object]] = mapped_column(JSONB, server_default="{}")
    persona_id: Mapped[UUID | None] = mapped_column(ForeignKey("personas.id", ondelete="SET NULL"))
    custom_persona_prompt: Mapped[str | None] = mapped_column(Text)
    use_custom_persona: Mapped[bool] = mapped_column(Boolean, server_default="false")
    stopping: Mapped[dict[str, object] | None] = mapped_column(JSONB(none_as_null=True))
    status_reason: Mapped[str | None] = mapped_column(Text)
    status_changed_at: Mapped[datetime] = mapped_column(AWARE, server_default=func.now())
    last_active_at: Mapped[datetime | None] = mapped_column(AWARE)
    version: Mapped[int] = mapped_column(Integer, server_default="1")
    created_by: Mapped[str] = mapped_column(String(320), server_default="api")
    created_at: Mapped[datetime] = mapped_column(AWARE, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(AWARE, server_default=func.now())


class AgentVersion(Base):
    """What an agent was after one save: the whole definition as `agents.schemas` exports it, without its status."""

    __tablename__ = "agent_versions"

    agent_id: Mapped[int] = mapped_column(ForeignKey("agents.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), index=True)
    definition: Mapped[dict[str, object]] = mapped_column(JSONB)
    author: Mapped[str] = mapped_column(String(320), server_default="")
    created_at: Mapped[datetime] = mapped_column(AWARE, server_default=func.now())


class AgentSkill(Base):
    """A skill assigned to an agent; the lowest position comes first in its prompt."""

    __tablename__ = "agent_skills"
    __table_args__ = (Index("ix_agent_skills_skill", "skill_id"),)

    agent_id: Mapped[int] = mapped_column(ForeignKey("agents.id", ondelete="CASCADE"), primary_key=True)
    skill_id: Mapped[int] = mapped_column(ForeignKey("skills.id", ondelete="CASCADE"), primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), index=True)
    position: Mapped[int] = mapped_column(Integer, server_default="0")
    assigned_at: Mapped[datetime] = mapped_column(AWARE, server_default=func.now())
