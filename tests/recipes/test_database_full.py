"""A database without room: what was answered is kept until it can be recorded, and nothing new is begun."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from automatos.entrypoints.migrate import Migrated
from automatos.entrypoints.services import Services
from automatos.kernel import db
from tests.durable.conftest import until
from tests.fakes.model_server import ModelServer, Reply
from tests.surface import Client, Make

NO_ROOM = "DO $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$"
NO_MEMORY = NO_ROOM.replace("53100", "53200")


@pytest.fixture
async def admin(migrated: Migrated) -> AsyncIterator[asyncpg.Connection]:
    assert migrated.embedded
    connection = await asyncpg.connect(migrated.embedded.admin_database_url)
    yield connection
    await connection.execute("DROP TRIGGER IF EXISTS no_room ON run_turn_records; DROP FUNCTION IF EXISTS no_room()")
    await connection.close()


async def fill(admin: asyncpg.Connection, code: str) -> None:
    """Let no turn be recorded any more, as on a disk where only a few small changes still find room."""
    await admin.execute(
        "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '{code}'; END $$; "
        "CREATE TRIGGER no_room BEFORE INSERT ON run_turn_records FOR EACH ROW EXECUTE FUNCTION no_room()")


@pytest.mark.capability("S093")
@pytest.mark.parametrize(("code", "room"), [("53100", NO_ROOM), ("53200", NO_MEMORY)])
async def test_each_model_is_asked_once_and_runs_end_well_when_there_is_room_again(
    client: Client, make: Make, model_server: ModelServer, services: Services, admin: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch, code: str, room: str
) -> None:
    recipe = await make.recipe("First")
    model_server.script(Reply(text="answered"), repeat=True)
    with monkeypatch.context() as full:
        full.setattr(db, "ROOM", room)
        await fill(admin, code)
        answered = await client.cook(recipe["template_id"])
        await until(lambda: services.database.full_since is not None)
        health = await client.get("/health")
        waiting = await client.cook(recipe["template_id"])
        await until(lambda: services.database.looked_for_room >= 3)
        status = (await client.get(f"/api/runs/{waiting}")).json()["status"]
        calls = len(model_server.calls)
        await admin.execute("DROP TRIGGER no_room ON run_turn_records; DROP FUNCTION no_room()")
    for run_id in (answered, waiting):
        await client.follow(run_id)

    assert (health.status, health.json()["components"]["database"]["status"]) == (503, "unhealthy")
    assert (status, calls) == ("queued", 1)
    runs = [(await client.get(f"/api/runs/{run_id}")).json() for run_id in (answered, waiting)]
    assert [run["status"] for run in runs] == ["completed", "completed"]
    assert all(run["total_tokens"] > 0 for run in runs)
    assert len(model_server.calls) == 2
    assert services.database.full_since is None


async def test_a_request_that_finds_no_room_is_told_to_come_again(
    client: Client, services: Services, admin: asyncpg.Connection
) -> None:
    await admin.execute(
        "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'too many' USING ERRCODE = '53300'; END $$; "
        "CREATE TRIGGER no_room BEFORE INSERT ON agents FOR EACH ROW EXECUTE FUNCTION no_room()")
    try:
        answer = await client.post("/api/agents", json={"name": "Ada", "agent_type": "custom"})
    finally:
        await admin.execute("DROP TRIGGER no_room ON agents")

    assert (answer.status, answer.code) == (503, "database_unavailable")
    assert await services.database.has_room()
