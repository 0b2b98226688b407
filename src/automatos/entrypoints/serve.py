"""One server process from its first check to its last: address, database, application, and their end in order."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

import asyncpg
import structlog

from automatos import __version__
from automatos.entrypoints.addresses import Proxies
from automatos.entrypoints.migrate import DatabaseRefused, Migrated, prepare
from automatos.entrypoints.startup import make_home, refuse_open_server, reserve_address
from automatos.kernel.config import Settings
from automatos.kernel.memory import load, settle
from automatos.kernel.running import Running, leave_note, remove_note
from automatos.workspaces.claims import refuse_unnamed_issuer

if TYPE_CHECKING:
    from fastapi import FastAPI
    from uvicorn import Server

    from automatos.entrypoints.services import Services

STEPS_GRACE_S = 20.0
"""How long running steps may take to end after a signal; then they are handed back."""
REQUESTS_GRACE_S = 5

Announce = Callable[["Services", str], Coroutine[Any, Any, None]]
Tell = Callable[[str], None]
"""Says one sentence to whoever started the server."""


class Stopping:
    """A request to end this process in order; pressed again at the terminal, to end it at once."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.urgent = asyncio.Event()

    def press(self) -> None:
        """Take a Ctrl-C: the first asks, the second insists."""
        (self.urgent if self.asked.is_set() else self.asked).set()


@contextmanager
def stopping_on_signals() -> Generator[Stopping]:
    """Turn SIGTERM, SIGINT and SIGHUP into requests to stop for as long as the block lasts; none kills the process."""
    loop, stopping = asyncio.get_running_loop(), Stopping()
    handlers = {
        signal.SIGTERM: stopping.asked.set,  # supervisors, make among them, may send it twice
        signal.SIGINT: stopping.press,
    }
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # under nohup the end of the terminal is not ours
        handlers[signal.SIGHUP] = stopping.asked.set
    for number, handler in handlers.items():
        loop.add_signal_handler(number, handler)
    try:
        yield stopping
    finally:
        for number in handlers:
            loop.remove_signal_handler(number)


async def serve(settings: Settings, *, works: bool, announce: Announce, tell: Tell) -> None:
    """Serve until a signal; `announce` is started, with the server's address, once it answers.

    `tell` hears at once that the server starts, and later that it stops and has stopped.

    Raises:
        OpenServerRefused, IssuerUnnamed, PortTaken, CannotListen, HomeUnwritable, DatabaseRefused,
        EmbeddedDatabaseRefused: each says in one paragraph what to do; nothing is left running.
    """
    refuse_open_server(settings)
    refuse_unnamed_issuer(settings)
    with stopping_on_signals() as stopping, reserve_address(settings.host, settings.port) as listener:
        make_home(settings)
        tell(f"Starting Automatos {__version__} ...")
        telling = asyncio.create_task(_tell_stopping(stopping, tell), name="tell-stopping")
        try:
            async with grounded(settings) as migrated:
                if not stopping.asked.is_set():
                    await _serve_on(migrated, settings, listener, stopping, works=works, announce=announce)
        finally:
            telling.cancel()
        tell("Automatos stopped.")


async def _tell_stopping(stopping: Stopping, tell: Tell) -> None:
    await stopping.asked.wait()
    tell(f"Stopping: running steps have {STEPS_GRACE_S:.0f} s to end, then they are handed back; Ctrl-C again ends at "
         "once.")


@asynccontextmanager
async def grounded(settings: Settings) -> AsyncGenerator[Migrated]:
    """Start or reach the database for as long as the block lasts; a server of our own is stopped last of all."""
    preparing = asyncio.create_task(prepare(settings))
    await asyncio.to_thread(_import_application)  # the database starts meanwhile
    migrated = await preparing
    try:
        yield migrated
    except asyncpg.PostgresError as error:
        raise DatabaseRefused(f"PostgreSQL refused something that the server needs: {error}. `automatos doctor` looks "
                              "at the database's rights.") from error
    finally:
        if migrated.embedded:
            await asyncio.to_thread(migrated.embedded.stop)


