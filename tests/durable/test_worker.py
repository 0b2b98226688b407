"""The worker and the registry: who gets a job, in which order, and what becomes of it when something goes wrong."""

import asyncio
import subprocess
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from automatos.durable import dispatcher, queries, worker
from automatos.durable.service import count_living, wake
from automatos.durable.types import HeldJob, Interruption
from automatos.durable.worker_lease import WorkerLease
from automatos.entrypoints.migrate import Migrated
from automatos.kernel.clock import now
from automatos.kernel.db import Database
from automatos.kernel.errors import DatabaseUnavailable
from automatos.kernel.ids import new_id
from tests.durable.conftest import Processes, Queue, Seen, forever, until


async def test_two_workers_take_each_job_once(processes: Processes, queue: Queue) -> None:
    for n in range(60):
        await queue.add(f"job-{n}")
    one, other = Seen(lambda _: asyncio.sleep(0.005)), Seen(lambda _: asyncio.sleep(0.005))

    await processes.start(one.handlers())
    await processes.start(other.handlers())
    await until(lambda: len(one.driven) + len(other.driven) >= 60)

    assert Counter(one.driven + other.driven) == {f"job-{n}": 1 for n in range(60)}
    assert one.driven
    assert other.driven


async def test_a_noisy_workspace_does_not_delay_the_first_job_of_another(processes: Processes, queue: Queue) -> None:
    noisy, quiet = new_id(), new_id()
    for n in range(200):
        await queue.add(f"noisy-{n}", noisy)
    seen = Seen(lambda _: asyncio.sleep(0.002))
    process = await processes.start(seen.handlers(), capacity=4)
    await until(lambda: len(seen.driven) > 20)

    began_before = len(seen.driven)
    await queue.add("quiet", quiet)
    wake(process.bus)
    await until(lambda: "quiet" in seen.driven)

    assert seen.driven.index("quiet") - began_before <= 12


async def test_many_busy_workspaces_do_not_keep_another_waiting_even_where_jobs_run_one_by_one(
    processes: Processes, queue: Queue
) -> None:
    for workspace_id in [new_id() for _ in range(3)]:
        for n in range(40):
            await queue.add(f"busy-{workspace_id}-{n}", workspace_id)
    await queue.add("quiet", new_id())
    seen = Seen()

    await processes.start(seen.handlers(), capacity=1)
    await until(lambda: "quiet" in seen.driven)

    assert seen.driven.index("quiet") < 60


async def test_a_higher_priority_goes_first(processes: Processes, queue: Queue) -> None:
    workspace_id = new_id()
    for key, priority in (("low", -1), ("normal", 0), ("high", 5)):
        await queue.add(key, workspace_id, priority=priority)
    seen = Seen()

    await processes.start(seen.handlers(), capacity=1)
    await until(lambda: len(seen.driven) == 3)

    assert seen.driven == ["high", "normal", "low"]


async def test_a_job_does_not_run_before_its_time(processes: Processes, queue: Queue) -> None:
    due_at = now() + timedelta(seconds=0.7)
    began_at = []

    async def note(_: HeldJob) -> None:
        began_at.append(now())

    await queue.add("later", run_at=due_at)
    await processes.start(Seen(note).handlers())
    await until(lambda: began_at)

    assert began_at[0] >= due_at


async def test_a_waiting_job_that_is_added_again_is_brought_forward_not_doubled(
    processes: Processes, queue: Queue
) -> None:
    await queue.add("once", run_at=now() + timedelta(hours=1))
    await queue.add("once")
    seen = Seen()

    await processes.start(seen.handlers())
    await until(lambda: seen.driven)
    await asyncio.sleep(0.05)

    assert seen.driven == ["once"]


async def test_a_failing_job_comes_back_later_each_time_and_is_given_up_after_three_attempts(
    processes: Processes, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_: HeldJob) -> None:
        raise ValueError("no luck")

    seen, pauses, release = Seen(fail), list[timedelta](), queries.release

    async def note_pause(
        connection: asyncpg.Connection, name: str, key: str, holder: UUID, again_in: timedelta, *more: Any, **named: Any
    ) -> None:
        pauses.append(again_in)
        await release(connection, name, key, holder, again_in, *more, **named)

    monkeypatch.setattr(queries, "release", note_pause)
    await queue.add("bad")
    await processes.start(seen.handlers())
    for attempt in (1, 2, 3):
        await until(lambda wanted=attempt: len(seen.driven) == wanted)
        await until(lambda: _is_waiting(queue, "bad"))
        row = await queue.row("bad")
        assert row
        assert row["attempts"] == attempt
        assert row["last_error"] == "ValueError: no luck"
        await queue.add("bad")

    await until(lambda: seen.given_up)
    await until(lambda: _is_gone(queue, "bad"))
    assert len(seen.driven) == 3
    assert pauses == [timedelta(seconds=seconds) for seconds in (2, 4, 8)]
    assert "3 times" in seen.given_up[0][1]


