"""A database that refuses: requests are told to come again, /health says so, and all goes on when it takes changes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from automatos.entrypoints import health
from automatos.entrypoints.migrate import Migrated
from automatos.entrypoints.services import Services
from automatos.kernel.db import Database
from tests.durable.conftest import until
from tests.fakes.model_server import ModelServer, Reply
from tests.surface import Client, Make

AGENT = {"name": "Ada", "agent_type": "custom"}


@pytest.fixture
async def admin(migrated: Migrated) -> AsyncIterator[asyncpg.Connection]:
    assert migrated.embedded
    connection = await asyncpg.connect(migrated.embedded.admin_database_url)
    await connection.execute("SET default_transaction_read_only = off")
    yield connection
    await connection.close()


@pytest.fixture(autouse=True)
def looks_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let /health look and write each time it is asked."""
    monkeypatch.setattr(health, "KEPT_S", 0.0)
    monkeypatch.setattr(health, "WRITE_EVERY_S", 0.0, raising=False)


async def set_for_all(admin: asyncpg.Connection, value: str) -> None:
    """Change the default of every connection, also of those that are open, and see that one has heard of it."""
    await admin.execute(f"ALTER SYSTEM SET default_transaction_read_only = {value}")
    await admin.execute("SELECT pg_reload_conf()")


@asynccontextmanager
async def read_only(admin: asyncpg.Connection, services: Services) -> AsyncIterator[None]:
    await set_for_all(admin, "on")
    try:
        await until(lambda: _is_read_only(services, "on"))
        yield
    finally:
        await set_for_all(admin, "off")
        await until(lambda: _is_read_only(services, "off"))


async def _is_read_only(services: Services, value: str) -> bool:
    async with services.database.recording(None) as connection:
        return await connection.fetchval("SHOW default_transaction_read_only") == value


@pytest.mark.capability("S179")
async def test_a_database_only_to_be_read_takes_no_change_and_says_so(
    client: Client, services: Services, admin: asyncpg.Connection
) -> None:
    async with read_only(admin, services):
        written = [await client.post("/api/agents", json=AGENT) for _ in range(3)]
        read = await client.get("/api/agents")
        report = await client.get("/health")
    healed = await client.get("/health")

    assert [(each.status, each.code) for each in written] == [(503, "database_unavailable")] * 3
    assert "read-only" in written[0].json()["detail"]
    assert written[0].headers["retry-after"]
    assert read.status == 200
    assert (report.status, report.json()["components"]["database"]["status"]) == (503, "unhealthy")
    assert "read-only" in report.json()["components"]["database"]["detail"]
    assert healed.json()["components"]["database"]["status"] == "healthy"
    assert (await client.post("/api/agents", json=AGENT)).status == 201


async def test_a_run_waits_for_a_database_that_is_only_to_be_read(
    client: Client, make: Make, model_server: ModelServer, services: Services, admin: asyncpg.Connection
) -> None:
    """The model answers while nothing can be written; its answer is recorded, and paid for, once."""
    recipe = await make.recipe("First")
    gate = asyncio.Event()
    model_server.script(Reply(text="answered", gate=gate), repeat=True)
    run_id = await client.cook(recipe["template_id"])
    await model_server.wait_for_calls(1)
    async with read_only(admin, services):
        gate.set()
        assert (await client.get(f"/api/runs/{run_id}")).json()["status"] == "running"
    await client.follow(run_id)

    run = (await client.get(f"/api/runs/{run_id}")).json()
    assert (run["status"], run["total_tokens"] > 0, len(model_server.calls)) == ("completed", True, 1)


async def test_connections_that_are_all_taken_are_no_fault_of_the_request(
    client: Client, services: Services, database: Database, admin: asyncpg.Connection
) -> None:
    """The login has no connection left: who needs a new one is told to come again."""
    login = await _login_of(services)
    await admin.execute(f"ALTER ROLE {login} CONNECTION LIMIT 0")
    try:
        await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", login)
        answers = await asyncio.gather(*(client.post("/api/agents", json=AGENT) for _ in range(12)))
        read = await client.get("/api/agents")
        report = await client.get("/health")
    finally:
        await admin.execute(f"ALTER ROLE {login} CONNECTION LIMIT -1")
        await database.engine.dispose()  # the tests' own connections were ended too; the next test finds new ones

    assert {(each.status, each.code) for each in [*answers, read]} == {(503, "database_unavailable")}
    assert any("connection" in each.json()["detail"] for each in answers)
    assert report.status == 503
    await until(lambda: _takes_an_agent(client))


async def _takes_an_agent(client: Client) -> bool:
    """Whether one is taken again; connections that were ended while they lay in a pool are still told as 503."""
    answer = await client.post("/api/agents", json=AGENT)
    assert answer.status in {201, 503}
    return answer.status == 201


async def _login_of(services: Services) -> str:
    async with services.database.recording(None) as connection:
        return await connection.fetchval("SELECT session_user::text")


@pytest.mark.parametrize(("code", "status", "problem"), [
    ("40P01", 503, "database_unavailable"), ("40001", 503, "database_unavailable"),
    ("57014", 503, "database_unavailable"), ("08006", 503, "database_unavailable"),
    ("55P03", 503, "database_unavailable"), ("58030", 503, "database_unavailable"),
    ("23505", 409, "conflict"), ("22003", 422, "invalid_request"), ("XX000", 500, "internal_error"),
])
async def test_each_class_of_refusal_has_one_meaning(
    client: Client, admin: asyncpg.Connection, code: str, status: int, problem: str
) -> None:
    await admin.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = '{code}'; END $$; "
        "CREATE TRIGGER refuse BEFORE INSERT ON agents FOR EACH ROW EXECUTE FUNCTION refuse()")
    try:
        answer = await client.post("/api/agents", json=AGENT)
    finally:
        await admin.execute("DROP TRIGGER refuse ON agents; DROP FUNCTION refuse()")
    assert (answer.status, answer.code) == (status, problem)
