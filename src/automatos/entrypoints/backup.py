"""A backup: the database as of one moment, the keys that open its secrets, and the files that runs and blobs are in."""

import asyncio
import io
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from automatos import __version__
from automatos.entrypoints.archive import DUMP, FILES, KEYS, BackupRefused, Manifest, writing
from automatos.entrypoints.inspection import reached
from automatos.entrypoints.programs import run_program
from automatos.kernel.address import PostgresAddress, read_address
from automatos.kernel.clock import now
from automatos.kernel.config import Settings
from automatos.kernel.embedded import EmbeddedPostgres, data_directory
from automatos.kernel.running import read_note

SEES_ALL = {"automatos.scope": "admin"}
"""Under it the policies show every row for reading, so that a plain owner's dump is complete."""
DUMP_OPTIONS = ("--format=plain", "--no-owner", "--no-privileges", "--no-comments", "--enable-row-security")


async def make_backup(settings: Settings, target: Path) -> Manifest:
    """Back everything up into one file, whether the server runs or not.

    The keys are taken before and after the database: one that a rotation removes meanwhile is in it too. Files come
    last: one too many does no harm.

    Raises:
        BackupRefused: the file is there, cannot be written, or the database has nothing in it yet.
        DatabaseRefused, EmbeddedDatabaseRefused: the database cannot be reached or dumped.
    """
    keys = _read_keys(settings.home)
    async with _database(settings) as address:
        manifest, others = await _describe(address)
        with tempfile.TemporaryDirectory(prefix=".backup-", dir=_folder_of(target)) as folder:
            dump = Path(folder) / DUMP
            await run_program("pg_dump", *DUMP_OPTIONS, f"--file={dump}", *others, address=address, settings=SEES_ALL)
            keys |= _read_keys(settings.home)
            await asyncio.to_thread(_write, target, manifest, dump, keys, settings)
    return manifest


def _write(target: Path, manifest: Manifest, dump: Path, keys: dict[str, bytes], settings: Settings) -> None:
    with writing(target, manifest) as archive:
        with dump.open("rb") as content:
            archive.add(DUMP, content)
        for name, content in sorted(keys.items()):
            archive.add(f"{KEYS}/{name}", io.BytesIO(content))
        for name in FILES:
            archive.add_folder(settings.home / name, name)
        if settings.aws_s3_bucket:
            manifest.left_out.append(f"the bucket {settings.aws_s3_bucket}")


def _folder_of(target: Path) -> Path:
    if not target.parent.is_dir():
        raise BackupRefused(f"{target.parent} is no folder. Make it first, or name a file elsewhere.")
    return target.parent


def _read_keys(home: Path) -> dict[str, bytes]:
    try:
        return {path.name: path.read_bytes() for path in (home / "keys").glob("*.key")}
    except OSError as error:
        raise BackupRefused(f"{home / 'keys'} cannot be read ({error.strerror}). Make the backup as the user who runs "
                            "the server.") from error


@asynccontextmanager
async def _database(settings: Settings) -> AsyncGenerator[PostgresAddress]:
    """Have the database's address for as long as the block lasts; an embedded one that does not run is started."""
    if url := settings.direct_database_url or settings.external_database_url:
        yield read_address(url)
        return
    embedded = EmbeddedPostgres(data_directory(settings.home))
    if read_note(settings.home):
        yield read_address(embedded.running_admin_url())
        return
    if not (embedded.cluster / "PG_VERSION").exists():
        raise BackupRefused(f"{settings.home} has no database. Give the server's own data directory with --home or "
                            "AUTOMATOS_HOME, or its DATABASE_URL.")
    await asyncio.to_thread(embedded.start)
    try:
        yield read_address(embedded.admin_database_url)
    finally:
        await asyncio.to_thread(embedded.stop)


async def _describe(address: PostgresAddress) -> tuple[Manifest, list[str]]:
    """Return what is to be backed up, and the options that leave other programs' schemas out."""
    async with reached(address) as connection:
        if not await connection.fetchval("SELECT to_regclass('alembic_version') IS NOT NULL"):
            raise BackupRefused(f"{address} has no tables of Automatos yet; there is nothing to back up.")
        if hidden := await _hidden_tables(connection):
            raise BackupRefused(f"Row-level security would leave rows of {', '.join(hidden)} out of the dump. Make the "
                                "backup with a login that bypasses it.")
        revision = await connection.fetchval("SELECT version_num FROM alembic_version")
        schema = await connection.fetchval(
            "SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = 'alembic_version'::regclass")
        version = await connection.fetchval("SELECT current_setting('server_version_num')::int")
        others = await connection.fetch(
            "SELECT nspname FROM pg_namespace WHERE nspname NOT IN ($1, 'public', 'durable', 'information_schema') "
            "AND nspname NOT LIKE 'pg\\_%'", schema)
    quoted = [row["nspname"].replace('"', '""') for row in others]
    return (Manifest(__version__, str(revision), int(version or 0), str(schema), now().isoformat()),
            [f'--exclude-schema="{name}"' for name in quoted])


async def _hidden_tables(connection: asyncpg.Connection) -> list[str]:
    """Return the tables whose rows a dump by this login would miss: no policy shows them to the server's admin."""
    rows = await connection.fetch(
        "SELECT c.relname FROM pg_class c WHERE row_security_active(c.oid) AND c.relnamespace IN "
        "((SELECT relnamespace FROM pg_class WHERE oid = 'alembic_version'::regclass), 'durable'::regnamespace) "
        "AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polcmd IN ('r', '*') "
        "AND pg_get_expr(p.polqual, p.polrelid) LIKE '%''admin''%') ORDER BY 1")
    return [row["relname"] for row in rows]