async def test_a_database_that_goes_away_under_a_handler_does_not_count_as_an_attempt(
    processes: Processes, queue: Queue
) -> None:
    async def lose_database(_: HeldJob) -> None:
        raise DatabaseUnavailable

    seen = Seen(lose_database)
    await queue.add("unlucky")
    await processes.start(seen.handlers())
    await until(lambda: seen.driven)
    await until(lambda: _is_waiting(queue, "unlucky"))

    row = await queue.row("unlucky")
    assert row
    assert row["attempts"] == 0


async def test_stopping_hands_running_jobs_back_without_counting_an_attempt(processes: Processes, queue: Queue) -> None:
    seen = Seen(forever)
    await queue.add("long")
    process = await processes.start(seen.handlers())
    await until(lambda: seen.driven)

    await processes.stop(process)

    row = await queue.row("long")
    assert row
    assert (row["executor_id"], row["attempts"]) == (None, 0)
    assert seen.interrupted == [("long", Interruption.SHUTDOWN)]


async def test_stopping_lets_a_job_that_is_nearly_done_end(processes: Processes, queue: Queue) -> None:
    seen = Seen(lambda _: asyncio.sleep(0.05))
    await queue.add("short")
    process = await processes.start(seen.handlers())
    await until(lambda: seen.driven)

    await processes.stop(process)

    assert await queue.row("short") is None
    assert seen.interrupted == []


async def test_a_process_that_lost_its_lease_lets_go_and_another_takes_over(
    processes: Processes, queue: Queue, database: Database
) -> None:
    first, second = Seen(forever), Seen(forever)
    await queue.add("contested")
    frozen = await processes.start(first.handlers(), lease_s=1.0)
    await until(lambda: first.driven)
    old_id = frozen.lease.id
    await processes.start(second.handlers(), lease_s=0.6)

    async def is_taken_over() -> bool:
        async with database.recording(None) as connection:  # again and again: the owner may renew what was let expire
            await connection.execute(
                "UPDATE durable.executors SET expires_at = now() - interval '1 s' WHERE id = $1", old_id)
        return len(first.driven) + len(second.driven) == 2

    await until(is_taken_over)
    await until(lambda: first.interrupted)

    assert first.interrupted == [("contested", Interruption.LEASE_LOST)]
    assert frozen.lease.id != old_id
    row = await queue.row("contested")
    assert row
    assert row["executor_id"] not in {None, old_id}


async def test_a_process_counts_as_working_while_it_lives_and_elsewhere_while_its_lease_does(
    database: Database
) -> None:
    ours = WorkerLease(database, 60)
    await ours.start()
    gone = subprocess.Popen(["true"])
    gone.wait()
    async with database.recording(None) as connection:
        assert await count_living(connection) == 1
        await connection.execute("UPDATE durable.executors SET pid = $2 WHERE id = $1", ours.id, gone.pid)
        assert await count_living(connection) == 0
        await connection.execute("UPDATE durable.executors SET host = 'another machine' WHERE id = $1", ours.id)
        assert await count_living(connection) == 1
        await connection.execute("UPDATE durable.executors SET expires_at = now() - interval '1 s'")
        assert await count_living(connection) == 0
    await ours.stop()


async def test_jobs_of_the_dead_are_freed(processes: Processes, queue: Queue, database: Database) -> None:
    dead, unheard_of = new_id(), new_id()
    async with database.recording(None) as connection:
        await connection.execute(
            "INSERT INTO durable.executors (id, host, pid, expires_at) "
            "VALUES ($1, 'gone', 1, now() - interval '1 s')", dead)
    for key, holder in (("expired", dead), ("orphan", unheard_of)):
        await queue.add(key)
        await queue.change(key, f"executor_id = '{holder}', attempts = 1")
    seen = Seen()

    await processes.start(seen.handlers(), lease_s=0.4)
    await until(lambda: len(seen.driven) == 2)

    assert set(seen.driven) == {"expired", "orphan"}


async def test_a_job_that_stopped_its_worker_three_times_is_given_up(processes: Processes, queue: Queue) -> None:
    await queue.add("killer")
    await queue.change("killer", "attempts = 3")
    seen = Seen()

    await processes.start(seen.handlers())
    await until(lambda: seen.given_up)

    assert seen.driven == []
    await until(lambda: _is_gone(queue, "killer"))


