"""The real processes a whole machine is made of: server, workers, PostgreSQL, scripted model server."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import psutil

from automatos.kernel.embedded import DATABASE, EmbeddedPostgres, data_directory
from automatos.kernel.running import read_note
from tests.chaos.client import is_healthy
from tests.chaos.disks import SmallDisk

ROOT = Path(__file__).parents[2]
AUTOMATOS = Path(sys.executable).parent / "automatos"
READY_TIMEOUT_S = 45.0
STOP_TIMEOUT_S = 35.0
POLL_S = 0.02
NOTE_LINES = 60


class ProcessDied(AssertionError):
    """A process ended, or never became ready, while somebody still needed it; its output is in the message."""


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Process:
    """One operating-system process in a group of its own, so that its children never outlive it."""

    def __init__(self, name: str, arguments: list[str], environment: dict[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                arguments, env=environment, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True,
            )
        self.pid = self._popen.pid

    @property
    def is_running(self) -> bool:
        """Whether the process itself is still there; a frozen one is."""
        return self._popen.poll() is None

    @property
    def exit_code(self) -> int | None:
        """How the process ended (negative: by that signal), or None while it runs."""
        return self._popen.poll()

    def kill(self) -> None:
        """Kill the process and its children with SIGKILL, and return when the process is gone."""
        self._signal_group(signal.SIGKILL)
        self._popen.wait(10)

    async def terminate(self, timeout_s: float = STOP_TIMEOUT_S) -> int:
        """Ask the process to stop with SIGTERM, as a supervisor would, and return its exit code.

        Raises ProcessDied when it is still there after `timeout_s`.
        """
        self._popen.send_signal(signal.SIGTERM)
        return await self.wait(timeout_s)

    async def wait(self, timeout_s: float = STOP_TIMEOUT_S) -> int:
        """Wait until the process ends by itself and return its exit code."""
        until = time.monotonic() + timeout_s
        while (code := self._popen.poll()) is None:
            if time.monotonic() > until:
                raise ProcessDied(f"{self.name} still runs after {timeout_s:.0f} s.\n{self.tail()}")
            await asyncio.sleep(POLL_S)
        return code

    def freeze(self) -> None:
        """Stop the process and its children where they are (SIGSTOP), as a paused virtual machine would."""
        self._signal_group(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen process go on (SIGCONT)."""
        self._signal_group(signal.SIGCONT)

    def tail(self, lines: int = NOTE_LINES) -> str:
        """Return the last lines the process wrote."""
        said = map(_shortened, self.log.read_text(errors="replace").splitlines()[-lines:])
        return f"--- {self.name} (pid {self.pid}, exit {self.exit_code}) ---\n" + "\n".join(said)

    def end(self) -> None:
        """Make sure that nothing of this process is left, whatever state it is in."""
        self._signal_group(signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(10)

    def _signal_group(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)


class Server(Process):
    """One `automatos up`: the API, and a worker inside unless it was started without."""

    def __init__(
        self, name: str, environment: dict[str, str], log: Path, home: Path, port: int, *, with_worker: bool
    ) -> None:
        self.home = home
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        arguments = [str(AUTOMATOS), "up", "--port", str(port)] + ([] if with_worker else ["--no-worker"])
        super().__init__(name, arguments, environment, log)

    async def until_ready(self, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Wait until /health answers 200; raises ProcessDied when it never does."""
        await until(lambda: is_healthy(self.url), self, timeout_s)

    def postgres(self) -> psutil.Process | None:
        """Return the embedded PostgreSQL of this server's home, if one runs."""
        return postmaster(data_directory(self.home) / "cluster")

    def end(self) -> None:
        """Make sure that neither the server nor its embedded PostgreSQL is left."""
        super().end()
        if found := self.postgres():
            kill_tree(found)


class Worker(Process):
    """One `automatos worker`, on the database of its environment or of the server that runs in its home."""

    def __init__(self, name: str, environment: dict[str, str], log: Path, home: Path) -> None:
        self._home = home
        self._database_url = environment.get("DATABASE_URL")
        super().__init__(name, [str(AUTOMATOS), "worker"], environment, log)

    async def until_ready(self, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Wait until the worker has registered as an executor."""
        await until(self._is_registered, self, timeout_s)

    async def _is_registered(self) -> bool:
        note = read_note(self._home)
        url = self._database_url or (note and note.database_url)
        if not url:
            return False
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(
                "SELECT EXISTS (SELECT FROM durable.executors WHERE pid = $1 AND expires_at > now())", self.pid
            )
        except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError):
            return False
        finally:
            await connection.close()


class ModelServer(Process):
    """The scripted model server as a process of its own, speaking the OpenAI wire under `base_url`."""

    def __init__(self, environment: dict[str, str], log: Path, port: int, options: dict[str, float]) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.base_url = f"{self.url}/v1"
        arguments = [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", str(value))]
        super().__init__(
            "model server", [sys.executable, "-m", "tests.fakes.model_server", "--port", str(port), *arguments],
            environment, log,
        )

    async def until_ready(self, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Wait until it listens."""
        await until(self._listens, self, timeout_s)

    async def calls(self) -> list[dict[str, Any]]:
        """Return every call that has arrived, in order (see the model server's summary of a call)."""
        return await self._control("GET", "/calls")

    async def load(self) -> tuple[int, int]:
        """Return how many calls are open now, and the most there were at once since the last reset."""
        found = await self._control("GET", "/load")
        return found["open"], found["most"]

    async def script(self, *replies: dict[str, Any], match: str | None = None, repeat: bool = False) -> None:
        """Answer the calls whose last user text has `match` (all, when None) with these replies, in order."""
        await self._control("POST", "/script", {"replies": list(replies), "match": match, "repeat": repeat})

    async def reset(self) -> None:
        """Forget every script and every recorded call."""
        await self._control("POST", "/reset")

    async def _control(self, method: str, path: str, body: Any = None) -> Any:
        async with aiohttp.ClientSession() as session, session.request(method, self.url + path, json=body) as response:
            answer = await response.json()
            if response.status != 200:
                raise AssertionError(f"the model server refused {path}: {answer}")
            return answer

    async def _listens(self) -> bool:
        try:
            await self.calls()
        except aiohttp.ClientError:
            return False
        return True


class Postgres:
    """One embedded PostgreSQL with full durability, outside every server, so that several processes can share it."""

    def __init__(
        self, directory: Path, *, disk: SmallDisk | None = None, settings: dict[str, str] | None = None
    ) -> None:
        self._embedded = EmbeddedPostgres(directory, extra_settings=settings)
        self._admin_url = ""
        self.disk = disk
        if disk:
            directory.mkdir()
            disk.mount(directory)

    @property
    def url(self) -> str:
        """The administrator's address of the product's database, as an operator would put into DATABASE_URL."""
        return self._embedded.admin_database_url

    @property
    def process(self) -> psutil.Process | None:
        """The postmaster, if it runs."""
        return postmaster(self._embedded.cluster)

    async def start(self) -> None:
        """Start the server; the first time also create the product's database."""
        self._admin_url = (await asyncio.to_thread(self._embedded.start)).admin_url
        if not await self.query("SELECT FROM pg_database WHERE datname = $1", DATABASE, url=self._admin_url):
            await self.create_database(DATABASE)

    async def create_database(self, name: str) -> str:
        """Create another empty database on this server and return its address."""
        await self.query(f"CREATE DATABASE {name}", url=self._admin_url)
        return self._admin_url.rpartition("/")[0] + f"/{name}"

    async def query(self, statement: str, *arguments: Any, url: str | None = None) -> list[asyncpg.Record]:
        """Run one statement as administrator, past row-level security, on a connection of its own."""
        connection = await asyncpg.connect(url or self.url, timeout=5)
        try:
            return await connection.fetch(statement, *arguments)
        finally:
            await connection.close()

    async def restart(self, mode: str = "immediate") -> None:
        """Stop and start again on the same port; `immediate` is a crash, `fast` an orderly restart."""
        await asyncio.to_thread(self._embedded.restart, mode=mode)

    def kill(self) -> None:
        """Kill the postmaster and every backend with SIGKILL; `revive` starts it again on the same port."""
        if found := self.process:
            kill_tree(found)

    async def revive(self) -> None:
        """Start again after `kill`; what was committed is there."""
        self._embedded.stop()
        await asyncio.to_thread(self._embedded.start)

    def end(self) -> None:
        """Make sure that nothing of it is left running."""
        self._embedded.stop()
        self.kill()
        if self.disk:
            self.disk.unmount()


def environment(
    home: Path, *, model: ModelServer | None = None, database_url: str | None = None
) -> dict[str, str]:
    """Return the whole environment of a product process; nothing of the machine's own settings reaches it."""
    home.mkdir(parents=True, exist_ok=True)
    chosen = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": str(ROOT),
        "AUTOMATOS_HOME": str(home),
        "AUTOMATOS_COOK_SAMPLE": "false",
        "AUTOMATOS_RATE_LIMIT": "1000000/minute",
        "AUTOMATOS_RATE_LIMIT_SIGNED_IN": "1000000/minute",
    }
    if model:
        chosen |= {"OPENAI_API_KEY": "sk-scripted", "OPENAI_BASE_URL": model.base_url,
                   "DEFAULT_LLM_PROVIDER": "openai", "DEFAULT_LLM_MODEL": "fake-model"}
    if database_url:
        chosen["DATABASE_URL"] = database_url
    return chosen


async def until(is_true: Callable[[], Awaitable[bool]], process: Process, timeout_s: float) -> None:
    """Wait for a fact about a process; raises ProcessDied, with its output, when it ends or takes too long."""
    begin = time.monotonic()
    while not await is_true():
        if not process.is_running:
            raise ProcessDied(f"{process.name} ended before it was ready.\n{process.tail()}")
        if time.monotonic() - begin > timeout_s:
            raise ProcessDied(f"{process.name} was not ready after {timeout_s:.0f} s.\n{process.tail()}")
        await asyncio.sleep(POLL_S)


def postmaster(cluster: Path) -> psutil.Process | None:
    """Return the PostgreSQL that runs on this data directory, if one does."""
    try:
        found = psutil.Process(int((cluster / "postmaster.pid").read_text().split("\n", 1)[0]))
        return found if str(cluster) in found.cmdline() else None
    except (OSError, ValueError, psutil.NoSuchProcess):
        return None


def kill_tree(process: psutil.Process) -> None:
    """Kill a process and its children with SIGKILL and wait until they are gone."""
    with contextlib.suppress(psutil.NoSuchProcess):
        family = [process, *process.children(recursive=True)]
        for member in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
        psutil.wait_procs(family, timeout=10)


def _shortened(line: str) -> str:
    """Keep the two ends of a long line: a logged traceback ends with what matters."""
    return line if len(line) <= 1600 else f"{line[:400]} [...] {line[-1200:]}"
