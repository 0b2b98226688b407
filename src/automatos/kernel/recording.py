"""The engine's raw connections: every transaction on them begins by saying whom it works for, and ends forgetting it.

PostgreSQL keeps nothing of it between two transactions, so it does not matter which backend a pooler hands out for the
next one. On a connection of our own, the setting travels in front of the statement it is for and shares its round trip.
Through a pooler a statement is put into a transaction that sets it first.
"""

import struct
from collections.abc import Awaitable, Callable
from dataclasses import fields
from enum import StrEnum
from functools import cache
from typing import Any
from uuid import UUID

import asyncpg
import orjson

ENTER_NAME = "automatos_enter"
ENTER = ("SELECT WHERE (set_config('automatos.workspace_id', $1, true) || set_config('automatos.scope', $2, true)) "
         "IS NULL")
"""Sets both and returns no row and no column: its answer is one that asyncpg passes over before a statement's own."""
ENTER_AS = ENTER.replace("(set_config(", "(set_config('role', $3, true) || set_config(", 1)
ISOLATION = "ISOLATION LEVEL READ COMMITTED"
"""What the queue's counting relies on, whatever the database's own default is: it must see what others committed."""
ROLLBACK_TIMEOUT_S = 5.0

Executor = Callable[[Any, float | None], Awaitable[Any]]


class Scope(StrEnum):
    """Why a transaction may look across workspaces; each has policies of its own on the tables it may see."""

    AUTH = "auth"
    ENGINE = "engine"
    ADMIN = "admin"


