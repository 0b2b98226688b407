"""Database access: sessions for people's requests, recording connections for the engine; both inside one workspace.

Every transaction carries the workspace it works for in `automatos.workspace_id`; row-level security shows no row
without it. Reads that must cross workspaces (who is this key? whose token is this?) name a `Scope`, which has its
own policies. Who a connection works as is asked of PostgreSQL itself, on every new connection.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import orjson
import structlog
from sqlalchemy import ColumnElement, event, text, true
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute

from automatos.kernel.address import PostgresAddress, read_address
from automatos.kernel.errors import DatabaseRefused, DatabaseUnavailable
from automatos.kernel.pool import CONNECT_TIMEOUT_S, ConnectionPool, RecordingPools
from automatos.kernel.pooler import Pooler, find_pooler
from automatos.kernel.recording import RecordingConnection, Scope, dump_json, dump_known, use_json
from automatos.kernel.refusals import FULL, REFUSALS, Meaning, is_unavailable, meaning_of, sqlstate_of, unavailable

__all__ = ["AFTER_COMMIT", "Base", "Database", "RecordingConnection", "Scope", "after_commit",
           "dump_json", "dump_known", "in_reach", "make_engine"]

Row = TypeVar("Row")
COMMAND_TIMEOUT_S = 30.0
AFTER_COMMIT = "automatos.after_commit"
CLOSING_LOOKS = 40
"""How often, every 50 ms, closing looks whether the sessions under way have ended."""
WHO = """
SELECT current_user AS name, pg_backend_pid() AS pid,
       (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user)
       OR NOT coalesce(row_security_active(to_regclass('agents')::oid), true) AS is_unbound
