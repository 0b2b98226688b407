"""The bus and the streams that follow it: every event once and in order, whatever is lost on the way."""

import asyncio
import shutil
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest

from automatos.durable.bus import cursor_of, places_of
from automatos.durable.stream import follow, follow_many
from automatos.durable.types import BACKLOG, StoredEvent, Subscription
from automatos.kernel.db import Database
from tests.durable.conftest import Log, Process, Processes, add_workspace, until


def is_last(event: StoredEvent) -> bool:
    return event.type == "execution.completed"


async def yes() -> bool:
    return True


def frames_of(text: str) -> list[tuple[str, dict[str, Any]]]:
    """Read server-sent events: the id and the data of each."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if line and not line.startswith(":"))
        if "data" in fields:
            found.append((fields.get("id", ""), orjson.loads(fields["data"])))
    return found


async def seqs(stream: AsyncGenerator[str], count: int | None = None, timeout_s: float = 60) -> list[int]:
    """Return the numbers of the events of a stream: all of them, or the first `count`."""
    found: list[int] = []
    async with asyncio.timeout(timeout_s), aclosing(stream):
        async for text in stream:
            found += [data["seq"] for _, data in frames_of(text)]
            if count is not None and len(found) >= count:
                break
    return found


def following(process: Process, log: Log, after: int = 0) -> AsyncGenerator[str]:
    return follow(process.bus, process.database, log.workspace_id, log.topic, after, is_last, yes)


async def test_a_reader_gets_what_was_stored_before_it_came_and_then_what_follows(
    processes: Processes, log: Log
) -> None:
    process = await processes.start()
    await log.append(3)
    reading = asyncio.create_task(seqs(following(process, log)))
    await asyncio.sleep(0.05)

    process.bus.publish(log.workspace_id, await log.append(2))
    process.bus.publish(log.workspace_id, await log.append(1, type_="execution.completed"))

    assert await reading == [1, 2, 3, 4, 5, 6]


async def test_a_reader_that_comes_back_gets_only_what_it_has_not_seen(processes: Processes, log: Log) -> None:
    process = await processes.start()
    await log.append(4)
    await log.append(1, type_="execution.completed")

    assert await seqs(following(process, log, after=3)) == [4, 5]


async def test_an_event_that_was_never_announced_is_read_when_the_next_one_shows_the_hole(
    processes: Processes, log: Log
) -> None:
    process = await processes.start()
    reading = asyncio.create_task(seqs(following(process, log)))
    await asyncio.sleep(0.05)

    await log.append(3)
    process.bus.publish(log.workspace_id, await log.append(1, type_="execution.completed"))

    assert await asyncio.wait_for(reading, 60) == [1, 2, 3, 4]


async def test_events_that_nobody_announces_are_found_all_the_same(processes: Processes, log: Log) -> None:
    process = await processes.start()
    reading = asyncio.create_task(seqs(following(process, log)))
    await asyncio.sleep(0.05)

    await log.append(1, type_="execution.completed")

    assert await asyncio.wait_for(reading, 60) == [1]


async def test_a_slow_reader_holds_a_bounded_backlog_and_still_sees_every_event_once(
    processes: Processes, log: Log
) -> None:
    process = await processes.start()
    await log.append(1)
    stream = following(process, log)
    first = await anext(stream)
    for _ in range(BACKLOG // 50 + 3):
        process.bus.publish(log.workspace_id, await log.append(50))
    process.bus.publish(log.workspace_id, await log.append(1, type_="execution.completed"))

    rest = await seqs(stream)

    assert [data["seq"] for _, data in frames_of(first)] + rest == list(range(1, log.last + 1))


def test_a_subscription_that_overflows_forgets_its_events_and_names_the_stream_to_read() -> None:
    subscription = Subscription()
    events = [StoredEvent("run:x", n, "step.delta", "", "{}") for n in range(1, BACKLOG + 2)]

    subscription.offer(events[:BACKLOG])
    subscription.offer(events[BACKLOG:])
    live, must_read, _ = subscription.take()

    assert live == []
    assert must_read == {"run:x"}


async def test_readers_in_another_process_are_woken(processes: Processes, log: Log) -> None:
    writer, other = await processes.start(), await processes.start()
    await until(lambda: writer.lease.others > 0)
    await asyncio.sleep(0.1)
    reading = asyncio.create_task(seqs(following(other, log)))
    await asyncio.sleep(0.05)

    writer.bus.publish(log.workspace_id, await log.append(1, type_="execution.completed"))

    assert await asyncio.wait_for(reading, 60) == [1]


async def test_a_killed_listening_connection_costs_no_event(
    processes: Processes, log: Log, database: Database
) -> None:
    writer, other = await processes.start(), await processes.start()
    reading = asyncio.create_task(seqs(following(other, log)))
    await asyncio.sleep(0.2)

    async with database.recording(None) as connection:
        killed = await connection.fetchval(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE query LIKE 'LISTEN%' AND pid <> pg_backend_pid()")
    writer.bus.publish(log.workspace_id, await log.append(2))
    await asyncio.sleep(0.1)
    writer.bus.publish(log.workspace_id, await log.append(1, type_="execution.completed"))

    assert killed >= 1
    assert await reading == [1, 2, 3]


async def test_the_topic_of_another_workspace_gives_nothing(processes: Processes, log: Log, database: Database) -> None:
    process = await processes.start()
    await log.append(2)
    foreign = await add_workspace(database)
    stream = follow(process.bus, process.database, foreign, log.topic, 0, is_last, yes)
    reading = asyncio.create_task(seqs(stream))
    await asyncio.sleep(0.05)

    process.bus.publish(log.workspace_id, await log.append(1, type_="execution.completed"))
    await asyncio.sleep(2.3)

    assert not reading.done()
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)


async def test_a_reader_who_is_no_longer_allowed_loses_the_stream(
    processes: Processes, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("automatos.durable.stream.PERMISSION_S", 0.0)
    process = await processes.start()
    await log.append(1)

    async def no() -> bool:
        return False

    stream = follow(process.bus, process.database, log.workspace_id, log.topic, 0, is_last, no)

    assert await seqs(stream) == [1]


async def test_readers_are_released_when_their_process_stops(processes: Processes, log: Log) -> None:
    process = await processes.start()
    await log.append(1)
    reading = asyncio.create_task(seqs(following(process, log)))
    await asyncio.sleep(0.05)

    process.bus.release_readers()

    assert await asyncio.wait_for(reading, 60) == [1]


async def test_several_streams_in_one_go_on_from_the_cursor_of_any_frame(processes: Processes, log: Log) -> None:
    process = await processes.start()
    other = Log(log.database, log.workspace_id)
    await log.append(3)
    await other.append(2)
    topics = {log.topic: 0, other.topic: 0}
    stream = follow_many(process.bus, process.database, log.workspace_id, topics, [], yes)
    async with aclosing(stream):
        first = frames_of(await anext(stream))
    cursor = places_of(first[-1][0])
    process.bus.publish(log.workspace_id, await log.append(2))
    await other.append(1)

    resumed = follow_many(process.bus, process.database, log.workspace_id, cursor, [], yes)
    async with aclosing(resumed):
        second = frames_of(await anext(resumed))

    seen = sorted((data["topic"], data["seq"]) for _, data in first + second)
    assert seen == sorted([(log.topic, n) for n in range(1, 6)] + [(other.topic, n) for n in range(1, 4)])


async def test_hints_tell_list_readers_to_look_again(processes: Processes, workspace_id: UUID) -> None:
    process, other = await processes.start(), await processes.start()
    await until(lambda: process.lease.others > 0)
    stream = follow_many(other.bus, other.database, workspace_id, {}, ["runs", "agents"], yes)
    async with aclosing(stream):
        at_start = frames_of(await anext(stream))
        await asyncio.sleep(0.1)
        waiting = asyncio.create_task(anext(stream))
        await asyncio.sleep(0.05)
        process.bus.hint(workspace_id, "runs")
        later = frames_of(await asyncio.wait_for(waiting, 60))
        if len(later) == 2:  # the bus had only now begun to listen, which is told like a beginning
            process.bus.hint(workspace_id, "runs")
            later = frames_of(await asyncio.wait_for(anext(stream), 60))

    assert [data["topic"] for _, data in at_start] == ["agents", "runs"]
    assert [data["topic"] for _, data in later] == ["runs"]


@pytest.mark.parametrize("cursor", ["", "zz", "00", cursor_of({"run:x": -1}), cursor_of({"run:x": 2**40}),
                                    b'{"run:x": true}'.hex(), b"[1]".hex(), b'{"run:x": "1"}'.hex()])
def test_a_malformed_cursor_is_the_beginning(cursor: str) -> None:
    assert places_of(cursor) == {}


@pytest.fixture
async def redis_url(tmp_path: Path) -> AsyncIterator[str]:
    """A real Redis on loopback."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    server = await asyncio.create_subprocess_exec(
        program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path),
        stdout=asyncio.subprocess.DEVNULL)
    try:
        await until(lambda: _answers(port))
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        await server.wait()


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


