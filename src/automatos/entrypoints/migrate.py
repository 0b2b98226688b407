"""The database made ready: found or started, checked, migrated, and its address for the application."""

import asyncio
import re
import threading
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from automatos.entrypoints.inspection import inspect, look_at, reach, reached, refuse_unusable, step_down
from automatos.kernel.address import PostgresAddress, read_address
from automatos.kernel.config import Settings
from automatos.kernel.embedded import APP_ROLE, DATABASE, EmbeddedPostgres, data_directory
from automatos.kernel.errors import DatabaseRefused

__all__ = ["DatabaseRefused", "Migrated", "inspect", "migrate", "migrations_directory", "newest_revision", "own_sql",
           "prepare", "prepare_embedded", "prepare_external"]

ONE_IN_THIS_PROCESS = threading.Lock()
"""Alembic keeps its context in the module; between processes the lock in the database decides."""


@dataclass(frozen=True)
class Migrated:
    """A migrated database: the application's address, the role it must take on there, and the server we run, if any.

    `notes` are what its operator should know, a line each.
    """

    url: str
    role: str | None = None
    embedded: EmbeddedPostgres | None = None
    notes: tuple[str, ...] = ()


def migrations_directory() -> Path:
    """Return where the migrations are: inside the installed package, or at the root of a checkout."""
    package = Path(__file__).parents[1]
    inside = package / "migrations"
    return inside if inside.is_dir() else package.parents[1] / "migrations"


def newest_revision() -> str:
    """Return the newest revision's id; history is linear and file names start with it."""
    return max(path.name.split("_")[0] for path in (migrations_directory() / "versions").glob("[0-9]*.py"))


def own_sql(migration: str) -> list[str]:
    """Return the statements of a migration's own copies of `sql/` files, which are in the folder of its name.

    They are for `exec_driver_sql`, which leaves colons alone. A statement begins with CREATE at the start of a line.
    """
    texts = [path.read_text("utf-8") for path in sorted(Path(migration).with_suffix("").glob("*.sql"))]
    return [statement for text in texts for statement in re.split(r"(?m)^(?=CREATE )", text)[1:]]


async def prepare(settings: Settings) -> Migrated:
    """Start or reach the database, migrate it, and return how the application connects.

    Raises DatabaseRefused or EmbeddedDatabaseRefused with one paragraph on what to do; an embedded server that was
    started is stopped again before the error leaves.
    """
    if url := settings.external_database_url:
        return await prepare_external(url, settings.direct_database_url)
    embedded = EmbeddedPostgres(data_directory(settings.home))
    return await prepare_embedded(embedded)


async def prepare_embedded(embedded: EmbeddedPostgres) -> Migrated:
    """Start the embedded server, make its database and the application's login, and migrate."""
    addresses = await asyncio.to_thread(embedded.start)
    try:
        await _make_database(addresses.admin_url)
        await migrate(embedded.admin_database_url)
        await _let_application_in(embedded)
    except BaseException:
        await asyncio.to_thread(embedded.stop)
        raise
    return Migrated(url=addresses.app_url, embedded=embedded)


async def prepare_external(url: str, direct_url: str | None = None) -> Migrated:
    """Check and migrate somebody else's PostgreSQL; a login that bypasses row-level security steps down to a role.

    `direct_url` leads to the same database past a pooler: tables are made over it.
    """
    address = read_address(url)
    async with reached(address) as connection:
        async with connection.transaction():  # which a pooler that pools per statement refuses
            found = await look_at(connection)
        refuse_unusable(found)
        await migrate(direct_url or url)
        role = await step_down(connection, found) if found.is_bypassing else None
    notes = [found.skew_note] if found.skew_note else []
    if address.unused:
        notes.append(f"DATABASE_URL: {', '.join(address.unused)} changes nothing here.")
    return Migrated(url=url, role=role, notes=tuple(notes))


async def migrate(url: str) -> None:
    """Bring the database at `url` to the newest revision; several processes may try at once, one does it."""
    address = read_address(url)
    async with reached(address) as connection:
        found, newest = await _revision(connection), newest_revision()
    if found and found > newest:
        raise DatabaseRefused(
            f"{address} was last used by a newer Automatos: its tables are of revision {found}, this version "
            f"knows {newest}. Start that version again, or use another database."
        )
    if found != newest:
        await asyncio.to_thread(_upgrade, address)


async def _make_database(admin_url: str) -> None:
    connection = await reach(read_address(admin_url))
    try:
        if not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", DATABASE):
            await connection.execute(f"CREATE DATABASE {DATABASE}")
    finally:
        await connection.close()


async def _let_application_in(embedded: EmbeddedPostgres) -> None:
    connection = await reach(read_address(embedded.admin_database_url))
    try:
        if not await connection.fetchval("SELECT rolcanlogin FROM pg_roles WHERE rolname = $1", APP_ROLE):
            await connection.execute(f"ALTER ROLE {APP_ROLE} LOGIN PASSWORD '{embedded.app_password}'")
    finally:
        await connection.close()


async def _revision(connection: asyncpg.Connection) -> str | None:
    if not await connection.fetchval("SELECT to_regclass('alembic_version') IS NOT NULL"):
        return None
    return await connection.fetchval("SELECT version_num FROM alembic_version")


def _upgrade(address: PostgresAddress) -> None:
    """Run the missing migrations in one transaction, under a lock that ends with it: all of them are there, or none."""
    from alembic import command
    from alembic.config import Config
    from sqlalchemy.exc import DBAPIError

    config = Config(attributes={"address": address})
    config.set_main_option("script_location", str(migrations_directory()).replace("%", "%%"))
    try:
        with ONE_IN_THIS_PROCESS:
            command.upgrade(config, "head")
    except (DBAPIError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        said = " ".join(str(getattr(error, "orig", error)).split()).rstrip(".")
        raise DatabaseRefused(
            f"The tables of this version could not be made in {address}: {said}. Nothing was changed. The login "
            "must own the database or be allowed to create schemas and tables in it; where only a superuser may make "
            "extensions, let one run CREATE EXTENSION vector in it once. Then start again."
        ) from error
