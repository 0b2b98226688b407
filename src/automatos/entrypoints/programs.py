"""PostgreSQL's own client programs: those of the wheel, or those on the PATH where the wheel has none."""

import asyncio
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from automatos.kernel.address import PostgresAddress
from automatos.kernel.embedded import EmbeddedDatabaseRefused, binaries
from automatos.kernel.errors import DatabaseRefused


async def run_program(
    name: str, *arguments: str, address: PostgresAddress, settings: Mapping[str, str] | None = None
) -> None:
    """Run a client program on an address; `settings` are set for its session.

    Raises DatabaseRefused with what the program said.
    """
    environment = address.for_libpq()
    if settings:
        given = [environment.get("PGOPTIONS", ""), *(f"-c {key}={value}" for key, value in settings.items())]
        environment["PGOPTIONS"] = " ".join(given).strip()
    own = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "HOME": os.environ.get("HOME", "/nonexistent")}
    process = await asyncio.create_subprocess_exec(
        str(_program(name)), *arguments, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE, env=own | environment)
    try:
        _, said = await process.communicate()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        words = " ".join(said.decode(errors="replace").split())
        raise DatabaseRefused(f"PostgreSQL's {name} failed on {address}: {words[-600:] or 'it said nothing'}")


def _program(name: str) -> Path:
    try:
        found = binaries() / name
        if found.is_file():
            return found
    except EmbeddedDatabaseRefused:
        pass
    elsewhere = shutil.which(name)
    if elsewhere is None:
        raise DatabaseRefused(f"PostgreSQL's program {name} is not installed here (on Debian: apt install "
                              "postgresql-client).")
    return Path(elsewhere)
