"""An active agent with nothing to do is idle; it takes work all the same, and is active again when work comes."""

from datetime import timedelta

import pytest

from automatos.entrypoints.services import Services
from automatos.kernel.clock import now
from automatos.kernel.db import Database
from automatos.kernel.ids import new_id
from automatos.lifecycle.idle import rest_idle_agents
from tests.lifecycle.lives import audit, lane, set_agent, status_of
from tests.lifecycle.references import References
from tests.surface import Client, Make

LONG = timedelta(minutes=5)


async def age(database: Database, client: Client, agent_id: int, **columns: object) -> None:
    """Let an agent have done nothing for ten minutes."""
    await set_agent(database, client, agent_id, **{"status_changed_at": now() - 2 * LONG} | columns)


@pytest.mark.capability("S107")
async def test_an_agent_without_work_is_idle_after_a_while_and_active_again_when_work_comes(
    client: Client, make: Make, services: Services, database: Database
) -> None:
    agent = await make.agent()
    recipe = await make.recipe({"agent_id": agent["id"], "prompt_template": "Work"})
    await age(database, client, agent["id"])

    await rest_idle_agents(services.database, services.bus, LONG)

    resting = await status_of(client, agent["id"])
    assert (resting["status"], resting["workload"]["running"]) == ("idle", 0)
    assert "active" in resting["allowed_statuses"]
    assert await lane(database, agent["id"]) == (5, "open")
    assert [action for _, action, _ in await audit(database, client)].count("agent.status_changed") == 1
    assert (await client.get("/api/agents?status=idle")).json()["total"] == 1
    run = await client.cooked(recipe["template_id"])
    assert run["status"] == "completed"
    assert (await status_of(client, agent["id"]))["status"] == "active"


@pytest.mark.parametrize("why", ["worked", "queued", "running", "stopping", "fresh", "paused"])
async def test_an_agent_with_something_to_do_does_not_rest(
    client: Client, make: Make, services: Services, database: Database, why: str
) -> None:
    agent = await make.agent()
    known = References(database, client.workspace_id, None, [agent["id"]])  # pyright: ignore[reportArgumentType]
    columns: dict[str, dict[str, object]] = {
        "worked": {"last_active_at": now()}, "stopping": {"stopping": {
            "id": new_id().hex, "target": "inactive", "shutdown_type": "graceful", "requested_by": "user:1",
            "requested_at": now().isoformat()}},
        "fresh": {"status_changed_at": now()}, "paused": {"status": "paused"},
    }
    await age(database, client, agent["id"], **columns.get(why, {}))
    if why in {"queued", "running"}:
        await known.add_work(agent["id"], "queued")

    await rest_idle_agents(services.database, services.bus, LONG)

    async with database.recording(client.workspace_id) as connection:
        status = await connection.fetchval("SELECT status FROM agents WHERE id = $1", agent["id"])
    assert status == ("paused" if why == "paused" else "active")


async def test_agents_of_every_workspace_rest(
    client: Client, stranger: Client, make: Make, services: Services, database: Database
) -> None:
    mine, theirs = await make.agent(), await Make(stranger).agent()
    await age(database, client, mine["id"])
    await age(database, stranger, theirs["id"])
    await rest_idle_agents(services.database, services.bus, LONG)
    assert (await status_of(client, mine["id"]))["status"] == "idle"
    assert (await status_of(stranger, theirs["id"]))["status"] == "idle"


async def test_an_idle_agent_is_stopped_like_an_active_one(client: Client, make: Make, database: Database) -> None:
    agent = await make.agent()
    await set_agent(database, client, agent["id"], status="idle")
    assert (await client.post(f"/api/agents/{agent['id']}/deactivate")).json()["status"] == "inactive"
