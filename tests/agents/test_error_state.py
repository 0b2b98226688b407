"""How an agent's steps ended is added up; one that fails again and again is taken out of work until it is cleared."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from automatos.agents.outcomes import OutcomeRecorder
from automatos.agents.types import Outcome
from automatos.entrypoints.services import Services
from automatos.kernel.config import Settings
from automatos.kernel.db import Database
from tests.fakes.model_server import ModelServer, Reply
from tests.lifecycle.lives import audit, lane, status_of, until
from tests.surface import Client, Make

BEGAN = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
async def recorder(services: Services, client: Client) -> AsyncIterator[OutcomeRecorder]:
    """A recorder of this test, which gives up on an agent after three failures."""
    del client
    made = OutcomeRecorder(services.database, services.bus, error_after=3)
    yield made
    await made.close()


def outcomes(client: Client, agent_id: int, words: str) -> list[Outcome]:
    """One outcome for each letter: o is a success, x a failure."""
    return [
        Outcome(client.workspace_id, agent_id, letter == "o", BEGAN + timedelta(seconds=place), 10,
                None if letter == "o" else f"failure {place}")
        for place, letter in enumerate(words)
    ]


async def agent_of(client: Client, agent_id: int) -> dict[str, Any]:
    return (await client.get(f"/api/agents/{agent_id}")).json()


async def test_outcomes_are_added_up_over_several_batches(
    client: Client, make: Make, recorder: OutcomeRecorder
) -> None:
    agent, other = await make.agent(), await make.agent()
    for words in ("oox", "xo", "ox"):
        for outcome in outcomes(client, agent["id"], words):
            recorder.record(outcome)
        recorder.record(outcomes(client, other["id"], "o")[0])
        await recorder.flush()

    found = await agent_of(client, agent["id"])

    assert found["performance_metrics"] == {
        "total_tasks_executed": 7, "tasks_completed": 7, "success_count": 4, "failure_count": 3, "success_rate": 0.5714,
        "consecutive_failures": 1, "last_task_at": "2026-11-01T00:00:01Z", "last_task_success": False,
    }
    assert found["last_active_at"] == "2026-11-01T00:00:02Z"
    assert found["status"] == "active"
    assert (await agent_of(client, other["id"]))["performance_metrics"]["success_rate"] == 1.0


async def test_an_agent_that_is_not_monitored_keeps_no_figures(
    client: Client, make: Make, recorder: OutcomeRecorder
) -> None:
    agent = await make.agent(configuration={"performance_monitoring": False})
    for outcome in outcomes(client, agent["id"], "oxx"):
        recorder.record(outcome)
    await recorder.flush()
    found = await agent_of(client, agent["id"])
    assert found["performance_metrics"]["total_tasks_executed"] == 0
    assert found["performance_metrics"]["consecutive_failures"] == 2
    assert found["last_active_at"] == "2026-11-01T00:00:02Z"


@pytest.mark.capability("S097")
@pytest.mark.parametrize("batches", [("xxx",), ("x", "x", "x"), ("ox", "xx")])
async def test_failures_in_a_row_put_an_agent_in_error(
    client: Client, make: Make, recorder: OutcomeRecorder, database: Database, batches: tuple[str, ...]
) -> None:
    agent = await make.agent()
    recipe = await make.recipe({"agent_id": agent["id"], "prompt_template": "Work"})
    for words in batches:
        for outcome in outcomes(client, agent["id"], words):
            recorder.record(outcome)
        await recorder.flush()

    seen = await status_of(client, agent["id"])

    assert seen["status"] == "error"
    assert seen["status_reason"].startswith("3 tasks in a row failed, the last one with: failure")
    assert seen["allowed_statuses"] == ["archived", "inactive"]
    assert await lane(database, agent["id"]) == (5, "closed")
    actor, action, detail = (await audit(database, client))[-1]
    assert (actor, action, detail["after"]) == ("server", "agent.status_changed", "error")
    refused = await client.post(f"/api/workflow-recipes/{recipe['template_id']}/execute", json={})
    assert refused.code == "recipe_not_ready"
    assert (await client.post(f"/api/agents/{agent['id']}/clear-error")).json()["status"] == "inactive"
    assert (await client.post(f"/api/agents/{agent['id']}/activate")).json()["status"] == "active"
    recorder.record(outcomes(client, agent["id"], "x")[0])
    await recorder.flush()
    assert (await status_of(client, agent["id"]))["status"] == "active"


@pytest.mark.parametrize("words", ["xxoxx", "oxx", "xxo"])
async def test_a_success_between_failures_keeps_an_agent_at_work(
    client: Client, make: Make, recorder: OutcomeRecorder, words: str
) -> None:
    agent = await make.agent()
    for outcome in outcomes(client, agent["id"], words):
        recorder.record(outcome)
    await recorder.flush()
    assert (await status_of(client, agent["id"]))["status"] == "active"


async def test_an_outcome_of_an_agent_that_is_gone_is_dropped(
    client: Client, make: Make, recorder: OutcomeRecorder
) -> None:
    agent, gone = await make.agent(), await make.agent()
    assert (await client.delete(f"/api/agents/{gone['id']}")).status == 204
    for agent_id in (gone["id"], agent["id"]):
        recorder.record(outcomes(client, agent_id, "o")[0])
    await recorder.flush()
    assert (await agent_of(client, agent["id"]))["performance_metrics"]["total_tasks_executed"] == 1


async def test_the_worker_reports_what_came_of_its_steps(
    client: Client, make: Make, model_server: ModelServer, settings: Settings
) -> None:
    agent = await make.agent(configuration={"retry_attempts": 0})
    recipe = await make.recipe({"agent_id": agent["id"], "prompt_template": "Work"})
    model_server.script(Reply(status=400, message="no"), repeat=True)
    for _ in range(settings.agent_error_after_failures):
        await client.cooked(recipe["template_id"])

    seen = await until(lambda: status_of(client, agent["id"]), lambda found: found["status"] == "error")

    assert f"{settings.agent_error_after_failures} tasks in a row failed" in seen["status_reason"]
    metrics = (await agent_of(client, agent["id"]))["performance_metrics"]
    assert (metrics["failure_count"], metrics["success_rate"]) == (settings.agent_error_after_failures, 0.0)
