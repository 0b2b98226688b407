"""Database access: sessions for people's requests, recording connections for the engine; both inside one workspace.

Every transaction carries the workspace it works for in `automatos.workspace_id`; row-level security shows no row
without it. Reads that must cross workspaces (who is this key? whose token is this?) name a `Scope`, which has its
own policies.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import asyncpg
import orjson
from sqlalchemy import ColumnElement, text, true
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute

from automatos.kernel.errors import DatabaseUnavailable

Row = TypeVar("Row")
CONNECT_TIMEOUT_S = 5.0
COMMAND_TIMEOUT_S = 30.0
AFTER_COMMIT = "automatos.after_commit"
CLOSING_LOOKS = 40
"""How often, every 50 ms, closing looks whether the sessions under way have ended."""
UNAVAILABLE = (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.CannotConnectNowError,
               asyncpg.TooManyConnectionsError, asyncpg.AdminShutdownError, asyncpg.CrashShutdownError,
               asyncpg.ReadOnlySQLTransactionError, TimeoutError, DatabaseUnavailable)
"""What a dead, restarting, full or read-only database raises: the driver's errors, and ours in front of them."""


class Base(DeclarativeBase):
    """The parent of every table."""


class Scope(StrEnum):
    """Why a transaction may look across workspaces; each has policies of its own on the tables it may see."""

    AUTH = "auth"
    ENGINE = "engine"
    ADMIN = "admin"


class RecordingConnection(asyncpg.Connection):
    """A raw connection that remembers which workspace it is set to, so that setting it again costs nothing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._inside: str | None = None

    async def enter(self, workspace_id: UUID | None, scope: Scope | None = None) -> None:
        """Set the workspace and scope of everything that follows on this connection."""
        wanted = f"{workspace_id or ''}/{scope or ''}"
        if self._inside == wanted:
            return
        self._inside = None
        await self.execute(
            f"SET automatos.workspace_id = '{workspace_id or ''}'; SET automatos.scope = '{scope or ''}'")
        self._inside = wanted


async def _prepare(connection: asyncpg.Connection) -> None:
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name, encoder=_encode, decoder=orjson.loads, schema="pg_catalog", format="text"
        )


def dump_json(value: Any) -> str:
    """Write a value as JSON text; ids, times and enums in it become strings."""
    return orjson.dumps(value, default=str).decode()


def _encode(value: Any) -> str:
    """Take text as JSON that is already written: the recording path serialises once and sends the same text on."""
    return value if isinstance(value, str) else dump_json(value)


async def _keep(_: asyncpg.Connection) -> None:
    """Leave a returned connection as it is: `enter` is called on every take, so nothing can leak from the last user."""


class Database:
    """This process's connections to PostgreSQL."""

    def __init__(self, url: str, *, role: str | None = None, pool_size: int = 8, echo: bool = False) -> None:
        self.url = url
        settings = {"application_name": "automatos", "timezone": "UTC"} | ({"role": role} if role else {})
        self._server_settings = settings
        self._pool_size = pool_size
        self._inside: asyncpg.Pool | None = None
        self._between: asyncpg.Pool | None = None
        self.engine: AsyncEngine = create_async_engine(
            sqlalchemy_url(url), pool_size=pool_size, max_overflow=pool_size, pool_timeout=CONNECT_TIMEOUT_S, echo=echo,
            json_serializer=dump_json, json_deserializer=orjson.loads,
            connect_args={"server_settings": settings, "timeout": CONNECT_TIMEOUT_S,
                          "command_timeout": COMMAND_TIMEOUT_S},
        )
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)

    async def open(self) -> None:
        """Open the recording pools; raises what the driver raises when PostgreSQL cannot be reached.

        Work inside workspaces and work between them (sign-in, the queue) have a pool each, so that a connection
        seldom has to be set to another workspace.
        """
        self._inside = await self._make_pool(self._pool_size * 2)
        self._between = await self._make_pool(max(2, self._pool_size // 2))

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

    async def _make_pool(self, size: int) -> asyncpg.Pool:
        """Plans are made once per statement (all of them look rows up by key), not once per execution."""
        return await asyncpg.create_pool(
            self.url, min_size=1, max_size=size, connection_class=RecordingConnection, init=_prepare,
            reset=_keep, timeout=CONNECT_TIMEOUT_S, command_timeout=COMMAND_TIMEOUT_S,
            server_settings=self._server_settings | {"plan_cache_mode": "force_generic_plan"},
            max_inactive_connection_lifetime=60,
        )

    @asynccontextmanager
    async def session(self, workspace_id: UUID | None, scope: Scope | None = None) -> AsyncGenerator[AsyncSession]:
        """Open one transaction inside a workspace; it commits when the block ends and rolls back when it raises."""
        try:
            async with self._sessions() as session:
                await session.execute(
                    text("SELECT set_config('automatos.workspace_id', :w, true), "
                         "set_config('automatos.scope', :s, true)"),
                    {"w": str(workspace_id or ""), "s": str(scope or "")},
                )
                yield session
                await session.commit()
                for do in session.info.pop(AFTER_COMMIT, ()):
                    do()
        except (InterfaceError, OperationalError) as error:
            raise DatabaseUnavailable from error
        except DBAPIError as error:
            if error.connection_invalidated or isinstance(error.orig, UNAVAILABLE):
                raise DatabaseUnavailable from error
            raise
        except (OSError, TimeoutError) as error:
            raise DatabaseUnavailable from error

    @asynccontextmanager
    async def recording(
        self, workspace_id: UUID | None, scope: Scope | None = None
    ) -> AsyncGenerator[asyncpg.Connection]:
        """Take a raw connection inside a workspace; each statement is its own transaction unless one is opened.

        Raises DatabaseUnavailable when PostgreSQL cannot be reached, goes away, is full or only to be read.
        """
        pool = self._inside if workspace_id else self._between
        if pool is None:
            raise RuntimeError("Database.open() was not awaited before the first recording")
        try:
            async with pool.acquire(timeout=CONNECT_TIMEOUT_S) as connection:
                await connection.enter(workspace_id, scope)  # pyright: ignore[reportAttributeAccessIssue]
                yield connection  # pyright: ignore[reportReturnType]
        except DatabaseUnavailable:
            raise
        except UNAVAILABLE as error:
            raise DatabaseUnavailable from error

    async def connect(self) -> asyncpg.Connection:
        """Open one connection outside the pool, for LISTEN and advisory locks; the caller closes it."""
        return await asyncpg.connect(
            self.url, timeout=CONNECT_TIMEOUT_S,  # pyright: ignore[reportArgumentType]
            server_settings=self._server_settings)


def after_commit(session: AsyncSession, do: Callable[[], None]) -> None:
    """Have something done as soon as the session's transaction is committed, and never when it is not."""
    session.info.setdefault(AFTER_COMMIT, []).append(do)


def in_reach(column: InstrumentedAttribute[UUID], workspace_id: UUID | None) -> ColumnElement[bool]:
    """Return the condition that a row is the workspace's; None means every workspace that the session may see."""
    return true() if workspace_id is None else column == workspace_id


def sqlalchemy_url(url: str) -> str:
    """Turn a `postgres(ql)://` address into the one SQLAlchemy's asyncpg driver takes."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(scheme="postgresql+asyncpg"))
