"""Agents that are to run whenever the server does are active after it started; one that cannot be says why."""

import asyncio

import pytest

from automatos.agents.deps import Readiness
from automatos.entrypoints.services import Services
from automatos.kernel.db import Database
from automatos.lifecycle.auto_start import start_agents
from tests.lifecycle.lives import audit, lane, set_agent, status_of
from tests.surface import Client, Make


async def boot(services: Services) -> tuple[int, int]:
    """What every process does once when it starts."""
    return await start_agents(services.database, Readiness(services.models, services.toolbox), services.bus)


@pytest.mark.capability("S025")
async def test_an_agent_with_auto_start_is_active_after_the_start_and_takes_work(
    client: Client, stranger: Client, make: Make, services: Services, database: Database
) -> None:
    mine = await make.agent(active=False, configuration={"auto_start": True})
    theirs = await Make(stranger).agent(active=False, configuration={"auto_start": True})
    other = await make.agent(active=False)
    assert (mine["auto_start"], other["auto_start"]) == (True, False)

    await boot(services)

    assert (await status_of(client, mine["id"]))["status"] == "active"
    assert (await status_of(stranger, theirs["id"]))["status"] == "active"
    assert (await status_of(client, other["id"]))["status"] == "inactive"
    assert await lane(database, mine["id"]) == (5, "open")
    assert (await audit(database, client))[-1] == (
        "server", "agent.status_changed", {"name": mine["name"], "before": "inactive", "after": "active"})
    recipe = await make.recipe({"agent_id": mine["id"], "prompt_template": "Work"})
    assert (await client.cooked(recipe["template_id"]))["status"] == "completed"


@pytest.mark.capability("S098")
async def test_an_agent_that_is_not_ready_stays_inactive_says_why_and_stops_no_other(
    client: Client, make: Make, services: Services, database: Database
) -> None:
    broken = await make.agent(
        active=False, configuration={"auto_start": True}, model_config={"provider": "groq", "model_id": "x"})
    ready = await make.agent(active=False, configuration={"auto_start": True})

    await boot(services)

    seen = await status_of(client, broken["id"])
    assert seen["status"] == "inactive"
    assert "could not start with the server" in seen["status_reason"]
    assert "Groq" in seen["status_reason"]
    assert (await status_of(client, ready["id"]))["status"] == "active"
    refusals = [detail for actor, action, detail in await audit(database, client)
                if (actor, action) == ("server", "agent.start_refused")]
    assert [detail["name"] for detail in refusals] == [broken["name"]]


@pytest.mark.parametrize("status", ["maintenance", "error", "training", "archived", "paused"])
async def test_only_inactive_agents_are_started(
    client: Client, make: Make, services: Services, database: Database, status: str
) -> None:
    agent = await make.agent(active=False, configuration={"auto_start": True})
    await set_agent(database, client, agent["id"], status=status)
    await boot(services)
    assert (await status_of(client, agent["id"]))["status"] == status


async def test_processes_that_start_together_start_each_agent_once(
    client: Client, make: Make, services: Services, database: Database
) -> None:
    await make.agent(active=False, configuration={"auto_start": True})
    await asyncio.gather(*(boot(services) for _ in range(4)))
    changes = [action for _, action, _ in await audit(database, client)]
    assert changes.count("agent.status_changed") == 1
