"""Deadlines go by the database's clock: no process ends an execution early, or late, because its own clock is off."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from automatos.entrypoints.services import Services
from automatos.kernel import clock
from automatos.kernel.db import Database
from automatos.recipes import jobs
from tests.durable.conftest import until
from tests.fakes.model_server import ModelServer, Reply
from tests.surface import Client, Make

DEADLINE = ("UPDATE recipe_executions SET deadline_at = now() + make_interval(mins => $2) WHERE id = $1::uuid "
            "RETURNING 1")


def set_machine(monkeypatch: pytest.MonkeyPatch, hours: int) -> None:
    """Put this machine's clock wrong as if it had never asked a database."""
    monkeypatch.setattr(clock, "machine_now", lambda: datetime.now(UTC) + timedelta(hours=hours))
    monkeypatch.setattr(clock._Followed, "at", None)


@pytest.mark.parametrize("hours", [2, -2])
async def test_who_looks_for_overdue_executions_finds_those_that_are_by_the_databases_clock(
    client: Client, make: Make, model_server: ModelServer, database: Database, services: Services,
    monkeypatch: pytest.MonkeyPatch, hours: int,
) -> None:
    del services
    model_server.script(Reply(hang=True), repeat=True)
    recipe = await make.recipe("Go on")
    healthy, late = [await client.cook(recipe["template_id"]) for _ in range(2)]
    for run_id in (healthy, late):
        await until(partial(is_at_work, client, run_id))
    for run_id, minutes in ((healthy, 60), (late, -1)):
        async with database.recording(client.workspace_id) as connection:
            assert await connection.fetchval(DEADLINE, run_id, minutes) == 1

    set_machine(monkeypatch, hours)
    found = {str(row["id"]) for row in await jobs._overdue(database)}

    assert healthy not in found
    assert late in found or await status_of(client, late) == "failed"


async def status_of(client: Client, run_id: str) -> str:
    return (await client.get(f"/api/runs/{run_id}")).json()["status"]


async def is_at_work(client: Client, run_id: str) -> bool:
    return await status_of(client, run_id) == "running"
