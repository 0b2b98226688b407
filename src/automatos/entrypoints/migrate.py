"""The database made ready: found or started, checked, migrated, and its address for the application."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import asyncpg

from automatos.kernel.config import Settings
from automatos.kernel.db import sqlalchemy_url
from automatos.kernel.embedded import APP_ROLE, DATABASE, EmbeddedPostgres, data_directory
from automatos.kernel.errors import Problem

OLDEST_MAJOR = 15
MIGRATION_LOCK = 7_246_117


class DatabaseRefused(Problem):
    """The configured database cannot be used; the message says why and what to do."""

    status: ClassVar[int] = 503
    code: ClassVar[str] = "database_refused"
    title: ClassVar[str] = "The database cannot be used"


@dataclass(frozen=True)
class Ground:
    """A migrated database: the application's address, the role it must take on there, and the server we run, if any."""

    url: str
    role: str | None = None
    embedded: EmbeddedPostgres | None = None


def migrations_directory() -> Path:
    """Return where the migrations are: inside the installed package, or at the root of a checkout."""
    package = Path(__file__).parents[1]
    inside = package / "migrations"
    return inside if inside.is_dir() else package.parents[1] / "migrations"


def newest_revision() -> str:
    """Return the newest revision's id; history is linear and file names start with it."""
    return max(path.name.split("_")[0] for path in (migrations_directory() / "versions").glob("[0-9]*.py"))


async def prepare(settings: Settings) -> Ground:
    """Start or reach the database, migrate it, and return how the application connects.

    Raises DatabaseRefused or EmbeddedDatabaseRefused with one paragraph on what to do; an embedded server that was
    started is stopped again before the error leaves.
    """
    if url := settings.external_database_url:
        return await prepare_external(url)
    embedded = EmbeddedPostgres(data_directory(settings.home))
    return await prepare_embedded(embedded)


async def prepare_embedded(embedded: EmbeddedPostgres) -> Ground:
    """Start the embedded server, make its database and the application's login, and migrate."""
    addresses = await asyncio.to_thread(embedded.start)
    try:
        await _make_database(addresses.admin_url)
        await migrate(embedded.admin_database_url)
        await _let_application_in(embedded)
    except BaseException:
        await asyncio.to_thread(embedded.stop)
        raise
    return Ground(url=addresses.app_url, embedded=embedded)


async def prepare_external(url: str) -> Ground:
    """Check and migrate somebody else's PostgreSQL; a superuser's connections step down to the application role."""
    connection = await _reach(url)
    try:
        await _check(connection)
        await migrate(url)
        bypasses = await _is_bypassing(connection)
    finally:
        await connection.close()
    return Ground(url=url, role=APP_ROLE if bypasses else None)


@dataclass(frozen=True)
class Inspection:
    """What a PostgreSQL is like; `is_bypassing` says that its login is not bound by row-level security."""

    major: int
    has_vector: bool
    is_bypassing: bool


async def inspect(url: str) -> Inspection:
    """Look at a PostgreSQL without changing it; raises DatabaseRefused when it cannot be reached or is too old."""
    connection = await _reach(url)
    try:
        major = _major(connection)
        return Inspection(major, await _has_vector(connection), await _is_bypassing(connection))
    finally:
        await connection.close()


async def migrate(url: str) -> None:
    """Bring the database at `url` to the newest revision; several processes may try at once, one does it."""
    connection = await _reach(url)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", MIGRATION_LOCK)
        found, newest = await _revision(connection), newest_revision()
        if found and found > newest:
            raise DatabaseRefused(
                f"{_shown(url)} was last used by a newer Automatos: its tables are of revision {found}, this version "
                f"knows {newest}. Start that version again, or use another database."
            )
        if found != newest:
            await asyncio.to_thread(_upgrade, url)
    finally:
        await connection.close()


async def _reach(url: str) -> asyncpg.Connection:
    try:
        return await asyncpg.connect(url, timeout=5)
    except asyncpg.InvalidCatalogNameError as error:
        raise DatabaseRefused(
            f"{_shown(url)} answers, but {error}. Create that database, or correct DATABASE_URL."
        ) from error
    except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidPasswordError) as error:
        raise DatabaseRefused(
            f"{_shown(url)} refused the login: {error}. Correct the user or password in DATABASE_URL."
        ) from error
    except (OSError, ValueError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise DatabaseRefused(
            f"No PostgreSQL could be reached at {_shown(url)} ({error or type(error).__name__}). Start it, or correct "
            "DATABASE_URL (or POSTGRES_*); without either, an embedded database is used."
        ) from error


async def _check(connection: asyncpg.Connection) -> None:
    major = _major(connection)
    if not await _has_vector(connection):
        raise DatabaseRefused(
            f"This PostgreSQL {major} has no pgvector. Install the extension on the database server (on Debian: "
            f"postgresql-{major}-pgvector), or unset DATABASE_URL to use the embedded database, which carries it."
        )


def _major(connection: asyncpg.Connection) -> int:
    major = connection.get_server_version().major
    if major < OLDEST_MAJOR:
        raise DatabaseRefused(f"PostgreSQL {major} is too old; use {OLDEST_MAJOR} or newer.")
    return major


async def _has_vector(connection: asyncpg.Connection) -> bool:
    found = await connection.fetchval("SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'")
    return bool(found)


async def _is_bypassing(connection: asyncpg.Connection) -> bool:
    return bool(await connection.fetchval("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"))


async def _make_database(admin_url: str) -> None:
    connection = await _reach(admin_url)
    try:
        if not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", DATABASE):
            await connection.execute(f"CREATE DATABASE {DATABASE}")
    finally:
        await connection.close()


async def _let_application_in(embedded: EmbeddedPostgres) -> None:
    connection = await _reach(embedded.admin_database_url)
    try:
        if not await connection.fetchval("SELECT rolcanlogin FROM pg_roles WHERE rolname = $1", APP_ROLE):
            await connection.execute(f"ALTER ROLE {APP_ROLE} LOGIN PASSWORD '{embedded.app_password}'")
    finally:
        await connection.close()


async def _revision(connection: asyncpg.Connection) -> str | None:
    if not await connection.fetchval("SELECT to_regclass('public.alembic_version') IS NOT NULL"):
        return None
    return await connection.fetchval("SELECT version_num FROM alembic_version")


def _upgrade(url: str) -> None:
    from alembic import command
    from alembic.config import Config
    from sqlalchemy.exc import DBAPIError

    config = Config()
    config.set_main_option("script_location", str(migrations_directory()))
    config.set_main_option("sqlalchemy.url", sqlalchemy_url(url).replace("%", "%%"))
    try:
        command.upgrade(config, "head")
    except DBAPIError as error:
        said = " ".join(str(error.orig).split()).rstrip(".")
        raise DatabaseRefused(
            f"The tables of this version could not be made in {_shown(url)}: {said}. Nothing was changed. The login "
            "must own the database or be allowed to create schemas and tables in it; where only a superuser may make "
            "extensions, let one run CREATE EXTENSION vector in it once. Then start again."
        ) from error


def _shown(url: str) -> str:
    """Return the address without its password, which may stand before the @ or among the parameters."""
    address = url.partition("?")[0]
    scheme, _, rest = address.partition("://")
    userinfo, at, place = rest.rpartition("@")
    return f"{scheme}://{userinfo.split(':')[0]}{at}{place}" if at else address