"""
ROOM = ("SET LOCAL work_mem = '64kB'; SELECT count(*) FROM "
        "(SELECT repeat(md5(n::text), 4) AS text FROM generate_series(1, 6000) AS n ORDER BY 1) AS sorted")
"""Sorts on the disk, which takes a megabyte of it for a moment: 10 ms, and nothing is left behind in the catalogue."""
log = structlog.get_logger("automatos.kernel")


class Base(DeclarativeBase):
    """The parent of every table."""


_FOR_POOLERS: dict[str, Any] = {"statement_cache_size": 0, "prepared_statement_cache_size": 0,
                                "prepared_statement_name_func": str}
"""No statement outlives its transaction, and none has a name that another client of the pooler may have given."""


def make_engine(address: PostgresAddress, *, names_statements: bool = False, **more: Any) -> AsyncEngine:
    """Return an engine on an address; without names for its statements it works behind every pooler."""
    arguments = address.for_asyncpg(CONNECT_TIMEOUT_S, {"timezone": "UTC"})
    return create_async_engine(
        "postgresql+asyncpg://", isolation_level="READ COMMITTED",
        connect_args=arguments | ({} if names_statements else _FOR_POOLERS), hide_parameters=True,
        json_serializer=dump_json, json_deserializer=orjson.loads, **more)


class Database(RecordingPools):
    """This process's connections to PostgreSQL.

    `role` is what every transaction steps down to. `pooler` says what stands between; where nobody says, `open` finds
    out. `direct_url` leads past it, for listening. Statements have names, and are planned once, where it is certain
    that a connection keeps its backend.
    """

    def __init__(
        self, url: str, *, role: str | None = None, pool_size: int = 8, echo: bool = False,
        pooler: Pooler | None = None, direct_url: str | None = None,
    ) -> None:
        self.url = url
        self.address = read_address(url)
        self.pooler = pooler
        self.full_since: float | None = None
        self.looked_for_room = 0
        self._direct = read_address(direct_url, "AUTOMATOS_DATABASE_DIRECT_URL") if direct_url else self.address
        self._names_statements = pooler in {Pooler.NONE, Pooler.SESSION}
        self._role = role
        self._pool_size = pool_size
        self._inside = self._between = None
        kept = pool_size // 2
        self.engine = make_engine(
            self.address, names_statements=True, echo=echo, pool_size=kept, max_overflow=pool_size - kept,
            pool_timeout=CONNECT_TIMEOUT_S)
        event.listen(self.engine.sync_engine, "do_connect", self._before_connecting)
        event.listen(self.engine.sync_engine, "handle_error", _name_silence)
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)

    async def open(self) -> None:
        """Open the recording pools; raises what the driver raises when PostgreSQL cannot be reached.

        Work inside workspaces and work between them (sign-in, the queue) have a pool each, so that neither waits for
        the other. With the sessions' that is `most_connections`, and one more that listens.
        """
        if self.pooler is None:
            self.pooler = await self._find_pooler()
            self._names_statements = self.pooler is Pooler.NONE
        self._inside = await self._make_pool(self._pool_size)
        self._between = await self._make_pool(self._pool_size // 2 + 1)

    @property
    def most_connections(self) -> int:
        """How many connections there are at once at most, without the one that listens."""
        return self._pool_size * 2 + self._pool_size // 2 + 1

    @property
    def pools(self) -> dict[str, tuple[int, int, int]]:
        """How many connections of each pool are in use, how many are idle, and how many callers wait for one.

        Who waits for a session is not counted: its pool does not tell.
        """
        kept: Any = self.engine.pool
        recording = {"workspaces": self._inside, "engine": self._between}
        return {"sessions": (kept.checkedout(), kept.checkedin(), 0)} | {
            name: pool.figures for name, pool in recording.items() if pool}

    async def close(self) -> None:
        """Close every connection; anything still running on them is cut off after a few seconds."""
        for pool in (self._inside, self._between):
            if pool is None:
                continue
            try:
                await asyncio.wait_for(pool.close(), 5)
            except TimeoutError:
                pool.terminate()
        for _ in range(CLOSING_LOOKS):
            if not self.engine.pool.checkedout():  # pyright: ignore[reportAttributeAccessIssue]
                break
            await asyncio.sleep(0.05)
        await self.engine.dispose()

    async def _find_pooler(self) -> Pooler:
        parameters = self.address.for_asyncpg(CONNECT_TIMEOUT_S)
        one = await asyncpg.connect(statement_cache_size=0, **parameters)
        try:
            other = await asyncpg.connect(statement_cache_size=0, **parameters)
            try:
                return await find_pooler(one, other)
            finally:
                other.terminate()
        finally:
            one.terminate()

    async def _make_pool(self, size: int) -> ConnectionPool:
        pool = ConnectionPool(self._connect_recording, size)
        await pool.open()
        return pool

    async def _connect_recording(self) -> RecordingConnection:
        connection: RecordingConnection = await asyncpg.connect(
            connection_class=RecordingConnection, command_timeout=COMMAND_TIMEOUT_S,
            statement_cache_size=100 if self._names_statements else 0,
            **self.address.for_asyncpg(CONNECT_TIMEOUT_S, {"timezone": "UTC"}))
        try:
            await self._prepare(connection)
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def _prepare(self, connection: RecordingConnection) -> None:
        """Make a new recording connection ready, and see that row-level security binds it.

        Plans are made once per statement (all of them look rows up by key), not once per execution; behind a pooler
        there is no second execution to make them for.
        """
        await use_json(connection)
        if self._names_statements:
            await connection.execute("SET plan_cache_mode = force_generic_plan")
        await connection.step_down(self._role, is_own_backend=self._names_statements)
        _refuse_unbound(await connection.fetchrow(WHO))

    def _before_connecting(self, _dialect: object, _record: object, _args: object, parameters: dict[str, Any]) -> None:
        """Give the engine connections of ours; as long as nobody has looked, there may be a pooler."""
        parameters["async_creator_fn"] = self._connect_session
        parameters["command_timeout"] = COMMAND_TIMEOUT_S
        if not self._names_statements:
            parameters |= _FOR_POOLERS

    async def _connect_session(self, **parameters: Any) -> asyncpg.Connection:
        connection = await asyncpg.connect(**parameters)
        try:
            async with connection.transaction():
                if self._role:
                    await connection.execute(f"SET LOCAL ROLE {self._role}")
                _refuse_unbound(await connection.fetchrow(WHO))
        except BaseException:
            connection.terminate()
            raise
        return connection

    @property
    def can_listen(self) -> bool:
        """Whether a connection of `connect` hears what is sent to it: not one whose backend changes."""
        return self.pooler is not Pooler.TRANSACTION or self._direct is not self.address

    @asynccontextmanager
    async def session(self, workspace_id: UUID | None, scope: Scope | None = None) -> AsyncGenerator[AsyncSession]:
        """Open one transaction inside a workspace; it commits when the block ends and rolls back when it raises."""
        is_begun = is_ending = False
        try:
            async with self._sessions() as session:
                as_role = "set_config('role', :r, true), " if self._role else ""
                await session.execute(
                    text(f"SELECT {as_role}set_config('automatos.workspace_id', :w, true), "
                         "set_config('automatos.scope', :s, true)"),
                    {"w": str(workspace_id or ""), "s": str(scope or "")} | ({"r": self._role} if self._role else {}),
                )
                is_begun = True
                yield session
                is_ending = True
                await session.commit()
                is_ending = False
                for do in session.info.pop(AFTER_COMMIT, ()):
                    do()
        except DatabaseUnavailable:
            raise
        except (DBAPIError, NoConnectionFree, *REFUSALS) as error:
            # Between beginning and end, a bare OSError or TimeoutError is the caller's own.
            is_callers = is_begun and not is_ending and meaning_of(error) is not Meaning.UNAVAILABLE
            if is_callers or not is_unavailable(error):
                raise
            self._note(error)
            raise unavailable(error, is_unsure=is_ending) from error

    async def connect(self) -> asyncpg.Connection:
        """Open one connection for LISTEN, past the pooler where there is a way; the caller closes it.

        It works for no workspace and steps down to no role.
        """
        return await asyncpg.connect(
            statement_cache_size=0, **self._direct.for_asyncpg(CONNECT_TIMEOUT_S, {"timezone": "UTC"}))

    async def has_room(self) -> bool:
        """Say whether records can be written; looks only since PostgreSQL has said that it is full."""
        if self.full_since is None:
            return True
        self.looked_for_room += 1
        try:
            async with self.recording(None) as connection:
                await connection.execute(ROOM)
        except DatabaseUnavailable:
            return False
        self.full_since = None
        return True

    async def try_room(self) -> None:
        """Take and give back a megabyte of PostgreSQL's disk; raises DatabaseUnavailable where there is none."""
        async with self.recording(None) as connection:
            await connection.execute(ROOM)
        self.full_since = None

    def _note(self, error: BaseException) -> None:
        """Remember that PostgreSQL was full: small changes may still succeed where a record finds no room."""
        if sqlstate_of(error) in FULL and self.full_since is None:
            self.full_since = time.monotonic()
            log.error("database.full", error=str(error).partition("\n")[0])


def _name_silence(context: ExceptionContext) -> None:
    """Tell a statement that was not answered, a bare TimeoutError of the driver, from a time limit of the caller's."""
    if isinstance(error := context.original_exception, (OSError, TimeoutError)):
        raise unavailable(error) from error


def _refuse_unbound(found: asyncpg.Record | None) -> None:
    if found is None or found["is_unbound"]:
        raise DatabaseRefused(
            f"PostgreSQL lets the login {found['name'] if found else ''} past row-level security, which keeps the "
            "workspaces apart. Give DATABASE_URL a login that is no superuser and has no BYPASSRLS, or let the server "
            "work as the role that `automatos db upgrade` makes.")


def after_commit(session: AsyncSession, do: Callable[[], None]) -> None:
    """Have something done as soon as the session's transaction is committed, and never when it is not."""
    session.info.setdefault(AFTER_COMMIT, []).append(do)


def in_reach(column: InstrumentedAttribute[UUID], workspace_id: UUID | None) -> ColumnElement[bool]:
    """Return the condition that a row is the workspace's; None means every workspace that the session may see."""
    return true() if workspace_id is None else column == workspace_id
