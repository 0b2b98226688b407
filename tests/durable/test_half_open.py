"""A listening connection that leads nowhere, though nobody closed it, is noticed and made anew."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from automatos.durable import bus
from automatos.durable.bus import Bus
from automatos.durable.worker_lease import WorkerLease
from automatos.entrypoints.migrate import Migrated
from automatos.kernel.address import read_address
from automatos.kernel.db import Database
from tests.durable.conftest import Processes, until


@dataclass
class Wire:
    """What lies between a process and PostgreSQL; cut, it swallows everything and closes nothing."""

    host: str
    port: int
    url: str = ""
    connections: int = 0
    swallowing: set[int] = field(default_factory=set)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    def cut(self) -> None:
        self.swallowing = set(range(1, self.connections + 1))

    async def lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        to_server = await asyncio.open_connection(self.host, self.port)
        self.writers += [writer, to_server[1]]
        self.tasks += [asyncio.create_task(self._copy(number, reader, to_server[1])),
                       asyncio.create_task(self._copy(number, to_server[0], writer))]

    async def _copy(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while some := await reader.read(65536):
                if number not in self.swallowing:
                    writer.write(some)
        if number not in self.swallowing:
            writer.close()


@dataclass
class Listener:
    """A process whose listening connection goes over the wire, and what it has heard."""

    bus: Bus
    heard: list[str] = field(default_factory=list)


@pytest.fixture
async def wire(own_ground: Migrated) -> AsyncIterator[Wire]:
    address = read_address(own_ground.url)
    made = Wire(address.hosts[0], address.ports[0])
    server = await asyncio.start_server(made.lead, "127.0.0.1", 0)
    made_port = server.sockets[0].getsockname()[1]
    made.url = own_ground.url.replace(f"{address.hosts[0]}:{address.ports[0]}", f"127.0.0.1:{made_port}")
    yield made
    server.close()
    for task in made.tasks:
        task.cancel()
    await asyncio.gather(*made.tasks, return_exceptions=True)
    for writer in made.writers:
        writer.transport.abort()


@pytest.fixture
async def listener(
    own_ground: Migrated, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Listener]:
    monkeypatch.setattr(bus, "PROBE_EVERY_S", 0.1)
    monkeypatch.setattr(bus, "PROBE_TIMEOUT_S", 1.0)
    monkeypatch.setattr(bus, "RECONNECT_S", 0.1)
    database = Database(own_ground.url, role=own_ground.role, pool_size=4, direct_url=wire.url)
    await database.open()
    lease = WorkerLease(database, 60)
    await lease.start()
    made = Listener(Bus(database, lease))
    made.bus.on_word("said", made.heard.append)
    await made.bus.start()
    yield made
    await made.bus.stop()
    await lease.stop()
    await database.close()


async def test_a_connection_that_swallows_everything_is_replaced_and_hears_again(
    listener: Listener, wire: Wire, processes: Processes
) -> None:
    await until(lambda: listener.bus.is_listening)
    sender = await processes.start()
    await until(lambda: hears(listener, sender.bus, "before"))
    before = wire.connections

    wire.cut()
    await until(lambda: not listener.bus.is_listening)
    await until(lambda: listener.bus.is_listening)
    await until(lambda: hears(listener, sender.bus, "after"))

    assert wire.connections > before


async def test_a_connection_whose_backend_forgot_to_listen_is_replaced_too(
    listener: Listener, wire: Wire, processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As behind a pooler that was taken for none."""
    await until(lambda: listener.bus.is_listening)
    before, real = wire.connections, bus.queries.listens

    async def forgotten(*_: object) -> bool:
        monkeypatch.setattr(bus.queries, "listens", real)
        return False

    monkeypatch.setattr(bus.queries, "listens", forgotten)
    await until(lambda: wire.connections > before)
    sender = await processes.start()
    await until(lambda: hears(listener, sender.bus, "again"))


async def hears(listener: Listener, sender: Bus, rest: str) -> bool:
    """Say it again, as processes do: what was said before the connection stood is lost."""
    sender._lease.others = 1
    sender.send_word("said", rest)
    await asyncio.sleep(0.05)
    return rest in listener.heard
