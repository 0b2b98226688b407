"""A PostgreSQL looked at before it is used: can it be reached, will it do, and would row-level security bind us?"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import asyncpg

from automatos.kernel.address import PostgresAddress, read_address
from automatos.kernel.clock import machine_now
from automatos.kernel.embedded import APP_ROLE
from automatos.kernel.errors import DatabaseRefused
from automatos.kernel.pooler import Pooler, find_pooler

OLDEST_MAJOR = 15
WITH_SET_OPTION = 16
"""The first major version in which being granted a role and becoming it are two rights."""
CONNECT_TIMEOUT_S = 5.0
SKEW_TOLD = timedelta(seconds=5)


@dataclass(frozen=True)
class Inspection:
    """What a PostgreSQL is like; `is_bypassing` says that its login is not bound by row-level security.

    `skew` is how far its clock is ahead of ours.
    """

    login: str
    major: int
    encoding: str
    is_read_only: bool
    has_vector: bool
    is_bypassing: bool
    skew: timedelta

    @property
    def skew_note(self) -> str | None:
        """What to say about two clocks that differ."""
        if abs(self.skew) < SKEW_TOLD:
            return None
        ahead = "ahead of" if self.skew > timedelta(0) else "behind"
        seconds = round(abs(self.skew).total_seconds())
        return (f"The database's clock is {seconds} s {ahead} this machine's. Work goes by the database's, tokens of "
                "others and the log by this machine's; set both clocks (by NTP).")


async def reach(address: PostgresAddress) -> asyncpg.Connection:
    """Connect; raises DatabaseRefused with what to do, whatever it was that failed."""
    try:
        return await asyncpg.connect(statement_cache_size=0, **address.for_asyncpg(CONNECT_TIMEOUT_S))
    except asyncpg.InvalidCatalogNameError as error:
        raise DatabaseRefused(
            f"{address} answers, but {_said(error)}. Create that database, or correct DATABASE_URL.") from error
    except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidPasswordError) as error:
        raise DatabaseRefused(f"{address} refused the login: {_said(error)}. Correct the user or password in "
                              "DATABASE_URL.") from error
    except asyncpg.ProtocolViolationError as error:
        raise DatabaseRefused(f"{address} refused the connection: {_said(error)}. A pooler that does not take a "
                              "parameter must be told to ignore it, or it must go from DATABASE_URL.") from error
    except (OSError, ValueError, KeyError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise DatabaseRefused(
            f"No PostgreSQL could be reached at {address} ({_said(error)}). Start it, or correct "
            "DATABASE_URL (or POSTGRES_*); without either, an embedded database is used.") from error


@asynccontextmanager
async def reached(address: PostgresAddress) -> AsyncGenerator[asyncpg.Connection]:
    """Be connected for as long as the block lasts; what PostgreSQL refuses meanwhile is refused in one paragraph."""
    connection = await reach(address)
    try:
        yield connection
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        raise DatabaseRefused(f"{address} answers, but cannot be used: {_said(error)}. If a pooler stands between, it "
                              "must pool per session or per transaction, not per statement.") from error
    finally:
        connection.terminate()


def _said(error: BaseException) -> str:
    """Return an error's words as one line without a full stop."""
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__


async def inspect(url: str) -> Inspection:
    """Look at a PostgreSQL without changing it; raises DatabaseRefused when it cannot be reached or is too old."""
    async with reached(read_address(url)) as connection:
        return await look_at(connection)


async def pooler_at(url: str) -> Pooler:
    """Say what stands between us and the PostgreSQL at an address."""
    async with reached(read_address(url)) as one, reached(read_address(url)) as other:
        return await find_pooler(one, other)


async def look_at(connection: asyncpg.Connection) -> Inspection:
    """Ask PostgreSQL what it is and who we are; raises DatabaseRefused when it is too old to be asked more."""
    major = connection.get_server_version().major
    if major < OLDEST_MAJOR:
        raise DatabaseRefused(f"PostgreSQL {major} is too old; use {OLDEST_MAJOR} or newer.")
    before = machine_now()
    row = await connection.fetchrow(
        "SELECT current_user AS login, current_setting('server_encoding') AS encoding, "
        "pg_is_in_recovery() OR current_setting('default_transaction_read_only')::bool AS is_read_only, "
        "EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector') AS has_vector, "
        "coalesce((SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user), false) "
        "AS is_bypassing, clock_timestamp() AS at")
    if row is None:
        raise DatabaseRefused("PostgreSQL gave no answer to who we are.")
    between = before + (machine_now() - before) / 2
    return Inspection(row["login"], major, row["encoding"], row["is_read_only"], row["has_vector"],
                      row["is_bypassing"], row["at"] - between)


