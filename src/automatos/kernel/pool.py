"""The engine's connections, kept for the next one who asks: handing out one that is free costs no task and no timer."""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any
from uuid import UUID

import asyncpg
import structlog
from asyncpg.pool import PoolConnectionProxy

from automatos.kernel.errors import DatabaseUnavailable
from automatos.kernel.recording import RecordingConnection, Scope
from automatos.kernel.refusals import REFUSALS, is_unavailable, unavailable

CONNECT_TIMEOUT_S = 5.0
IDLE_S = 60.0
CLEAN_S = 5.0
MOST_STATEMENTS = 50_000
"""A connection that has sent so many is replaced: PostgreSQL never gives back all the memory of a backend."""
log = structlog.get_logger("automatos.kernel")


class ConnectionPool:
    """At most `size` connections, made by `connect` when they are needed; who waits longest gets the next one.

    The one used last is lent first. Those that were not needed for a minute are closed, but for one. A connection that
    comes back in the middle of something is made clean, or closed, before anybody else gets it.
    """

    def __init__(self, connect: Callable[[], Awaitable[RecordingConnection]], size: int) -> None:
        self._connect = connect
        self._size = size
        self._places = 0
        self._free: list[tuple[float, RecordingConnection]] = []
        self._all: set[RecordingConnection] = set()
        self._waiting: deque[asyncio.Future[RecordingConnection | None]] = deque()
        self._sweep: asyncio.TimerHandle | None = None
        self._is_closing = False
        self._returned = asyncio.Event()
        self._pool = self
        """asyncpg tells the pool of a proxy's holder, which both are this one, when the tables have changed."""

    @property
    def figures(self) -> tuple[int, int, int]:
        """How many connections are lent, how many are free, and how many wait for one."""
        return len(self._all) - len(self._free), len(self._free), len(self._waiting)

    async def open(self) -> None:
        """Make the first connection, so that what stands in the way shows at once."""
        self.give_back(await self.take(None))

    def take_free(self) -> RecordingConnection | None:
        """Return a free connection, None when there is none."""
        while self._free and not self._is_closing:
            _, connection = self._free.pop()
            if not connection.is_closed():
                return connection
            self._forget(connection)
        return None

    async def take(self, timeout_s: float | None) -> RecordingConnection:
        """Return a connection as soon as there is one; raises TimeoutError when that takes too long."""
        if free := self.take_free():
            return free
        if self._is_closing:
            raise asyncpg.InterfaceError("pool is closing")
        async with asyncio.timeout(timeout_s):
            if self._places < self._size:
                self._places += 1
                return await self._make()
            return await self._wait() or await self._make()

    def lend(self, connection: RecordingConnection) -> PoolConnectionProxy:
        """Return a taken connection as it is lent: asyncpg's proxy, which refuses everything once it is given back."""
        return PoolConnectionProxy(self, connection)  # pyright: ignore[reportArgumentType]

    def give_back(self, connection: RecordingConnection) -> asyncio.Task[None] | None:
        """Take a connection back; where it must be made clean first, return the task that does it, whoever waits."""
        connection.end_loan()
        if connection.is_closed() or connection.statements >= MOST_STATEMENTS:
            self._forget(connection)
        elif connection.is_clean:
            self._hand_on(connection)
        else:
            return asyncio.create_task(self._clean(connection))
        return None

    async def close(self) -> None:
        """Wait until every connection has come back, and close them; nobody gets another one."""
        self._is_closing = True
        self._refuse_waiting()
        while self._places:
            while self._free:
                _, connection = self._free.pop()
                await connection.close()
                self._forget(connection)
            self._returned.clear()
            if self._places:
                await self._returned.wait()

    def terminate(self) -> None:
        """Cut off every connection, whatever it does."""
        self._is_closing = True
        self._refuse_waiting()
        self._free.clear()
        for connection in tuple(self._all):
            connection.terminate()
        self._all.clear()

    def _drop_statement_cache(self) -> None:
        for connection in self._all:
            connection.forget_statements()

    def _drop_type_cache(self) -> None:
        for connection in self._all:
            connection.forget_types()

    async def _make(self) -> RecordingConnection:
        """Make a connection in a place that is held for it."""
        try:
            connection = await self._connect()
        except BaseException:
            self._hand_on(None)
            raise
        if self._is_closing:
            self._forget(connection)
            raise asyncpg.InterfaceError("pool is closing")
        self._all.add(connection)
        return connection

    async def _wait(self) -> RecordingConnection | None:
        """Return what is handed on to this waiter: a connection, or None for the place to make one in."""
        waiter: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self._hand_on(waiter.result())
            raise

    def _hand_on(self, connection: RecordingConnection | None) -> None:
        """Give a connection, or with None the place of one, to who waits longest; else it is free."""
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return
        if self._is_closing:
            self._returned.set()
        if connection is None:
            self._places -= 1
            return
        loop = asyncio.get_running_loop()
        self._free.append((loop.time(), connection))
        if self._sweep is None and len(self._free) > 1:
            self._sweep = loop.call_later(IDLE_S, self._close_unused)

    def _forget(self, connection: RecordingConnection) -> None:
        """End a connection and hand its place on."""
        self._all.discard(connection)
        connection.terminate()
        self._hand_on(None)

    def _close_unused(self) -> None:
        self._sweep = None
        loop = asyncio.get_running_loop()
        while len(self._free) > 1 and self._free[0][0] <= loop.time() - IDLE_S:
            self._forget(self._free.pop(0)[1])
        if len(self._free) > 1:
            self._sweep = loop.call_at(self._free[0][0] + IDLE_S, self._close_unused)

    async def _clean(self, connection: RecordingConnection) -> None:
        try:
            async with asyncio.timeout(CLEAN_S):
                await connection.clean(CLEAN_S)
        except Exception as error:  # noqa: BLE001 - whatever stands in the way: this connection is not used again
            log.debug("connection_given_up", error=type(error).__name__)
            connection.terminate()
        finally:
            if connection.is_closed() or not connection.is_clean:
                self._forget(connection)
            else:
                self._hand_on(connection)

    def _refuse_waiting(self) -> None:
        if self._sweep:
            self._sweep.cancel()
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_exception(asyncpg.InterfaceError("pool is closing"))


