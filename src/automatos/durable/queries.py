"""SQL of the queue, the executors and the event log."""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.durable.types import LEASES, StoredEvent

AHEAD = 9
"""The priority of the server's own short jobs, above all that people can give theirs."""


async def bid(connection: asyncpg.Connection, executor_id: UUID) -> int | None:
    """Become the process that gives out jobs, unless another one is there that does; returns the epoch."""
    return await connection.fetchval(
        "UPDATE durable.dispatcher SET executor_id = $1, epoch = epoch + 1 WHERE executor_id IS NULL "
        "OR executor_id = $1 OR NOT durable.is_there(executor_id) RETURNING epoch", executor_id)


async def resign(connection: asyncpg.Connection, executor_id: UUID) -> None:
    """Leave it to others to give out jobs."""
    await connection.execute("UPDATE durable.dispatcher SET executor_id = NULL WHERE executor_id = $1", executor_id)


async def snapshot(connection: asyncpg.Connection) -> str:
    """Return what `changes` may begin after."""
    return str(await connection.fetchval("SELECT pg_current_snapshot()::text"))


_JOBS = """
SELECT j.name, j.key, j.workspace_id, j.lane, j.priority, j.run_at, j.is_parked,
       CASE WHEN j.signal = 'cancel' THEN 0 ELSE j.crashes END AS crashes, l.capacity, l.mode
FROM durable.jobs j LEFT JOIN durable.lanes l ON l.name = j.lane
WHERE j.executor_id IS NULL AND """
_WAITING = _JOBS + "j.name = ANY($1) AND (NOT j.is_parked OR j.run_at <= $2)"
_NAMED = _JOBS + "(j.name, j.key) = ANY (SELECT * FROM unnest($1::text[], $2::text[]))"  # noqa: S608 - no input


async def waiting_jobs(
    connection: asyncpg.Connection, names: Sequence[str], up_to: datetime
) -> AsyncGenerator[asyncpg.Record]:
    """Yield every waiting job of the named kinds but those parked for later; the caller opened a transaction."""
    async for row in connection.cursor(_WAITING, list(names), up_to, prefetch=1000):
        yield row


async def changes(connection: asyncpg.Connection, names: Sequence[str], since: str) -> list[asyncpg.Record]:
    """Return jobs that wait and groups, made or changed since a snapshot; a group has no key.

    Each row, and one without either when there is no news, has the `epoch` and what to ask from next time (`seen`).
    """
    return await connection.fetch(
        "SELECT pg_current_snapshot()::text AS seen, d.epoch, c.* FROM durable.dispatcher d "
        "LEFT JOIN durable.changes($1, $2) c ON true", list(names), since)


async def changes_granted(
    connection: asyncpg.Connection, epoch: int, dispatcher_id: UUID, names: Sequence[str], since: str, most: int
) -> list[asyncpg.Record]:
    """Return `changes` and, where no more than `most` new jobs could begin, give these to the dispatcher's own process.

    What was given comes once more after the changes, with the `number` of its grant.
    """
    return await connection.fetch(
        "SELECT * FROM durable.changes_granted($1, $2, $3, $4, $5)", epoch, dispatcher_id, list(names), since, most)


async def jobs_named(
    connection: asyncpg.Connection, names: Sequence[str], keys: Sequence[str]
) -> list[asyncpg.Record]:
    """Return those of the named jobs that wait."""
    return await connection.fetch(_NAMED, list(names), list(keys))


async def due_soon(
    connection: asyncpg.Connection, names: Sequence[str], after: datetime, up_to: datetime
) -> list[asyncpg.Record]:
    """Return the parked jobs whose time comes within a stretch of it."""
    return await connection.fetch("SELECT * FROM durable.due_jobs($1, $2, $3)", list(names), after, up_to)


async def takers(connection: asyncpg.Connection, dispatcher_id: UUID, delivery: str) -> list[asyncpg.Record]:
    """Return the executors that are there and that jobs can be given to by a delivery."""
    return await connection.fetch(
        "SELECT id, places, kinds FROM durable.executors WHERE kinds IS NOT NULL AND delivery = $2 "
        "AND (id = $1 OR durable.is_there(id))", dispatcher_id, delivery)


async def held_jobs(connection: asyncpg.Connection) -> list[asyncpg.Record]:
    """Return every job that somebody holds."""
    return await connection.fetch("SELECT * FROM durable.held_jobs()")


async def grant_jobs(
    connection: asyncpg.Connection, epoch: int, dispatcher_id: UUID, grants: Sequence[tuple[str, str, str, UUID]]
) -> list[asyncpg.Record]:
    """Give waiting jobs (name, key, group) to executors; returns those that were given.

    The others are gone, in another group, not due or without room, their executor is not there, or the epoch is over.
    Executors other than the dispatcher's own are told.
    """
    names, keys, groups, holders = zip(*grants, strict=True)
    return await connection.fetch(
        "SELECT * FROM durable.grant_jobs($1, $2, $3, $4, $5, $6)", epoch, dispatcher_id, names, keys, groups, holders)


