"""Tables: the event log (workspace-owned); in schema `durable` jobs, groups, periodic tasks, executors, dispatcher."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    DateTime,
    Index,
    Integer,
    String,
    Text,
    false,
    func,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from automatos.kernel.db import Base

AWARE = DateTime(timezone=True)
CHANGED_BY = text("((pg_current_xact_id())::text)::bigint")
"""The transaction that made a row, or changed it since: the dispatcher reads on from the last one it saw."""


class EventRecord(Base):
    """Facts of a stream that follow each other: `seq` is the number of the first, `last` that of the last.

    Numbers count from 1 within the stream. Each of `events` is its type, when it was recorded, and its data. Rows are
    appended, never changed; those of a run that is over are put together into one, which PostgreSQL compresses. The
    view `events` has each event as a row.
    """

    __tablename__ = "event_records"
    stream: Mapped[str] = mapped_column(String(100), primary_key=True)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    last: Mapped[int] = mapped_column(Integer)
    workspace_id: Mapped[UUID] = mapped_column()
    events: Mapped[list[list[object]]] = mapped_column(JSONB)


class JobRow(Base):
    """One piece of work: waiting (parked until its time comes), or held by an executor until done or taken over.

    `number` is that of the grant by which it is held; numbers rise, so that an executor reads on from its last one.
    `begun` is that of the last grant which began, where another may begin it than the executor it was given to.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        Index("ix_jobs_changed", "changed", postgresql_where=text("executor_id IS NULL")),
        Index("ix_jobs_parked", "run_at", postgresql_where=text("is_parked")),
        Index("ix_jobs_lane", "lane", "executor_id"),
        Index("ix_jobs_held", "executor_id", "number", postgresql_where=text("executor_id IS NOT NULL")),
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
    number: Mapped[int] = mapped_column(BigInteger, server_default="0")
    begun: Mapped[int] = mapped_column(BigInteger, server_default="0")
    changed: Mapped[int] = mapped_column(BigInteger, server_default=CHANGED_BY)
    created_at: Mapped[datetime] = mapped_column(AWARE, server_default=func.now())


class ConcurrencyGroup(Base):
    """How many jobs of one kind may run at once in all processes; `mode` is open, held (they wait) or closed.

    Jobs of a closed group are given out without a limit: their handler ends them. A group without a row has no limit.
    """

    __tablename__ = "lanes"
    __table_args__ = (Index("ix_lanes_changed", "changed"), {"schema": "durable"})

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    capacity: Mapped[int] = mapped_column(Integer)
    mode: Mapped[str] = mapped_column(String(10), server_default="open")
    changed: Mapped[int] = mapped_column(BigInteger, server_default=CHANGED_BY)


class PeriodicTaskRow(Base):
    """One task that the system does every so often: when it is due, and whose it is as long as that one lives."""

    __tablename__ = "periodic_tasks"
    __table_args__ = ({"schema": "durable"},)

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    next_at: Mapped[datetime] = mapped_column(AWARE)
    executor_id: Mapped[UUID | None] = mapped_column()


class Executor(Base):
    """One living process; past `expires_at` it is dead and others get its jobs.

    It takes `places` jobs of `kinds` at once; without kinds it is given none. `is_listening` says that it holds a lock
    under its name on the connection by which it listens: when that is free, nobody hears there any more. `delivery` is
    how it gets its jobs.
    """

    __tablename__ = "executors"
    __table_args__ = ({"schema": "durable"},)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    host: Mapped[str] = mapped_column(String(255))
    pid: Mapped[int] = mapped_column(Integer)
    places: Mapped[int] = mapped_column(Integer, server_default="0")
    kinds: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    is_listening: Mapped[bool] = mapped_column(server_default=false())
    delivery: Mapped[str] = mapped_column(String(20), server_default="leases")
    started_at: Mapped[datetime] = mapped_column(AWARE, server_default=func.now())
    expires_at: Mapped[datetime] = mapped_column(AWARE)


class DispatcherRow(Base):
    """Which process gives out jobs; one that comes after it has a higher `epoch`, and grants of a lower one fail.

    `queue` names this database among those that share a Temporal.
    """

    __tablename__ = "dispatcher"
    __table_args__ = (CheckConstraint("is_only", name="only_one"), {"schema": "durable"})

    is_only: Mapped[bool] = mapped_column(primary_key=True, server_default=true())
    executor_id: Mapped[UUID | None] = mapped_column()
    epoch: Mapped[int] = mapped_column(BigInteger, server_default="0")
    queue: Mapped[UUID] = mapped_column(server_default=func.gen_random_uuid())
