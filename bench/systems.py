"""The systems under test, driven by one client: the floor and the product, each as real processes."""

import sys
from collections import Counter
from typing import Any, Protocol

import psutil

from bench.load import Target
from tests.chaos.client import Client, is_healthy, set_up, three_step_recipe
from tests.chaos.harness import Stage
from tests.chaos.processes import ModelServer, Postgres, Process, Server, environment, free_port, until

COPIES = tuple(f"three-steps-{number}" for number in range(8))
"""Copies of the recipe, each with agents of its own, so that limits per agent do not throttle 64 clients."""


class System(Protocol):
    """Something that accepts executions of the recipe and streams their events."""

    name: str
    target: Target

    async def start(self) -> None:
        """Start every process, PostgreSQL included, and return when /health answers 200."""
        ...

    async def set_up(self) -> None:
        """Make the recipe executable in a system that was started empty."""
        ...

    async def stop(self) -> None:
        """Stop every process in an orderly way; a later `start` goes on with the same data."""
        ...

    def servers(self) -> list[psutil.Process]:
        """Return the API and worker processes."""
        ...

    def databases(self) -> list[psutil.Process]:
        """Return the PostgreSQL process."""
        ...

    async def known(self) -> dict[str, str]:
        """Return the status of every execution the system knows, by id."""
        ...


class Floor:
    """The hand-written minimum on an embedded PostgreSQL of its own."""

    name = "floor"

    def __init__(self, stage: Stage, model: ModelServer) -> None:
        self._stage, self._model = stage, model
        self._postgres = Postgres(stage.folder / "floor-postgres")
        self._log = stage.folder / "floor.log"
        self._process: Process | None = None
        self.target = Target(free_port(), recipes=COPIES)
        stage.own(self._postgres)

    async def start(self) -> None:
        await self._postgres.start()
        arguments = [sys.executable, "-m", "bench.floor", "--port", str(self.target.port), "--database-url",
                     self._postgres.url, "--model-url", self._model.base_url]
        self._process = self._stage.own(Process("floor", arguments, environment(self._stage.folder), self._log))
        await until(lambda: is_healthy(f"http://{self.target.host}"), self._process, 30)

    async def set_up(self) -> None:
        """Nothing to do: it knows one recipe."""

    async def stop(self) -> None:
        if self._process:
            await self._process.terminate()
        self._postgres.end()

    def servers(self) -> list[psutil.Process]:
        return [psutil.Process(self._process.pid)] if self._process else []

    def databases(self) -> list[psutil.Process]:
        return [found] if (found := self._postgres.process) else []

    async def known(self) -> dict[str, str]:
        rows = await self._postgres.query("SELECT id, is_finished FROM executions")
        return {str(row["id"]): "completed" if row["is_finished"] else "unfinished" for row in rows}


class Product:
    """Automatos: `automatos up` as users start it, or an API and some workers on one shared PostgreSQL.

    With `settings` it is `automatos up` on a PostgreSQL of its own that was started with them.
    """

    name = "automatos"

    def __init__(
        self, stage: Stage, model: ModelServer, workers: int = 0, settings: dict[str, str] | None = None
    ) -> None:
        self._stage, self._model, self._workers = stage, model, workers
        self._home = stage.folder / f"product-{len(stage.processes)}"
        self._port = free_port()
        shared = Postgres(self._home.with_suffix(".postgres"), settings=settings)
        self._postgres = stage.own(shared) if workers or settings is not None else None
        self._server: Server | None = None
        self._others: list[Process] = []
        self.target = Target(self._port, recipes=COPIES)

    async def start(self) -> None:
        if self._postgres:
            await self._postgres.start()
        url = self._postgres.url if self._postgres else None
        self._server = await self._stage.start_server(
            model=self._model, database_url=url, with_worker=not self._workers, home=self._home, port=self._port
        )
        for _ in range(self._workers):
            assert url
            self._others.append(
                await self._stage.start_worker(database_url=url, home=self._home, model=self._model)
            )

    async def set_up(self) -> None:
        assert self._server
        async with await set_up(self._server.url) as client:
            for name in COPIES:
                await client.apply(three_step_recipe(name))
        self.target = Target(self._port, {"x-api-key": client.key}, COPIES)

    async def stop(self) -> None:
        for process in (*self._others, self._server):
            if process:
                await process.terminate()
        self._others.clear()
        if self._postgres:
            self._postgres.end()

    def servers(self) -> list[psutil.Process]:
        return [psutil.Process(process.pid) for process in (self._server, *self._others) if process]

    def databases(self) -> list[psutil.Process]:
        found = self._postgres.process if self._postgres else self._server and self._server.postgres()
        return [found] if found else []

    async def query(self, statement: str, *arguments: Any) -> list[Any]:
        """Ask the PostgreSQL of its own, past row-level security."""
        assert self._postgres
        return await self._postgres.query(statement, *arguments)

    async def known(self) -> dict[str, str]:
        assert self._server
        statuses, cursor = dict[str, str](), ""
        async with Client(self._server.url, self.target.headers["x-api-key"]) as client:
            while True:
                page = await client.call("GET", f"/api/runs?limit=100{cursor}")
                statuses |= {item["id"]: item["status"] for item in page["items"]}
                if not page["next_cursor"]:
                    return statuses
                cursor = f"&cursor={page['next_cursor']}"


def tally(statuses: dict[str, str]) -> str:
    """Write how many executions have which status."""
    return ", ".join(f"{count} {status}" for status, count in Counter(statuses.values()).most_common()) or "none"
