"""Tables: the model catalogue and the usage ledger."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Numeric,
    String,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from automatos.kernel.db import Base

AWARE = DateTime(timezone=True)


class LlmModel(Base):
    """A model that agents may choose: what it can do and what it costs; unknown prices are null."""

    __tablename__ = "llm_models"
    __table_args__ = (Index("uq_llm_models", "provider", "model_id", unique=True),)

    id: Mapped[int] = mapped_column(Integer, Identity(), primary_key=True)
    provider: Mapped[str] = mapped_column(String(100))
    model_id: Mapped[str] = mapped_column(String(200))
    display_name: Mapped[str] = mapped_column(String(200))
    model_family: Mapped[str] = mapped_column(String(100), server_default="")
    capabilities: Mapped[dict[str, object]] = mapped_column(JSONB, server_default="{}")
    context_window: Mapped[int | None] = mapped_column(Integer)
    max_output_tokens: Mapped[int | None] = mapped_column(Integer)
    supports_functions: Mapped[bool] = mapped_column(Boolean, server_default="true")
    supports_vision: Mapped[bool] = mapped_column(Boolean, server_default="false")
    supports_streaming: Mapped[bool] = mapped_column(Boolean, server_default="true")
    release_date: Mapped[date | None] = mapped_column(Date)
    deprecation_date: Mapped[date | None] = mapped_column(Date)
    recommended_for: Mapped[list[str]] = mapped_column(JSONB, server_default="[]")
    default_temperature: Mapped[Decimal] = mapped_column(Numeric(3, 2), server_default="0.7")
    min_temperature: Mapped[Decimal] = mapped_column(Numeric(3, 2), server_default="0")
    max_temperature: Mapped[Decimal] = mapped_column(Numeric(3, 2), server_default="2")
    input_cost_per_1k_tokens: Mapped[Decimal | None] = mapped_column(Numeric(14, 8))
    output_cost_per_1k_tokens: Mapped[Decimal | None] = mapped_column(Numeric(14, 8))
    cached_input_cost_per_1k_tokens: Mapped[Decimal | None] = mapped_column(Numeric(14, 8))
    wire: Mapped[str | None] = mapped_column(String(20))
    reasoning_efforts: Mapped[list[str] | None] = mapped_column(JSONB(none_as_null=True))
    takes_sampling: Mapped[bool | None] = mapped_column(Boolean)
    description: Mapped[str] = mapped_column(Text, server_default="")
    status: Mapped[str] = mapped_column(String(20), server_default="active")
    version: Mapped[int] = mapped_column(Integer, server_default="1")
    updated_by: Mapped[str] = mapped_column(String(320), server_default="")
    updated_at: Mapped[datetime] = mapped_column(AWARE, server_default=func.now())


class LlmUsage(Base):
    """One call to a model: who made it, what it used, what it cost, how it ended."""

    __tablename__ = "llm_usage"
    __table_args__ = (
        Index("ix_llm_usage_workspace", "workspace_id", "created_at"),
        Index("uq_llm_usage_call", "run_id", "turn", "attempt", unique=True),
        Index("ix_llm_usage_agent", "agent_id"),
        Index("ix_llm_usage_credential", "credential_id", "created_at",
              postgresql_where=text("credential_id IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("agents.id", ondelete="SET NULL"))
    execution_id: Mapped[UUID | None] = mapped_column()
    run_id: Mapped[UUID | None] = mapped_column()
    turn: Mapped[int | None] = mapped_column(Integer)
    attempt: Mapped[int] = mapped_column(Integer, server_default="1")
    credential_id: Mapped[UUID | None] = mapped_column()
    request_type: Mapped[str] = mapped_column(String(50))
    provider: Mapped[str] = mapped_column(String(100))
    model_id: Mapped[str] = mapped_column(String(200))
    input_tokens: Mapped[int] = mapped_column(Integer, server_default="0")
    output_tokens: Mapped[int] = mapped_column(Integer, server_default="0")
    total_tokens: Mapped[int] = mapped_column(Integer, server_default="0")
    cache_read_tokens: Mapped[int] = mapped_column(Integer, server_default="0")
    cache_write_tokens: Mapped[int] = mapped_column(Integer, server_default="0")
    input_cost_micro_usd: Mapped[int | None] = mapped_column(BigInteger)
    output_cost_micro_usd: Mapped[int | None] = mapped_column(BigInteger)
    cost_micro_usd: Mapped[int | None] = mapped_column(BigInteger)
    is_estimated: Mapped[bool] = mapped_column(Boolean, server_default="false")
    latency_ms: Mapped[int] = mapped_column(Integer, server_default="0")
    status: Mapped[str] = mapped_column(String(20))
    error_message: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(AWARE, server_default=func.now())


class LlmUsageDay(Base):
    """What the calls of one agent come to on one day (UTC); agent 0 are calls of no agent.

    A trigger on the ledger adds to it, so that it holds what every process writes, and stays when calls are forgotten.
    """

    __tablename__ = "llm_usage_days"

    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True)
    agent_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    requests: Mapped[int] = mapped_column(BigInteger)
    failed_requests: Mapped[int] = mapped_column(BigInteger)
    estimated_requests: Mapped[int] = mapped_column(BigInteger)
    input_tokens: Mapped[int] = mapped_column(BigInteger)
    output_tokens: Mapped[int] = mapped_column(BigInteger)
    total_tokens: Mapped[int] = mapped_column(BigInteger)
    cache_read_tokens: Mapped[int] = mapped_column(BigInteger)
    cache_write_tokens: Mapped[int] = mapped_column(BigInteger)
    known_micro_usd: Mapped[int] = mapped_column(BigInteger)
    unpriced_calls: Mapped[int] = mapped_column(BigInteger)
