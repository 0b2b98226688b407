"""Tables: the event log (workspace-owned); in schema `durable` jobs, lanes, periodic tasks and executors."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, Index, Integer, String, Text, false, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from automatos.kernel.db import Base

AWARE = DateTime(timezone=True)


class Event(Base):
    """One fact of a stream. `seq` counts from 1 without holes within the stream; rows are appended, never changed."""

    __tablename__ = "events"
    stream: Mapped[str] = mapped_column(String(100), primary_key=True)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column()
    type: Mapped[str] = mapped_column(String(50))
    data: Mapped[dict[str, object]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(AWARE, server_default=func.now())


class JobRow(Base):
    """One piece of work: waiting (parked until its time comes), or held by an executor until done or taken over."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index("ix_jobs_waiting", "workspace_id", "lane", text("priority DESC"), "run_at",
              postgresql_where=text("executor_id IS NULL AND NOT is_parked")),
        Index("ix_jobs_parked", "run_at", postgresql_where=text("is_parked")),
        Index("ix_jobs_lane", "lane", "executor_id"),
        Index("ix_jobs_held", "executor_id", "workspace_id", postgresql_where=text("executor_id IS NOT NULL")),
        {"schema": "durable"},
    )

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column()
    lane: Mapped[str] = mapped_column(String(100), server_default="")
    priority: Mapped[int] = mapped_column(Integer, server_default="0")
    run_at: Mapped[datetime] = mapped_column(AWARE, server_default=func.now())
    is_parked: Mapped[bool] = mapped_column(server_default=false())
    attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    crashes: Mapped[int] = mapped_column(Integer, server_default="0")
    executor_id: Mapped[UUID | None] = mapped_column()
    signal: Mapped[str | None] = mapped_column(String(50))
    last_error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(AWARE, server_default=func.now())


class Lane(Base):
    """How many jobs of one kind may run at once in all processes; `mode` is open, held (they wait) or closed.

    Jobs of a closed lane are claimed without a limit: their handler ends them. A lane without a row has no limit.
    """

    __tablename__ = "lanes"
    __table_args__ = ({"schema": "durable"},)

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    capacity: Mapped[int] = mapped_column(Integer)
    mode: Mapped[str] = mapped_column(String(10), server_default="open")


class PeriodicTaskRow(Base):
    """One task that the system does every so often: when it is due, and whose it is as long as that one lives."""

    __tablename__ = "periodic_tasks"
    __table_args__ = ({"schema": "durable"},)

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    next_at: Mapped[datetime] = mapped_column(AWARE)
    executor_id: Mapped[UUID | None] = mapped_column()


class Executor(Base):
    """One living process, which takes `places` jobs at once; past `expires_at` it is dead and others get its jobs."""

    __tablename__ = "executors"
    __table_args__ = ({"schema": "durable"},)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    host: Mapped[str] = mapped_column(String(255))
    pid: Mapped[int] = mapped_column(Integer)
    places: Mapped[int] = mapped_column(Integer, server_default="0")
    started_at: Mapped[datetime] = mapped_column(AWARE, server_default=func.now())
    expires_at: Mapped[datetime] = mapped_column(AWARE)