async def test_a_signal_reaches_a_running_job_also_when_its_notice_is_lost(processes: Processes, queue: Queue) -> None:
    seen = Seen(forever)
    await queue.add("deaf")
    await processes.start(seen.handlers())
    await until(lambda: seen.driven)

    await queue.change("deaf", "signal = 'cancel'")
    await until(lambda: seen.interrupted)

    assert seen.interrupted == [("deaf", Interruption.CANCEL)]
    await until(lambda: _is_gone(queue, "deaf"))


async def test_a_signal_sent_by_another_process_arrives_without_a_look_at_the_database(
    processes: Processes, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "SIGNAL_POLL_S", 3600.0)
    seen = Seen(forever)
    await queue.add("far")
    await processes.start(seen.handlers())
    caller = await processes.start()
    await until(lambda: seen.driven)

    caller.bus.send_word("signal", "test.work far cancel -")
    await until(lambda: seen.interrupted)

    assert seen.interrupted == [("far", Interruption.CANCEL)]


async def test_a_job_with_a_signal_from_before_it_was_claimed_begins_and_is_told(
    processes: Processes, queue: Queue
) -> None:
    seen = Seen(forever)
    await queue.add("told-before")
    await queue.change("told-before", "signal = 'cancel'")

    process = await processes.start(seen.handlers())
    await until(lambda: seen.interrupted)

    await until(lambda: _is_gone(queue, "told-before"))
    assert process.worker
    assert process.worker.running == 0


async def test_a_worker_leaves_jobs_it_does_not_know_to_others(processes: Processes, queue: Queue) -> None:
    seen = Seen()
    await queue.add("new-kind", name="test.unheard_of")
    await queue.add("known")

    await processes.start(seen.handlers())
    await until(lambda: seen.driven)

    row = await queue.row("new-kind")
    assert row
    assert (row["executor_id"], row["attempts"]) == (None, 0)


async def test_a_word_that_a_job_waits_wakes_a_sleeping_worker(
    processes: Processes, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher, "LOOK_EVERY_S", 3600.0)
    seen = Seen()
    await processes.start(seen.handlers())
    sender = await processes.start()
    await asyncio.sleep(0.3)

    await queue.add("urgent")
    wake(sender.bus)
    await until(lambda: seen.driven)

    assert seen.driven == ["urgent"]


async def _is_gone(queue: Queue, key: str) -> bool:
    return await queue.row(key) is None


async def _is_waiting(queue: Queue, key: str) -> bool:
    row = await queue.row(key)
    return row is not None and row["executor_id"] is None


async def test_nobody_is_buried_for_an_outage_that_all_had_and_the_dead_are_all_the_same(
    processes: Processes, queue: Queue, own_ground: Migrated
) -> None:
    """Every lease runs out while no lease can be renewed; who comes back first declares none of the others dead."""
    seen = Seen(forever)
    holding = await processes.start(seen.handlers(), lease_s=2.0)
    others = [await processes.start(lease_s=2.0) for _ in range(3)]
    before = [each.lease.id for each in (holding, *others)]
    await queue.add("held")
    await until(lambda: seen.driven == ["held"])
    dead = new_id()
    admin = await asyncpg.connect(own_ground.embedded.admin_database_url)
    await admin.execute(
        "CREATE FUNCTION durable.refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'read-only' USING ERRCODE = '25006'; END $$; "
        "CREATE TRIGGER refuse BEFORE UPDATE ON durable.executors FOR EACH ROW EXECUTE FUNCTION durable.refuse()")
    try:
        await admin.execute(
            "INSERT INTO durable.executors (id, host, pid, expires_at) VALUES ($1, 'gone', 1, now())", dead)
        await until(lambda: _is_so(admin, "SELECT NOT EXISTS (SELECT FROM durable.executors WHERE expires_at > now())"))
    finally:
        await admin.execute("DROP FUNCTION durable.refuse() CASCADE")
    await until(lambda: _is_so(admin, f"SELECT NOT EXISTS (SELECT FROM durable.executors WHERE id = '{dead}')"))
    left = await admin.fetchval("SELECT count(*) FROM durable.executors WHERE id = ANY($1)", before)
    await admin.close()

    assert left == len(before)
    assert (seen.driven, seen.interrupted) == (["held"], [])


async def _is_so(connection: asyncpg.Connection, question: str) -> bool:
    return bool(await connection.fetchval(question))
