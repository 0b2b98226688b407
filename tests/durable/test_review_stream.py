"""Readers cost what they read at a time, and a listener that cannot start leaves nothing behind."""

import asyncio

import pytest

from automatos.durable import bus as bus_module
from automatos.durable import stream
from automatos.kernel.errors import DatabaseUnavailable
from tests.durable.conftest import Log, Processes


async def allowed() -> bool:
    return True


async def test_a_long_history_is_handed_over_page_by_page_in_order(processes: Processes, log: Log) -> None:
    process = await processes.start()
    await log.append(5 * stream.PAGE + 7)
    frames = stream.follow(
        process.bus, process.database, log.workspace_id, log.topic, 0, lambda event: event.seq == log.last, allowed)

    pieces = [[int(line[4:]) for line in frame.splitlines() if line.startswith("id: ")] async for frame in frames]

    assert [seq for piece in pieces for seq in piece] == list(range(1, log.last + 1))
    assert max(map(len, pieces)) <= stream.PAGE


async def test_what_happens_while_a_history_is_read_is_neither_lost_nor_repeated(
    processes: Processes, log: Log
) -> None:
    process = await processes.start()
    await log.append(3 * stream.PAGE)
    end = 3 * stream.PAGE + 20
    frames = stream.follow(
        process.bus, process.database, log.workspace_id, log.topic, 0, lambda event: event.seq == end, allowed)
    seen: list[int] = []

    async for frame in frames:
        seen += [int(line[4:]) for line in frame.splitlines() if line.startswith("id: ")]
        if log.last < end:
            process.bus.publish(log.workspace_id, await log.append(5))

    assert seen == list(range(1, end + 1))


async def test_many_streams_with_long_histories_are_read_page_by_page(processes: Processes, log: Log) -> None:
    process = await processes.start()
    await log.append(2 * stream.PAGE + 3)
    frames = stream.follow_many(process.bus, process.database, log.workspace_id, {log.topic: 0}, ["runs"], allowed)
    sizes: list[int] = []

    async with asyncio.timeout(60):
        async for frame in frames:
            sizes.append(frame.count("id: "))
            if sum(sizes) == log.last:
                break
    await frames.aclose()

    assert max(sizes) <= stream.PAGE


async def test_a_listener_that_cannot_say_hello_closes_its_connection(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = await processes.start()
    await process.bus.stop()
    bus = bus_module.Bus(process.database, process.lease)
    opened, connect = [], process.database.connect

    async def note() -> object:
        opened.append(await connect())
        return opened[-1]

    async def refuse(*_: object) -> None:
        raise DatabaseUnavailable

    monkeypatch.setattr(process.database, "connect", note)
    monkeypatch.setattr(bus, "_notify", refuse)
    monkeypatch.setattr(bus_module, "RECONNECT_S", 0.02)
    await bus.start()
    await asyncio.sleep(0.5)
    await bus.stop()

    assert len(opened) > 2
    assert all(connection.is_closed() for connection in opened)