async def granted_since(connection: asyncpg.Connection, executor_id: UUID, number: int) -> list[asyncpg.Record]:
    """Return the jobs that an executor holds by grants after the one of that number."""
    return await connection.fetch("SELECT * FROM durable.granted_jobs($1, $2)", executor_id, number)


async def offer_places(connection: asyncpg.Connection, executor_id: UUID, names: Sequence[str] | None) -> None:
    """Say which kinds of jobs an executor takes, or that it takes none."""
    await connection.execute(
        "UPDATE durable.executors SET kinds = $2 WHERE id = $1", executor_id, list(names) if names else None)


async def hold_own_lock(listening: asyncpg.Connection, executor_id: UUID) -> None:
    """Hold an executor's lock as long as the connection lives by which it listens."""
    await listening.execute("SELECT pg_advisory_lock_shared(hashtextextended($1, 7246302))", str(executor_id))


async def note_listening(connection: asyncpg.Connection, executor_id: UUID) -> None:
    """Say that an executor's lock is held while it is there."""
    await connection.execute("UPDATE durable.executors SET is_listening = true WHERE id = $1", executor_id)


async def enqueue_in_session(
    session: AsyncSession, name: str, key: str, workspace_id: UUID, delay: timedelta
) -> None:
    """Add a short job in the transaction of a session, or bring a waiting one forward; one at work is left alone."""
    await session.execute(
        text("SELECT durable.enqueue(:name, :key, :workspace, :priority, clock_timestamp() + :delay, '')"),
        {"name": name, "key": key, "workspace": workspace_id, "priority": AHEAD, "delay": delay})


async def set_group(session: AsyncSession, name: str, capacity: int, mode: str) -> None:
    """Say how many jobs of a group may run at once, and whether they may."""
    await session.execute(text("SELECT durable.set_lane(:name, :capacity, :mode)"),
                          {"name": name, "capacity": capacity, "mode": mode})


async def drop_group(session: AsyncSession, name: str) -> None:
    """Forget a group; jobs still in it run without a limit."""
    await session.execute(text("DELETE FROM durable.lanes WHERE name = :name"), {"name": name})
    await session.execute(
        text("UPDATE durable.jobs SET lane = '' WHERE lane = :name AND executor_id IS NULL"), {"name": name})