def _import_application() -> None:
    import uvicorn  # noqa: F401  # pyright: ignore[reportUnusedImport]

    import automatos.entrypoints.api  # noqa: F401  # pyright: ignore[reportUnusedImport]


async def _serve_on(
    migrated: Migrated, settings: Settings, listener: socket.socket, stopping: Stopping, *, works: bool,
    announce: Announce,
) -> None:
    from automatos.entrypoints.api import create_app
    from automatos.entrypoints.seed import seed
    from automatos.entrypoints.services import Services

    services = Services(settings, migrated.url, role=migrated.role, works=works)
    app = create_app(services)
    async with app.router.lifespan_context(app):
        for note in migrated.notes:
            structlog.get_logger("automatos.entrypoints").warning("database.note", note=note)
        await seed(services.database)
        settle()
        server = http_server(app, Proxies(settings.trusted_proxies))
        url = address_of(listener)
        async with _listening(server, listener) as http:
            leave_note(settings.home, Running(url, migrated.url, migrated.role, os.getpid()))
            announcing = asyncio.create_task(_announced(announce(services, url)), name="announce")
            await asyncio.wait([http, asyncio.create_task(stopping.asked.wait())], return_when=asyncio.FIRST_COMPLETED)
            announcing.cancel()
            await asyncio.gather(announcing, return_exceptions=True)
            await _let_go(services, stopping)
        remove_note(settings.home)


async def _announced(work: Awaitable[None]) -> None:
    """Let an announcement fail without the server."""
    try:
        await work
    except Exception:  # noqa: BLE001  # whatever it was, the server goes on
        structlog.get_logger("automatos.entrypoints").exception("server.announcement_failed")


def http_server(app: "FastAPI", proxies: Proxies) -> "Server":
    """Return the HTTP server of an application, with bounds on what a connection may take before it is understood."""
    import uvicorn

    from automatos.entrypoints.connections import bounded_http

    class HttpServer(uvicorn.Server):
        """Uvicorn that leaves signals to this process."""

        @contextmanager
        def capture_signals(self) -> Generator[None]:
            yield

    return HttpServer(uvicorn.Config(
        app, lifespan="off", log_config=None, access_log=False, proxy_headers=False, server_header=False, ws="none",
        log_level="warning", http=bounded_http(proxies.trusts),
        timeout_graceful_shutdown=REQUESTS_GRACE_S,
    ))


@asynccontextmanager
async def _listening(server: "Server", listener: socket.socket) -> AsyncGenerator[asyncio.Task[None]]:
    """Answer HTTP for as long as the block lasts; ends with the requests at work, or REQUESTS_GRACE_S later."""
    task = asyncio.create_task(server.serve([listener]), name="http")
    while not server.started and not task.done():  # noqa: ASYNC110  # uvicorn tells nobody when it listens
        await asyncio.sleep(0.005)
    try:
        yield task
    finally:
        server.should_exit = True
        await task


async def _let_go(services: "Services", stopping: Stopping) -> None:
    """Stop taking work, while requests and streams are still answered; then end the streams."""
    services.health.add("api_server", _is_stopping, needed=True)
    if services.worker:
        await _unless_urgent(services.worker.stop(STEPS_GRACE_S), stopping)
        await services.worker.stop(0)
    services.bus.release_readers()


async def _unless_urgent(work: Awaitable[None], stopping: Stopping) -> None:
    tasks: list[asyncio.Future[Any]] = [asyncio.ensure_future(work), asyncio.create_task(stopping.urgent.wait())]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _is_stopping() -> str | None:
    raise RuntimeError("The server is stopping.")


def address_of(listener: socket.socket) -> str:
    """Return the address by which programs on this machine reach the server."""
    host, port = listener.getsockname()[:2]
    reachable = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{reachable}:{port}"


def run(settings: Settings, *, works: bool, announce: Announce, tell: Tell) -> None:
    """Serve in this process until a signal."""
    import uvloop

    from automatos.entrypoints.connections import raise_handles

    load()
    raise_handles()
    uvloop.run(serve(settings, works=works, announce=announce, tell=tell))