def refuse_unusable(found: Inspection) -> None:
    """Raise DatabaseRefused for a PostgreSQL on which something would fail later."""
    if found.is_read_only:
        raise DatabaseRefused("This PostgreSQL can only be read: it is a standby, or its transactions are read only. "
                              "Let DATABASE_URL lead to the primary; with several hosts in it, add "
                              "target_session_attrs=read-write.")
    if found.encoding != "UTF8":
        raise DatabaseRefused(
            f"The database's encoding is {found.encoding}, which cannot hold every character. Create one with UTF8 "
            "(CREATE DATABASE automatos ENCODING 'UTF8' TEMPLATE template0) and let DATABASE_URL name it.")
    if not found.has_vector:
        raise DatabaseRefused(
            f"This PostgreSQL {found.major} has no pgvector. Install the extension on the database server (on "
            f"Debian: postgresql-{found.major}-pgvector), or unset DATABASE_URL to use the embedded database, which "
            "carries it.")


async def step_down(connection: asyncpg.Connection, found: Inspection) -> str:
    """Return the role that binds the application's connections of a login that row-level security does not bind.

    The role is granted to the login and given its rights on the tables where either is missing.
    Raises DatabaseRefused with what an administrator has to run, where the login may not do that itself.
    """
    can_set = " WITH SET TRUE" if found.major >= WITH_SET_OPTION else ""
    login = '"' + found.login.replace('"', '""') + '"'
    why = (f"Row-level security does not bind the login {found.login}, and it cannot become the role {APP_ROLE}, which "
           "it would bind")
    if not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", APP_ROLE):
        raise DatabaseRefused(f"{why}: there is none, and the login may make none. Let an administrator run: "
                              f"CREATE ROLE {APP_ROLE} NOLOGIN; GRANT {APP_ROLE} TO {login}{can_set}; then start "
                              "again, or use a login without BYPASSRLS.")
    try:
        if not await _can_become(connection):
            await connection.execute(f"GRANT {APP_ROLE} TO {login}{can_set}")
            if not await _can_become(connection):
                raise DatabaseRefused(f"{why}. Let an administrator run: GRANT {APP_ROLE} TO {login}{can_set};")
        await give_rights(connection)
    except asyncpg.InsufficientPrivilegeError as error:
        raise DatabaseRefused(f"{why}: {_said(error)}. Let an administrator run: GRANT {APP_ROLE} TO {login}{can_set}; "
                              "then start again.") from error
    if await connection.fetchval("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = $1", APP_ROLE):
        raise DatabaseRefused(f"The role {APP_ROLE} is itself not bound by row-level security. Run: "
                              f"ALTER ROLE {APP_ROLE} NOSUPERUSER NOBYPASSRLS;")
    return APP_ROLE


async def _can_become(connection: asyncpg.Connection) -> bool:
    try:
        async with connection.transaction():
            await connection.execute(f"SET LOCAL ROLE {APP_ROLE}")
    except asyncpg.InsufficientPrivilegeError:
        return False
    return True


async def give_rights(connection: asyncpg.Connection) -> None:
    """Give the role its rights where a migration did not: the role came later, or the tables came by other ways."""
    if await connection.fetchval(
            "SELECT has_schema_privilege($1, current_schema(), 'USAGE') "
            "AND has_schema_privilege($1, 'durable', 'USAGE') "
            "AND NOT EXISTS (SELECT FROM pg_class WHERE relkind = 'r' AND relname <> 'alembic_version' "
            "AND relnamespace IN (current_schema()::regnamespace, 'durable'::regnamespace) "
            "AND NOT has_table_privilege($1, oid, 'INSERT'))", APP_ROLE):
        return
    schema = await connection.fetchval("SELECT quote_ident(current_schema())")
    both = f"{schema}, durable"
    await connection.execute(
        f"GRANT USAGE ON SCHEMA {both} TO {APP_ROLE}; "
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {both} TO {APP_ROLE}; "
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {both} TO {APP_ROLE}; "
        f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA durable TO {APP_ROLE}; "
        f"REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {APP_ROLE}; "
        f"REVOKE UPDATE, DELETE ON audit_log FROM {APP_ROLE}")