@pytest.mark.capability("S128")
async def test_every_event_of_a_run_is_on_its_redis_channel_and_on_its_stream(
    processes: Processes, log: Log, redis_url: str
) -> None:
    from redis import asyncio as redis

    process = await processes.start(redis_url=redis_url)
    reading = asyncio.create_task(seqs(following(process, log)))
    async with redis.Redis.from_url(redis_url) as listener, listener.pubsub() as channel:
        await channel.subscribe(f"workflow:{log.workspace_id}:execution:{log.topic.removeprefix('run:')}")
        await channel.get_message(timeout=2)
        process.bus.publish(log.workspace_id, await log.append(3))
        process.bus.publish(log.workspace_id, await log.append(1, type_="execution.completed"))
        heard = [orjson.loads((await channel.get_message(timeout=2))["data"]) for _ in range(4)]

    assert [event["seq"] for event in heard] == [1, 2, 3, 4]
    assert {event["topic"] for event in heard} == {log.topic}
    assert await reading == [1, 2, 3, 4]


@pytest.mark.capability("S128")
async def test_a_redis_that_is_down_costs_only_its_channel(processes: Processes, log: Log) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = await processes.start(redis_url=f"redis://127.0.0.1:{port}/0")
    reading = asyncio.create_task(seqs(following(process, log)))
    await asyncio.sleep(0.05)

    process.bus.publish(log.workspace_id, await log.append(5))
    process.bus.publish(log.workspace_id, await log.append(1, type_="execution.completed"))

    assert await reading == [1, 2, 3, 4, 5, 6]
