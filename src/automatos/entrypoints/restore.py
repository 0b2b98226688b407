"""A backup restored: everything is checked first, the database comes in one transaction, the files by being renamed."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from automatos.durable.service import count_living
from automatos.entrypoints.archive import DUMP, FILES, KEYS, BackupRefused, Manifest, unpack
from automatos.entrypoints.inspection import give_rights, reached
from automatos.entrypoints.migrate import migrate, newest_revision, prepare
from automatos.entrypoints.programs import run_program
from automatos.entrypoints.startup import make_home
from automatos.kernel.address import PostgresAddress, read_address
from automatos.kernel.clock import now
from automatos.kernel.config import Settings
from automatos.kernel.embedded import APP_ROLE
from automatos.kernel.running import read_note

EMPTY = """
DO $$ DECLARE each record; BEGIN
    DROP SCHEMA IF EXISTS durable CASCADE;
    FOR each IN SELECT format('DROP %s IF EXISTS %s CASCADE', CASE relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW'
                    ELSE 'TABLE' END, oid::regclass) AS sql FROM pg_class
                WHERE relnamespace = '@schema@'::regnamespace AND relkind IN ('r', 'p', 'v', 'S')
                AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = pg_class.oid AND d.deptype IN ('e', 'a', 'i'))
    LOOP EXECUTE each.sql; END LOOP;
    FOR each IN SELECT format('DROP ROUTINE IF EXISTS %s CASCADE', p.oid::regprocedure) AS sql FROM pg_proc p
                WHERE pronamespace = '@schema@'::regnamespace
                AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
    LOOP EXECUTE each.sql; END LOOP;
END $$;
"""
"""Takes away what the product made in its schema, and leaves the extensions."""


@dataclass(frozen=True)
class Restored:
    """What came back, and where what was there before has been put."""

    manifest: Manifest
    moved: tuple[Path, ...]


async def restore_backup(settings: Settings, source: Path, *, is_forced: bool) -> Restored:
    """Put a backup into a server's home and database; either all of it is there afterwards or nothing was changed.

    Raises:
        BackupRefused: it is damaged or of a newer version, a process works here, or something is there already and
            `is_forced` does not say to replace it.
        DatabaseRefused, EmbeddedDatabaseRefused: the database cannot be reached or does not take it.
    """
    if note := read_note(settings.home):
        raise BackupRefused(f"A server runs in {settings.home} (pid {note.pid}). Stop it, restore, and start it again.")
    make_home(settings)
    staged = Path(tempfile.mkdtemp(prefix=".restore-", dir=settings.home))
    try:
        manifest = await asyncio.to_thread(unpack, source, staged)
        if manifest.revision > newest_revision():
            raise BackupRefused(
                f"{source} was made by a newer Automatos ({manifest.product_version}): its tables are of revision "
                f"{manifest.revision}, this version knows {newest_revision()}. Restore it with that version.")
        if not is_forced:
            _refuse_replacing(settings.home)
        async with _empty_database(settings, manifest, is_forced=is_forced) as address:
            await _load(address, staged / DUMP, manifest)
            moved = _put_files(staged, settings.home)
    finally:
        await asyncio.to_thread(shutil.rmtree, staged, ignore_errors=True)
    return Restored(manifest, moved)


def _refuse_replacing(home: Path) -> None:
    for name in (KEYS, *FILES):
        if any((home / name).glob("*")):
            raise BackupRefused(f"{home / name} is not empty. Restore into an empty home, or say --force: what is "
                                "there is then moved aside, and what is in the database replaced.")


@asynccontextmanager
async def _empty_database(
    settings: Settings, manifest: Manifest, *, is_forced: bool
) -> AsyncGenerator[PostgresAddress]:
    """Have a checked database that nobody works on, and that may be replaced; an embedded one runs meanwhile."""
    migrated = await prepare(settings)
    try:
        own = migrated.embedded.admin_database_url if migrated.embedded else settings.direct_database_url
        url = own or migrated.url
        address = read_address(url)
        async with reached(address) as connection:
            await _refuse_target(connection, manifest, is_forced=is_forced)
        yield address
        await migrate(url)
    finally:
        if migrated.embedded:
            await asyncio.to_thread(migrated.embedded.stop)


async def _refuse_target(connection: asyncpg.Connection, manifest: Manifest, *, is_forced: bool) -> None:
    major, made_by = connection.get_server_version().major, manifest.server_version // 10_000
    if made_by > major:
        raise BackupRefused(f"The backup is of PostgreSQL {made_by}, this one is {major}, which may not understand it. "
                            f"Restore into PostgreSQL {made_by} or newer.")
    schema = await connection.fetchval("SELECT current_schema()")
    if schema != manifest.schema:
        raise BackupRefused(f"The backup's tables are in the schema {manifest.schema}, this login's would be in "
                            f"{schema}. Add options=-csearch_path%3D{manifest.schema} to the address.")
    if living := await count_living(connection):
        raise BackupRefused(f"{living} processes work on this database. Stop them, restore, and start them again.")
    await connection.execute("SET automatos.scope = 'admin'")
    if not is_forced and await connection.fetchval("SELECT EXISTS (SELECT FROM workspaces)"):
        raise BackupRefused("The database is not empty: it has workspaces. Restore into an empty one, or say --force: "
                            "everything in it is then replaced.")


async def _load(address: PostgresAddress, dump: Path, manifest: Manifest) -> None:
    """Replace what is there by the dump, in one transaction."""
    before = dump.with_name("before.sql")
    quoted = '"' + manifest.schema.replace('"', '""') + '"'
    before.write_text(EMPTY.replace("@schema@", quoted.replace("'", "''")) if manifest.schema == "public"
                      else f"DROP SCHEMA IF EXISTS durable CASCADE; DROP SCHEMA {quoted} CASCADE;")
    await run_program(
        "psql", "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", f"--file={before}",
        f"--file={dump}", address=address, settings={"client_min_messages": "warning"})
    async with reached(address) as connection:
        if await connection.fetchval("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", APP_ROLE):
            await give_rights(connection)


def _put_files(staged: Path, home: Path) -> tuple[Path, ...]:
    """Rename the unpacked folders into the home; what was there is moved aside, and stays."""
    moved, stamp = list[Path](), now().strftime("%Y%m%d-%H%M%S")
    for name in (KEYS, *FILES):
        place = home / name
        if not (staged / name).is_dir():
            continue
        if place.exists() and any(place.iterdir()):
            moved.append(place.rename(home / f"{name}.before-{stamp}"))
        elif place.exists():
            place.rmdir()
        (staged / name).rename(place)
    return tuple(moved)