class RecordingConnection(asyncpg.Connection):
    """A raw connection whose transactions are all inside what `enter` named last."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._entered: tuple[UUID | None, Scope | None] = (None, None)
        self._inside = ("", "")
        self._role: str | None = None
        self._is_shared = False
        self._enter_statement: Any = None
        self._prefix = b""

    async def step_down(self, role: str | None, *, is_own_backend: bool) -> None:
        """Work as `role` from now on; on a backend that is ours alone, make settings travel with their statements."""
        self._role = role
        self._is_shared = not is_own_backend
        if is_own_backend:
            await super().execute(f"SET SESSION CHARACTERISTICS AS TRANSACTION {ISOLATION}")
            self._enter_statement = await self.prepare(ENTER_AS if role else ENTER, name=ENTER_NAME)
        self._prefix = self._make_prefix()

    async def enter(self, workspace_id: UUID | None, scope: Scope | None = None) -> None:
        """Name the workspace and the scope of every transaction that follows on this connection."""
        if workspace_id != self._entered[0] or scope != self._entered[1]:
            self._entered = workspace_id, scope
            self._inside = str(workspace_id or ""), str(scope or "")
            self._prefix = self._make_prefix()

    @property
    def statements(self) -> int:
        """How many statements it has sent."""
        protocol: Any = self._protocol
        return protocol.queries_count

    @property
    def is_clean(self) -> bool:
        """Whether nothing of its last use is left on it: no transaction, no statement that is still being stopped."""
        protocol: Any = self._protocol
        return not (protocol.is_in_transaction() or self._is_stopping or self._top_xact is not None
                    or self._listeners or self._log_listeners)

    async def clean(self, timeout_s: float) -> None:
        """Wait until a statement that was cancelled is over, and roll back what is open."""
        protocol: Any = self._protocol
        if self._is_stopping:
            await protocol._wait_for_cancellation(timeout_s)  # noqa: SLF001 - asyncpg's pool does the same
        await self._reset()

    @property
    def _is_stopping(self) -> bool:
        protocol: Any = self._protocol
        return protocol._is_cancelling()  # noqa: SLF001 - asyncpg's pool does the same

    def end_loan(self) -> None:
        """Make whoever still holds it, or a statement prepared on it, unable to use it."""
        self._pool_release_ctr += 1
        if self._proxy is not None:
            self._proxy._detach()  # noqa: SLF001 - asyncpg's pool does the same

    def forget_statements(self) -> None:
        """Prepare every statement anew: the tables have changed."""
        self._drop_local_statement_cache()

    def forget_types(self) -> None:
        """Ask for every type anew: the tables have changed."""
        self._drop_local_type_cache()

    async def execute(self, query: str, *args: Any, timeout: float | None = None) -> str:  # noqa: ASYNC109 - asyncpg's
        """Execute as asyncpg does; without arguments several statements are one transaction."""
        if args or self.is_in_transaction() or not self._sets_something:
            return await super().execute(query, *args, timeout=timeout)
        if query.startswith("BEGIN"):
            begin = query if "ISOLATION" in query else query.replace("BEGIN", f"BEGIN {ISOLATION}", 1)
            return await super().execute(f"{begin} {self._settings()}", timeout=timeout)
        return await super().execute(f"SET TRANSACTION {ISOLATION}; {self._settings()}; {query}", timeout=timeout)

    async def _do_execute(
        self, query: str, executor: Executor, timeout: float | None, retry: bool = True, **more: Any  # noqa: ASYNC109
    ) -> Any:
        """Execute one statement with arguments, inside; asyncpg's fetches and executes all come through here."""
        perform = super()._do_execute  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
        if self.is_in_transaction() or not self._sets_something:
            return await perform(query, executor, timeout, retry, **more)
        if self._enter_statement is not None:
            return await perform(query, self._entering(executor), timeout, retry, **more)
        protocol: Any = self._protocol
        await protocol.query(f"BEGIN {ISOLATION}; {self._settings()}", timeout)
        try:
            done = await perform(query, executor, timeout, retry, **more)
        except BaseException:
            if not self.is_closed():
                await protocol.query("ROLLBACK", ROLLBACK_TIMEOUT_S)
            raise
        await protocol.query("COMMIT", timeout)
        return done

    def _entering(self, executor: Executor) -> Executor:
        """Send the settings in front of a statement: until its sync, both are one transaction and one round trip."""

        transport: Any = self._transport

        async def enter_and_execute(statement: Any, timeout: float | None) -> Any:  # noqa: ASYNC109
            transport.write(self._prefix)
            try:
                return await executor(statement, timeout)
            except Exception as error:
                if getattr(error, "severity", None) is None:  # not PostgreSQL's: the statement may not have been sent,
                    self.terminate()                          # and what was must not meet the next one
                raise

        return enter_and_execute

    @property
    def _sets_something(self) -> bool:
        """Whether a transaction begins with settings: behind a pooler each does, nothing else says its isolation."""
        return self._is_shared or self._role is not None or self._inside != ("", "")

    def _settings(self) -> str:
        """Return the statement that sets for one transaction; a uuid, a scope and a role's name need no quoting."""
        workspace, scope = self._inside
        as_role = f"set_config('role', '{self._role}', true), " if self._role else ""
        return (f"SELECT {as_role}set_config('automatos.workspace_id', '{workspace}', true), "
                f"set_config('automatos.scope', '{scope}', true)")

    def _make_prefix(self) -> bytes:
        """Return Bind and Execute of the prepared settings, as the wire has them."""
        values = [value.encode() for value in (*self._inside, *([self._role] if self._role else ()))]
        bind = b"\0" + ENTER_NAME.encode() + b"\0" + struct.pack("!hh", 0, len(values))
        bind += b"".join(struct.pack("!i", len(value)) + value for value in values) + struct.pack("!h", 0)
        return _message(b"B", bind) + _message(b"E", b"\0" + struct.pack("!i", 0))


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


async def use_json(connection: asyncpg.Connection) -> None:
    """Have a connection take and give JSON columns as values."""
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name, encoder=_encode, decoder=orjson.loads, schema="pg_catalog", format="text"
        )


def dump_json(value: Any) -> str:
    """Write a value as JSON text; ids, times and enums in it become strings."""
    return orjson.dumps(value, default=str).decode()


def dump_known(value: Any) -> str:
    """Write a dataclass as JSON text; what may be missing (its default is None) and is not known is left out."""
    missing = [name for name in _may_be_missing(type(value)) if getattr(value, name) is None]
    if not missing:
        return dump_json(value)
    return dump_json({each.name: getattr(value, each.name) for each in fields(value) if each.name not in missing})


@cache
def _may_be_missing(kind: type[Any]) -> tuple[str, ...]:
    return tuple(each.name for each in fields(kind) if each.default is None)


def _encode(value: Any) -> str:
    """Take text as JSON that is already written: the recording path serialises once and sends the same text on."""
    return value if isinstance(value, str) else dump_json(value)
