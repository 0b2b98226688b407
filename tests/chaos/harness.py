"""Real processes for tests that break things: started, watched, frozen, killed, and always cleaned up.

    async with stage() as scene:
        postgres = await scene.start_postgres()
        model = await scene.start_model_server(latency_ms=200)
        server = await scene.start_server(database_url=postgres.url, model=model, with_worker=False)
        worker = await scene.start_worker(home=server.home, database_url=postgres.url, model=model)
        async with await set_up(server.url) as client:
            await client.apply(three_step_recipe())
            run = await client.execute("three-steps", CALCULATE)
            worker.kill()
            ...
            follower = client.follow(run)
            await follower.until_end()

Leaving the block, by whatever way, ends every process and removes every file; an error that passes through carries the
last lines of each process's output as notes.
"""

import shutil
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from tests.chaos.disks import SmallDisk
from tests.chaos.processes import ModelServer, Postgres, Process, Server, Worker, environment, free_port
from tests.temporal_server import TemporalServer

Started = TypeVar("Started", bound=Process | Postgres | TemporalServer)


class Stage:
    """Everything one test has started, in one temporary folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[Process] = []
        self.databases: list[Postgres] = []
        self.temporals: list[TemporalServer] = []

    async def start_postgres(
        self, *, disk: SmallDisk | None = None, settings: dict[str, str] | None = None
    ) -> Postgres:
        """Start a PostgreSQL that servers and workers of this stage can share; on a disk of its own if one is given."""
        folder = self.folder / f"postgres-{len(self.databases)}"
        postgres = self.own(Postgres(folder, disk=disk, settings=settings))
        await postgres.start()
        return postgres

    async def start_temporal(self) -> TemporalServer:
        """Start a Temporal server; give its `engine` as AUTOMATOS_ENGINE to who is to use it."""
        temporal = self.own(TemporalServer(self.folder))
        await temporal.start()
        return temporal

    async def variables_of(self, engine: str) -> dict[str, str]:
        """Return what says that jobs are delivered by an engine, `builtin` or `temporal`, which is started."""
        return {"AUTOMATOS_ENGINE": (await self.start_temporal()).engine} if engine == "temporal" else {}

    async def start_model_server(self, *, port: int = 0, **options: float) -> ModelServer:
        """Start a scripted model server; options are its flags (latency_ms, chunks, burst)."""
        model = self.own(ModelServer(environment(self.folder), self._log("model"), port or free_port(), options))
        await model.until_ready()
        return model

    async def start_server(
        self,
        *,
        model: ModelServer | None = None,
        database_url: str | None = None,
        with_worker: bool = True,
        home: Path | None = None,
        port: int = 0,
        variables: dict[str, str] | None = None,
    ) -> Server:
        """Start `automatos up` and wait until it is healthy; without `database_url` it runs its embedded database.

        Give the `home` and `port` of a server that was killed to start it again.
        """
        server = self.launch_server(
            model=model, database_url=database_url, with_worker=with_worker, home=home, port=port, variables=variables
        )
        await server.until_ready()
        return server

    def launch_server(
        self,
        *,
        model: ModelServer | None = None,
        database_url: str | None = None,
        with_worker: bool = True,
        home: Path | None = None,
        port: int = 0,
        variables: dict[str, str] | None = None,
    ) -> Server:
        """Start `automatos up` and return at once."""
        home = home or self.folder / f"home-{len(self.processes)}"
        own = environment(home, model=model, database_url=database_url) | (variables or {})
        return self.own(
            Server("server", own, self._log("server"), home, port or free_port(), with_worker=with_worker)
        )

    async def start_worker(
        self,
        *,
        home: Path,
        model: ModelServer | None = None,
        database_url: str | None = None,
        variables: dict[str, str] | None = None,
    ) -> Worker:
        """Start `automatos worker` and wait until it takes work.

        Give the server's `home`, whose keys it shares and where, without `database_url`, it finds the database.
        """
        own = environment(home, model=model, database_url=database_url) | (variables or {})
        worker = self.own(Worker("worker", own, self._log("worker"), home))
        await worker.until_ready()
        return worker

    def end(self) -> None:
        """End everything that was started, newest first."""
        for started in (*reversed(self.processes), *self.temporals, *reversed(self.databases)):
            started.end()

    def tails(self) -> str:
        """Return the last output of every process."""
        return "\n".join(process.tail() for process in self.processes)

    def _log(self, name: str) -> Path:
        return self.folder / f"{len(self.processes):02d}-{name}.log"

    def own(self, started: Started) -> Started:
        """Take responsibility for a process or database that was started, or will be: it ends with the stage."""
        if isinstance(started, Process):
            self.processes.append(started)
        elif isinstance(started, TemporalServer):
            self.temporals.append(started)
        else:
            self.databases.append(started)
        return started


@asynccontextmanager
async def stage() -> AsyncGenerator[Stage]:
    """Open a stage to start real processes on; whatever happens inside, all of them end and every file goes."""
    folder = Path(tempfile.mkdtemp(prefix="automatos-stage-"))
    folder.chmod(0o755)  # PostgreSQL runs as another user when the tests run as root
    scene = Stage(folder)
    try:
        yield scene
    except BaseException as error:
        error.add_note(scene.tails())
        raise
    finally:
        scene.end()
        shutil.rmtree(folder, ignore_errors=True)