class _Recording(AbstractAsyncContextManager[asyncpg.Connection]):
    """A raw connection for one block: several of these are opened and closed for every step, so it is no generator."""

    __slots__ = ("_connection", "_note", "_pool", "_scope", "_workspace_id")

    def __init__(self, pool: ConnectionPool, workspace_id: UUID | None, scope: Scope | None,
                 note: Callable[[BaseException], None]) -> None:
        self._pool = pool
        self._workspace_id = workspace_id
        self._scope = scope
        self._note = note
        self._connection: RecordingConnection | None = None

    async def __aenter__(self) -> asyncpg.Connection:
        try:
            self._connection = taken = self._pool.take_free() or await self._pool.take(CONNECT_TIMEOUT_S)
        except Exception as error:
            self._translate(error)
            raise
        await taken.enter(self._workspace_id, self._scope)
        return self._pool.lend(taken)  # pyright: ignore[reportReturnType]

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, *_: object) -> None:
        taken, self._connection = self._connection, None
        if taken and (cleaning := self._pool.give_back(taken)):
            await asyncio.shield(cleaning)
        if error is not None:
            self._translate(error)

    def _translate(self, error: BaseException) -> None:
        """Raise what a refusal of the database means; any other error stays what it is."""
        if isinstance(error, DatabaseUnavailable) or not isinstance(error, REFUSALS) or not is_unavailable(error):
            return
        self._note(error)
        raise unavailable(error) from error


class RecordingPools(ABC):
    """The connections for work inside workspaces and for work between them, of one database; none until it is open."""

    _inside: ConnectionPool | None
    _between: ConnectionPool | None

    def recording(
        self, workspace_id: UUID | None, scope: Scope | None = None
    ) -> AbstractAsyncContextManager[asyncpg.Connection]:
        """Take a raw connection inside a workspace; each statement is its own transaction unless one is opened.

        Raises DatabaseUnavailable when PostgreSQL cannot be reached, goes away, is full or only to be read.
        """
        pool = self._inside if workspace_id else self._between
        if pool is None:
            raise RuntimeError("Database.open() was not awaited before the first recording")
        return _Recording(pool, workspace_id, scope, self._note)

    @abstractmethod
    def _note(self, error: BaseException) -> None:
        """Remember what a refusal says of the database."""
