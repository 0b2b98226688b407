"""Other people's PostgreSQL: an own server whose logins the tests make, and PgBouncer before it."""

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from automatos.entrypoints.inspection import reach
from automatos.kernel.address import read_address
from automatos.kernel.embedded import EmbeddedPostgres
from automatos.kernel.errors import DatabaseRefused
from tests.conftest import FAST_AND_FORGETFUL, open_to_server_user

READY_S = 15.0
PgBouncer = Callable[..., AbstractAsyncContextManager[int]]


@dataclass(frozen=True)
class Host:
    """Somebody else's PostgreSQL, and its superuser."""

    admin_url: str

    @property
    def port(self) -> int:
        return read_address(self.admin_url).ports[0]

    @property
    def superuser(self) -> tuple[str, str]:
        address = read_address(self.admin_url)
        return address.user or "", address.password or ""

    async def run(self, *statements: str, database: str = "postgres") -> None:
        """Run statements as the superuser."""
        connection = await asyncpg.connect(self.url(*self.superuser, database))
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    async def value(self, query: str, database: str = "postgres") -> object:
        """Return what a query of the superuser finds."""
        connection = await asyncpg.connect(self.url(*self.superuser, database))
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    async def database(self, name: str, *, rights: str = "", owns: bool = True, creation: str = "") -> str:
        """Make a login and a database of that name, with pgvector in it, and return the login's address of it."""
        await self.run(
            f"DROP DATABASE IF EXISTS {name} WITH (FORCE)",
            f"DO $$ BEGIN CREATE ROLE {name} LOGIN PASSWORD 'pw'; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
            f"ALTER ROLE {name} NOSUPERUSER NOBYPASSRLS NOCREATEROLE", f"ALTER ROLE {name} {rights or 'LOGIN'}",
            f"CREATE DATABASE {name} {f'OWNER {name}' if owns else ''} {creation}")
        await self.run("CREATE EXTENSION IF NOT EXISTS vector", database=name)
        return self.url(name, "pw", name)

    def url(self, user: str, password: str, database: str, port: int | None = None) -> str:
        """Return an address of this server, or of a pooler before it."""
        return f"postgresql://{user}:{password}@127.0.0.1:{port or self.port}/{database}"


@pytest.fixture(scope="session")
async def host(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Host]:
    """A PostgreSQL that no test of another folder knows, so that roles may be made and taken away."""
    directory = tmp_path_factory.mktemp("host")
    open_to_server_user(directory)
    embedded = EmbeddedPostgres(directory / "postgres", extra_settings=FAST_AND_FORGETFUL)
    addresses = await asyncio.to_thread(embedded.start)
    yield Host(addresses.admin_url)
    await asyncio.to_thread(embedded.stop)


@pytest.fixture
def pgbouncer(host: Host, tmp_path: Path) -> PgBouncer:
    """Start a pooler before the host: `pgbouncer(mode, logins, settings)` gives its port."""
    if shutil.which("pgbouncer") is None:
        pytest.skip("pgbouncer is not installed (on Debian: apt install pgbouncer)")

    @asynccontextmanager
    async def start(
        mode: str, logins: Sequence[tuple[str, str]], size: int = 20, ignored: str = "extra_float_digits"
    ) -> AsyncGenerator[int]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        open_to_server_user(tmp_path)
        (tmp_path / "users.txt").write_text("".join(f'"{user}" "{password}"\n' for user, password in logins))
        (tmp_path / "pgbouncer.ini").write_text(f"""[databases]
* = host=127.0.0.1 port={host.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
auth_type = plain
auth_file = {tmp_path}/users.txt
pool_mode = {mode}
default_pool_size = {size}
max_client_conn = 300
unix_socket_dir =
ignore_startup_parameters = {ignored}
""")
        drop = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
        process = subprocess.Popen([*drop, "pgbouncer", "-q", str(tmp_path / "pgbouncer.ini")],
                                   stderr=subprocess.DEVNULL)
        try:
            await _until_it_listens(port)
            yield port
        finally:
            process.terminate()
            process.wait(20)

    return start


async def _until_it_listens(port: int) -> None:
    async with asyncio.timeout(READY_S):
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.02)


async def refusal(url: str) -> str:
    """Return the words by which an address is refused at connecting."""
    with pytest.raises(DatabaseRefused) as refused:
        await reach(read_address(url))
    return refused.value.detail
