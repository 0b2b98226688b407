"""Tables: runs of one agent and their turns, the journal that makes a run resumable.

What is appended has no foreign keys: what a key names would be looked up and locked for every row. Row-level
security checks the workspace. All are written under a lock on their execution, and go with it by a trigger there; the
agent's number is history and outlives the agent.
"""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index, Integer, String, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from automatos.kernel.db import Base

AWARE = DateTime(timezone=True)


class AgentRunRecord(Base):
    """One agent at work on one prompt; the view `agent_runs` has it with all that it started with in `opening`.

    Here `opening` has what is its own, the prompt and its limits, and `setup_hash` names the rest; in a row of before
    `opening` has all of it.
    """

    __tablename__ = "agent_run_records"
    __table_args__ = (
        Index("ix_agent_runs_execution", "execution_id"),
        Index("ix_agent_run_records_setup", "setup_hash", postgresql_where=text("setup_hash IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column()
    agent_id: Mapped[int] = mapped_column(Integer)
    execution_id: Mapped[UUID | None] = mapped_column()
    opening: Mapped[dict[str, object]] = mapped_column(JSONB)
    setup_hash: Mapped[bytes | None] = mapped_column()
    created_at: Mapped[datetime] = mapped_column(AWARE, server_default=func.now())


class RunSetup(Base):
    """What runs of agents begin with alike: system prompt, model and tools, once in a workspace under its hash.

    `used_on` is the last day on which a run began with it; what no run of its workspace names any more is removed.
    """

    __tablename__ = "run_setups"

    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True)
    hash: Mapped[bytes] = mapped_column(primary_key=True)
    setup: Mapped[dict[str, object]] = mapped_column(JSONB)
    used_on: Mapped[date] = mapped_column()


class RunTurnRecord(Base):
    """One entry of the journal: a model's answer with its tool calls, or one tool's result; appended, never changed.

    Of a model's `body` that is left out which most answers have alike; the view `run_turns` has all of it.
    """

    __tablename__ = "run_turn_records"
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
