"""Tables: runs of one agent and their turns, the journal that makes a run resumable.

They have no foreign keys: what a key names would be looked up and locked for every row that is appended. Row-level
security checks the workspace. All are written under a lock on their execution, and go with it by a trigger there; the
agent's number is history and outlives the agent.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Index, Integer, String, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from automatos.kernel.db import Base

AWARE = DateTime(timezone=True)


class AgentRun(Base):
    """One agent at work on one prompt; `opening` holds the messages it started with, so a resume needs nothing else."""

    __tablename__ = "agent_runs"
    __table_args__ = (Index("ix_agent_runs_execution", "execution_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column()
    agent_id: Mapped[int] = mapped_column(Integer)
    execution_id: Mapped[UUID | None] = mapped_column()
    opening: Mapped[dict[str, object]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(AWARE, server_default=func.now())


class RunTurn(Base):
    """One entry of the journal: a model's answer with its tool calls, or one tool's result; appended, never changed."""

    __tablename__ = "run_turns"
    __table_args__ = (Index("ix_run_turns_age", "created_at", postgresql_using="brin"),)

    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column()
    kind: Mapped[str] = mapped_column(String(10))
    body: Mapped[dict[str, object]] = mapped_column(JSONB)
    input_tokens: Mapped[int] = mapped_column(Integer, server_default="0")
    output_tokens: Mapped[int] = mapped_column(Integer, server_default="0")
    cost_micro_usd: Mapped[int | None] = mapped_column(BigInteger)
    duration_ms: Mapped[int] = mapped_column(Integer, server_default="0")
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(AWARE, server_default=func.now())
