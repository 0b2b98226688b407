"""Temporal as a delivery: what it is told, what it may forget or end, and whose word counts when it is away."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from temporalio.client import ActivityExecutionStatus, Client

from automatos.durable.engine import open_delivery
from automatos.durable.errors import EngineRefused
from automatos.durable.service import wake
from automatos.durable.temporal import adapter
from automatos.durable.types import HeldJob
from automatos.durable.worker_lease import WorkerLease
from automatos.entrypoints.migrate import Migrated
from automatos.kernel.config import TemporalAddress
from automatos.kernel.db import Database
from tests.durable.conftest import Process, Processes, Queue, Seen, forever, until
from tests.temporal_server import TemporalServer


@pytest.fixture
async def sharing(
    own_ground: Migrated, database: Database, temporal_server: TemporalServer
) -> AsyncIterator[Processes]:
    """Processes that leave it to Temporal who of them begins a job."""
    started = Processes(own_ground, database, temporal_server)
    yield started
    for process in list(started.alive):
        await started.stop(process)


async def activity_of(server: TemporalServer, queue: Queue, key: str) -> tuple[Client, str]:
    row = await queue.row(key)
    assert row
    return await adapter.connect(server.address), f"{row['name']}:{row['number']}"


async def start_without_taking(sharing: Processes, seen: Seen, monkeypatch: pytest.MonkeyPatch) -> Process:
    """Start a process that gives out jobs, and takes none from Temporal."""
    with monkeypatch.context() as patched:
        patched.setattr(adapter.TemporalDelivery, "_take_forever", lambda _: forever(None))  # type: ignore[arg-type]
        return await sharing.start(seen.handlers(), lease_s=1.0)


async def begins(sharing: Processes, process: Process) -> None:
    """Let a process that took none take jobs."""
    assert process.worker
    delivery = process.worker._delivery
    assert isinstance(delivery, adapter.TemporalDelivery)
    delivery._tasks.append(asyncio.create_task(delivery._take_forever()))


async def test_temporal_is_told_the_name_the_key_and_the_number_and_nothing_else(
    sharing: Processes, queue: Queue, temporal_server: TemporalServer
) -> None:
    process = await sharing.start(Seen(forever).handlers())
    await queue.add("told")
    wake(process.bus)
    await until(lambda: process.worker and process.worker.running)
    row = await queue.row("told")
    client, activity_id = await activity_of(temporal_server, queue, "told")

    found = await client.get_activity_handle(activity_id).describe(
        include_input=True, include_heartbeat_details=True)

    assert row
    assert await found.input() == ["test.work", "told", row["number"]]
    assert not await found.heartbeat_details()
    assert str(row["workspace_id"]) not in str(found.raw_info)


async def test_what_goes_wrong_before_a_job_begins_is_not_told_to_temporal_and_the_job_is_granted_again(
    sharing: Processes, queue: Queue, temporal_server: TemporalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, failed = adapter.grants_of.begin, list[int]()

    async def fail_once(*arguments: object) -> object:
        if not failed:
            failed.append(arguments[-1])  # type: ignore[arg-type]
            raise RuntimeError("row of a secret: sk-12345")
        return await begin(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(adapter.grants_of, "begin", fail_once)
    seen = Seen()
    process = await sharing.start(seen.handlers(), lease_s=1.0)
    await queue.add("unlucky")
    wake(process.bus)
    await until(lambda: is_gone(queue, "unlucky"))

    client = await adapter.connect(temporal_server.address)
    found = await client.get_activity_handle(f"test.work:{failed[0]}").describe(
        include_outcome=True, include_last_failure=True)
    assert seen.driven == ["unlucky"]
    assert "sk-12345" not in str((found.raw_info, found.raw_outcome))


async def test_jobs_are_shared_out_among_all_workers(sharing: Processes, queue: Queue) -> None:
    """Six places in three processes: all six are filled, though one process is granted them all."""
    everybody = [Seen(forever) for _ in range(3)]
    for seen in everybody:
        await sharing.start(seen.handlers(), capacity=2)
    for n in range(9):
        await queue.add(f"job-{n}")
    wake(sharing.alive[0].bus)

    await until(lambda: [len(seen.driven) for seen in everybody] == [2, 2, 2])
    await asyncio.sleep(0.3)

    assert sum(len(seen.driven) for seen in everybody) == 6


async def test_what_is_ended_in_temporal_before_it_began_is_granted_again(
    sharing: Processes, queue: Queue, temporal_server: TemporalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = Seen()
    process = await start_without_taking(sharing, seen, monkeypatch)
    await queue.add("ended")
    wake(process.bus)

    async def number() -> int:
        row = await queue.row("ended")
        return row["number"] if row and row["executor_id"] else 0

    await until(number)
    first = await number()
    client, activity_id = await activity_of(temporal_server, queue, "ended")
    await until(lambda: is_known(client, activity_id))
    await client.get_activity_handle(activity_id).terminate()

    async def is_granted_again() -> bool:
        return await number() > first

    await until(is_granted_again)
    row = await queue.row("ended")
    assert row
    assert (row["attempts"], row["crashes"]) == (1, 0)
    await begins(sharing, process)
    await until(lambda: seen.driven == ["ended"])


async def test_a_job_at_work_goes_on_when_its_activity_is_ended(
    sharing: Processes, queue: Queue, temporal_server: TemporalServer
) -> None:
    may_end = asyncio.Event()

    async def wait(_: HeldJob) -> None:
        await may_end.wait()

    seen = Seen(wait)
    process = await sharing.start(seen.handlers(), lease_s=1.0)
    await queue.add("long")
    wake(process.bus)
    await until(lambda: seen.driven)
    client, activity_id = await activity_of(temporal_server, queue, "long")

    await client.get_activity_handle(activity_id).cancel()
    await until(lambda: is_ended(client, activity_id))
    await asyncio.sleep(1.0)
    may_end.set()

    await until(lambda: is_gone(queue, "long"))
    assert (seen.driven, seen.interrupted) == (["long"], [])


async def test_a_runner_whose_heartbeats_do_not_arrive_keeps_its_jobs_while_it_renews_its_lease(
    sharing: Processes, queue: Queue, temporal_server: TemporalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter.activity, "heartbeat", lambda: None)
    may_end = asyncio.Event()

    async def wait(_: HeldJob) -> None:
        await may_end.wait()

    seen, other = Seen(wait), Seen()
    process = await sharing.start(seen.handlers(), lease_s=1.0)
    await queue.add("unheard")
    wake(process.bus)
    await until(lambda: seen.driven)
    await sharing.start(other.handlers(), lease_s=1.0)
    client, activity_id = await activity_of(temporal_server, queue, "unheard")

    await until(lambda: is_ended(client, activity_id))
    found = await client.get_activity_handle(activity_id).describe()
    await asyncio.sleep(1.0)
    may_end.set()

    await until(lambda: is_gone(queue, "unheard"))
    assert found.status is ActivityExecutionStatus.TIMED_OUT
    assert (seen.driven, seen.interrupted, other.driven) == (["unheard"], [], [])


async def test_a_death_is_counted_for_who_was_alone_in_the_process(sharing: Processes, queue: Queue) -> None:
    dying, living = Seen(forever), Seen(forever)
    killed = await sharing.start(dying.handlers(), lease_s=1.0)
    await queue.add("alone")
    wake(killed.bus)
    await until(lambda: dying.driven)

    await sharing.kill(killed)
    await sharing.start(living.handlers(), lease_s=1.0)
    await until(lambda: living.driven)

    row = await queue.row("alone")
    assert row
    assert (row["attempts"], row["crashes"]) == (2, 1)


async def test_a_worker_that_does_not_know_a_kind_of_job_leaves_it_to_one_that_does(
    sharing: Processes, queue: Queue
) -> None:
    old, new = Seen(), Seen()
    await sharing.start(old.handlers("test.work"))
    await sharing.start(new.handlers("test.newer"))
    for n in range(6):
        await queue.add(f"job-{n}", name="test.newer")
    wake(sharing.alive[0].bus)

    await until(lambda: len(new.driven) == 6)

    assert old.driven == []


async def test_with_temporal_away_what_runs_goes_on_and_what_was_granted_begins_when_it_is_back(
    sharing: Processes, queue: Queue, temporal_server: TemporalServer
) -> None:
    may_end = asyncio.Event()

    async def wait(_: HeldJob) -> None:
        await may_end.wait()

    seen = Seen(wait)
    process = await sharing.start(seen.handlers(), lease_s=1.0)
    await queue.add("running")
    wake(process.bus)
    await until(lambda: seen.driven)

    temporal_server.end()
    assert process.worker
    with pytest.raises(Exception, match=r"\w"):
        await process.worker._delivery.probe()
    await queue.add("waiting")
    wake(process.bus)
    may_end.set()
    await until(lambda: is_gone(queue, "running"))
    assert seen.driven == ["running"]
    await temporal_server.start()

    await until(lambda: is_gone(queue, "waiting"))
    assert seen.driven == ["running", "waiting"]
    await process.worker._delivery.probe()


async def test_the_built_in_engine_takes_over_what_temporal_had(
    sharing: Processes, queue: Queue, own_ground: Migrated, database: Database
) -> None:
    by_temporal, built_in = Seen(forever), Seen()
    first = await sharing.start(by_temporal.handlers(), capacity=2, lease_s=1.0)
    for n in range(5):
        await queue.add(f"job-{n}")
    wake(first.bus)
    await until(lambda: len(by_temporal.driven) == 2)
    plain = Processes(own_ground, database)
    second = await plain.start(built_in.handlers(), lease_s=1.0)
    await asyncio.sleep(0.3)
    assert built_in.driven == [], "who gives out jobs gives them to its own kind"

    await sharing.stop(first)
    await until(lambda: len(built_in.driven) == 5)
    await plain.stop(second)


@pytest.mark.parametrize(("namespace", "port", "words"), [
    ("nowhere", None, r"has no namespace nowhere\. Create it"),
    ("default", 1, r"No Temporal could be reached at 127\.0\.0\.1:1 .*Start it, or correct AUTOMATOS_ENGINE"),
])
async def test_a_temporal_that_cannot_be_used_is_refused_with_what_to_do(
    database: Database, temporal_server: TemporalServer, namespace: str, port: int | None, words: str
) -> None:
    target = temporal_server.address.target if port is None else f"127.0.0.1:{port}"
    lease = WorkerLease(database, 1.0)

    with pytest.raises(EngineRefused, match=words):
        await open_delivery(TemporalAddress(target, namespace), database, lease, None)  # type: ignore[arg-type]


async def is_known(client: Client, activity_id: str) -> bool:
    try:
        await client.get_activity_handle(activity_id).describe()
    except Exception:
        return False
    return True


async def is_ended(client: Client, activity_id: str) -> bool:
    found = await client.get_activity_handle(activity_id).describe()
    return found.status is not ActivityExecutionStatus.RUNNING


async def is_gone(queue: Queue, key: str) -> bool:
    return await queue.row(key) is None
