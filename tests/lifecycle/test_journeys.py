"""How many source files the routes of two everyday changes run through, and what a stop asks PostgreSQL."""

import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import fastapi.routing
import pytest
from sqlalchemy import event

import automatos
from automatos.entrypoints.services import Services
from tests.surface import Client, Make

SOURCE = str(Path(automatos.__file__).parent)
MOST_FILES = {"a setting": 16, "a stop": 20}
"""These may only sink."""
MOST_STATEMENTS = 6
"""Those of a stop without work, beside the one that opens its session."""
TIMES = 3
in_route: ContextVar[bool] = ContextVar("in_route", default=False)


class Journey:
    """Notes the files of the functions that run, and the statements that are sent, on behalf of one request."""

    def __init__(self) -> None:
        self.files: set[str] = set()
        self.statements: list[str] = []
        self.is_on = False

    def note(self, frame: FrameType, event: str, argument: object) -> None:
        del argument
        code: CodeType = frame.f_code
        if event == "call" and in_route.get() and code.co_filename.startswith(SOURCE):
            file = code.co_filename.removeprefix(SOURCE + "/")
            if not file.startswith("entrypoints/"):  # they await the route and are resumed with it; no room calls them
                self.files.add(file)

    def note_statement(self, _: Any, __: Any, statement: str, *___: Any) -> None:
        if in_route.get():
            self.statements.append(statement)

    @contextmanager
    def begun(self) -> Generator[None]:
        """Note what the requests of the block do."""
        self.files, self.statements, self.is_on = set(), [], True
        sys.setprofile(self.note)
        try:
            yield
        finally:
            sys.setprofile(None)
            self.is_on = False


@pytest.fixture
def journey(monkeypatch: pytest.MonkeyPatch, services: Services) -> Iterator[Journey]:
    """Lasts from the call of a route until it returns; what comes before and after is the same for every route."""
    journey, run = Journey(), fastapi.routing.run_endpoint_function

    async def note_route(**given: Any) -> Any:
        before = in_route.set(journey.is_on)
        try:
            return await run(**given)
        finally:
            in_route.reset(before)

    monkeypatch.setattr(fastapi.routing, "run_endpoint_function", note_route)
    engine = services.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", journey.note_statement)
    yield journey
    event.remove(engine, "before_cursor_execute", journey.note_statement)


async def test_a_put_of_one_setting_runs_through_so_many_files(client: Client, make: Make, journey: Journey) -> None:
    agent, files = await make.agent(), list[set[str]]()
    for attempts in range(TIMES):
        with journey.begun():
            answer = await client.put(
                f"/api/agents/{agent['id']}", json={"configuration": {"retry_attempts": attempts}})
        assert answer.status == 200, answer.body
        files.append(journey.files)

    fewest = min(files, key=len)  # now and then something that is kept is read again
    print(len(fewest), *sorted(fewest))
    assert {"lifecycle/router.py", "agents/saving.py"} <= fewest
    assert len(fewest) <= MOST_FILES["a setting"], sorted(fewest)


async def test_a_graceful_stop_without_work_runs_through_so_many_files_and_statements(
    client: Client, make: Make, journey: Journey
) -> None:
    agent, files = await make.agent(), list[set[str]]()
    for _ in range(TIMES):
        assert (await client.post(f"/api/agents/{agent['id']}/start")).status == 200
        with journey.begun():
            answer = await client.post(f"/api/agents/{agent['id']}/stop", json={"shutdown_type": "graceful"})
        assert answer.json()["status"] == "inactive", answer.body
        files.append(journey.files)

    fewest = min(files, key=len)
    print(len(fewest), *sorted(fewest))
    assert {"lifecycle/stop.py", "recipes/agent_work.py"} <= fewest
    assert len(fewest) <= MOST_FILES["a stop"], sorted(fewest)
    assert len(journey.statements) <= MOST_STATEMENTS, journey.statements