async def count_groups(session: AsyncSession, groups: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Return how many jobs run and wait in each group; empty ones are left out."""
    rows = await session.execute(
        text("SELECT lane, running, waiting FROM durable.lane_counts(:lanes)"), {"lanes": list(groups)})
    return {row.lane: (row.running, row.waiting) for row in rows}


async def signal_group(connection: asyncpg.Connection, group: str, word: str) -> list[asyncpg.Record]:
    """Leave a word for a group's jobs, unless they were left a stronger one; returns those that run, name and key.

    A stop also meets jobs that wait to be taken up again after their process died.
    """
    left = await connection.fetch(
        "UPDATE durable.jobs SET signal = $2 WHERE lane = $1 AND (executor_id IS NOT NULL OR $2 = 'stop') "
        "AND (signal IS NULL OR signal = 'pause') RETURNING name, key, executor_id", group, word)
    return [row for row in left if row["executor_id"]]


async def unsignal(connection: asyncpg.Connection, name: str, key: str, executor_id: UUID) -> None:
    """Forget the word left for a job that this executor holds, unless it is to be cancelled."""
    await connection.execute(
        "UPDATE durable.jobs SET signal = NULL WHERE name = $1 AND key = $2 AND executor_id = $3 "
        "AND signal <> 'cancel'", name, key, executor_id)


async def finish(connection: asyncpg.Connection, name: str, key: str, executor_id: UUID) -> None:
    """Delete a job this executor holds."""
    await connection.execute(
        "DELETE FROM durable.jobs WHERE name = $1 AND key = $2 AND executor_id = $3", name, key, executor_id
    )


async def drop(connection: asyncpg.Connection, name: str, key: str) -> bool:
    """Delete a job, whoever holds it; says whether it was there."""
    return await connection.fetchval(
        "DELETE FROM durable.jobs WHERE name = $1 AND key = $2 RETURNING true", name, key) or False


async def drop_unheld(connection: asyncpg.Connection, name: str, keys: Sequence[str]) -> list[str]:
    """Delete those of some jobs that nobody holds, and return the keys of the others."""
    await connection.execute(
        "DELETE FROM durable.jobs WHERE name = $1 AND key = ANY($2) AND executor_id IS NULL", name, list(keys))
    rows = await connection.fetch("SELECT key FROM durable.jobs WHERE name = $1 AND key = ANY($2)", name, list(keys))
    return [row["key"] for row in rows]


async def release(
    connection: asyncpg.Connection, name: str, key: str, executor_id: UUID, again_in: timedelta,
    error: str | None, is_attempt: bool,
) -> None:
    """Give a held job back to the queue; a hand-over that was nobody's failure does not count as an attempt.

    One that is to be cancelled leaves its group, here and in the functions that free jobs: it needs no place to end.
    """
    await connection.execute(
        "UPDATE durable.jobs SET executor_id = NULL, run_at = clock_timestamp() + $4, "
        "is_parked = $4 > interval '0', last_error = $5, attempts = attempts - $6, signal = nullif(signal, 'pause'), "
        "lane = CASE WHEN signal = 'cancel' THEN '' ELSE lane END WHERE name = $1 AND key = $2 AND executor_id = $3",
        name, key, executor_id, again_in, error, 0 if is_attempt else 1,
    )


async def give_back(connection: asyncpg.Connection, name: str, key: str, executor_id: UUID, number: int) -> None:
    """Give back a job that an executor holds by the grant of that number, uncounted: it never began, or has ended."""
    await connection.execute(
        "UPDATE durable.jobs SET executor_id = NULL, run_at = clock_timestamp(), attempts = attempts - 1, "
        "lane = CASE WHEN signal = 'cancel' THEN '' ELSE lane END "
        "WHERE name = $1 AND key = $2 AND executor_id = $3 AND number = $4", name, key, executor_id, number)


async def signal(connection: asyncpg.Connection, name: str, key: str, word: str) -> bool:
    """Leave a word for whoever holds a job; returns whether somebody holds it now."""
    holder = await connection.fetchval(
        "UPDATE durable.jobs SET signal = $3 WHERE name = $1 AND key = $2 RETURNING executor_id", name, key, word
    )
    return holder is not None


async def signals(connection: asyncpg.Connection, executor_id: UUID) -> list[asyncpg.Record]:
    """Return the words left for jobs this executor holds; those of a held group are to pause, told or not."""
    return await connection.fetch(
        "SELECT name, key, coalesce(signal, 'pause') AS signal, lane FROM durable.granted_jobs($1, -1) "
        "WHERE signal IS NOT NULL OR mode = 'held'", executor_id)


async def counts(connection: asyncpg.Connection) -> dict[str, int]:
    """Return how many jobs wait and run, and how many executors live."""
    row = await connection.fetchrow(
        "SELECT count(*) FILTER (WHERE executor_id IS NULL) AS waiting, "
        "count(*) FILTER (WHERE executor_id IS NOT NULL) AS running, "
        "(SELECT count(*) FROM durable.executors WHERE expires_at > clock_timestamp()) AS executors FROM durable.jobs"
    )
    return dict(row) if row else {}


async def register(
    connection: asyncpg.Connection, executor_id: UUID, host: str, pid: int, lease_s: float, places: int,
    names: Sequence[str] = (), delivery: str = LEASES,
) -> None:
    """Announce a living executor that takes so many jobs of the named kinds at once, by a delivery."""
    await connection.execute(
        "INSERT INTO durable.executors (id, host, pid, places, kinds, delivery, expires_at) "
        "VALUES ($1, $2, $3, $5, $6, $7, clock_timestamp() + make_interval(secs => $4))",
        executor_id, host, pid, lease_s, places, list(names) or None, delivery,
    )


async def renew(connection: asyncpg.Connection, executor_id: UUID, lease_s: float) -> asyncpg.Record | None:
    """Renew an executor's lease; returns how many `others` live, who gives out jobs and the time; None if dead.

    `is_vacant` says that nobody does.
    """
    return await connection.fetchrow(
        "UPDATE durable.executors e SET expires_at = clock_timestamp() + make_interval(secs => $2) WHERE id = $1 "
        "RETURNING (SELECT count(*)::int FROM durable.executors o "
        "WHERE o.id <> e.id AND o.expires_at > clock_timestamp()) AS others, "
        "(SELECT d.executor_id FROM durable.dispatcher d) AS dispatcher_id, "
        "NOT EXISTS (SELECT FROM durable.dispatcher d WHERE d.executor_id = e.id OR durable.is_there(d.executor_id)) "
        "AS is_vacant, clock_timestamp() AS at",
        executor_id, lease_s,
    )


async def write_own_row(connection: asyncpg.Connection, executor_id: UUID) -> None:
    """Write an executor's row without changing it: whether PostgreSQL takes changes shows in no other way."""
    await connection.execute("UPDATE durable.executors SET pid = pid WHERE id = $1", executor_id)


async def retire(connection: asyncpg.Connection, executor_id: UUID) -> None:
    """Remove an executor that stopped in order."""
    await connection.execute("DELETE FROM durable.executors WHERE id = $1", executor_id)


async def executors_on(connection: asyncpg.Connection, host: str) -> list[asyncpg.Record]:
    """Return the executors registered by processes of a machine."""
    return await connection.fetch("SELECT id, pid FROM durable.executors WHERE host = $1", host)


async def living_hosts(connection: asyncpg.Connection) -> list[str]:
    """Return where the living executors are."""
    rows = await connection.fetch("SELECT DISTINCT host FROM durable.executors WHERE expires_at > clock_timestamp()")
    return [row["host"] for row in rows]


async def living_executors(connection: asyncpg.Connection) -> list[asyncpg.Record]:
    """Return where the executors run whose lease has not ended; one that was killed is among them until it ends."""
    return await connection.fetch("SELECT host, pid FROM durable.executors WHERE expires_at > clock_timestamp()")


async def end_lease(connection: asyncpg.Connection, executor_id: UUID) -> None:
    """End an executor's lease now: its process is known to be gone."""
    await connection.execute("UPDATE durable.executors SET expires_at = clock_timestamp() WHERE id = $1", executor_id)


async def recover(connection: asyncpg.Connection) -> asyncpg.Record | None:
    """Reap executors whose lease ended and free the jobs they held; returns `jobs` and `first_ended_at`."""
    return await connection.fetchrow("SELECT * FROM durable.bury_dead()")


async def events_after(
    connection: asyncpg.Connection, workspace_id: UUID, stream: str, seq: int, limit: int, up_to: int | None = None
) -> list[StoredEvent]:
    """Return a workspace's stream's events after `seq`, in order."""
    rows = await connection.fetch(
        "SELECT (r.seq + e.n - 1)::int AS seq, e.event->>0 AS type, (e.event->2)::text AS data, "
        "(e.event->>1)::timestamptz AS created_at FROM event_records r "
        "CROSS JOIN LATERAL jsonb_array_elements(r.events) WITH ORDINALITY AS e (event, n) "
        "WHERE r.workspace_id = $5 AND r.stream = $1 AND r.last > $2 AND r.seq + e.n - 1 > $2 "
        "AND ($4::int IS NULL OR r.seq + e.n - 1 <= $4) ORDER BY r.seq, e.n LIMIT $3",
        stream, seq, limit, up_to, workspace_id,
    )
    return [StoredEvent(stream, r["seq"], r["type"], r["created_at"].isoformat(), r["data"]) for r in rows]


async def take_periodic(
    connection: asyncpg.Connection, executor_id: UUID, names: Sequence[str], every_s: Sequence[float]
) -> list[asyncpg.Record]:
    """Take periodic tasks that no living executor has, and those of this one that are due; says of each whether it is.

    One that is due is put off by its period, so that nobody takes it again before. One never heard of begins a period.
    """
    return await connection.fetch(
        """
        WITH asked AS (
            SELECT * FROM unnest($2::text[], $3::float8[]) AS a (name, every_s)
        ), made AS (
            INSERT INTO durable.periodic_tasks (name, next_at)
            SELECT a.name, clock_timestamp() + make_interval(secs => a.every_s) FROM asked a
            WHERE NOT EXISTS (SELECT FROM durable.periodic_tasks t WHERE t.name = a.name)
            ON CONFLICT (name) DO NOTHING
        ), mine AS (
            SELECT t.name, a.every_s, t.next_at <= clock_timestamp() AS is_due
            FROM durable.periodic_tasks t JOIN asked a ON a.name = t.name
            WHERE CASE WHEN t.executor_id = $1 THEN t.next_at <= clock_timestamp()
                       ELSE NOT EXISTS (SELECT FROM durable.executors e
                                        WHERE e.id = t.executor_id AND e.expires_at > clock_timestamp()) END
            FOR UPDATE OF t SKIP LOCKED
        )
        UPDATE durable.periodic_tasks t
        SET executor_id = $1, next_at = CASE WHEN m.is_due THEN clock_timestamp() + make_interval(secs => m.every_s)
                                             ELSE t.next_at END
        FROM mine m WHERE t.name = m.name RETURNING t.name, m.is_due
        """, executor_id, list(names), list(every_s))


async def listens(connection: asyncpg.Connection, channel: str, timeout_s: float) -> bool:
    """Say whether the backend behind a connection listens to a channel; raises TimeoutError when nothing answers."""
    return bool(await connection.fetchval(
        "SELECT EXISTS (SELECT FROM pg_listening_channels() AS c (name) WHERE c.name = $1)", channel,
        timeout=timeout_s))


async def notify(connection: asyncpg.Connection, channel: str, payload: str) -> None:
    """Tell whoever listens to a channel; at most 8000 bytes."""
    await connection.execute("SELECT pg_notify($1, $2)", channel, payload)
