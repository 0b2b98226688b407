"""Cancelling: before, during and after, once or a hundred times."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from automatos.durable.waiting import WaitingSet
from automatos.kernel.db import Database
from tests.fakes.model_server import ModelServer, Reply
from tests.surface import Client, Make, add_key


async def status_of(client: Client, run_id: str) -> str:
    return (await client.get(f"/api/runs/{run_id}")).json()["status"]


async def started(client: Client, make: Make, model_server: ModelServer, **reply: Any) -> str:
    """Cook a recipe of two steps whose first model call never ends, and return the run's id."""
    recipe = await make.recipe("First", "Second")
    model_server.script(Reply(**({"hang": True} | reply)))
    run_id = await client.cook(recipe["template_id"])
    await model_server.wait_for_calls(1)
    return run_id


async def test_cancelling_in_the_middle_of_a_model_call_closes_its_socket(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    run_id = await started(client, make, model_server)

    answer = await client.post(f"/api/runs/{run_id}/cancel")
    await model_server.wait_for(lambda: model_server.calls[0].disconnected)
    events = await client.follow(run_id)

    assert answer.status == 202
    assert events[-1]["type"] == "execution.cancelled"
    assert events[-1]["data"]["by"]
    run = (await client.get(f"/api/runs/{run_id}")).json()
    assert run["status"] == "cancelled"
    assert [step["status"] for step in run["steps"]] == ["cancelled"]
    assert len(model_server.calls) == 1


async def test_text_that_was_streaming_when_it_was_cancelled_stops(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    run_id = await started(client, make, model_server, hang=False, text="word " * 400, chunks=400, chunk_delay_s=0.02)
    await asyncio.sleep(0.2)

    await client.post(f"/api/runs/{run_id}/cancel")
    events = await client.follow(run_id)

    assert [event["type"] for event in events].count("execution.cancelled") == 1
    assert events[-1]["type"] == "execution.cancelled"
    await model_server.wait_for(lambda: model_server.calls[0].disconnected)


async def test_cancelling_between_retries_ends_the_waiting(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    recipe = await make.recipe("Say hello", execution_config={"max_retries": 5, "retry_delay_ms": 60_000})
    model_server.script(Reply(status=500, headers={"Retry-After": "50"}), repeat=True)
    run_id = await client.cook(recipe["template_id"])
    await model_server.wait_for_calls(1)
    await asyncio.sleep(0.1)

    await client.post(f"/api/runs/{run_id}/cancel")
    events = await client.follow(run_id)

    assert events[-1]["type"] == "execution.cancelled"
    assert len(model_server.calls) == 1


@pytest.mark.parametrize("first", ["an answer", "a call of a tool"])
async def test_nothing_begins_after_a_cancellation_whose_signal_is_still_on_its_way(
    client: Client, make: Make, database: Database, model_server: ModelServer, first: str
) -> None:
    recipe = await make.recipe("First", "Second")
    calls: list[Any] = [("calculator", {"expression": "1 + 1"})] if first == "a call of a tool" else []
    answers = asyncio.Event()
    model_server.script(Reply(text="ok", tool_calls=calls, gate=answers))
    model_server.script(Reply(text="too much"), repeat=True)
    run_id = await client.cook(recipe["template_id"])
    await model_server.wait_for_calls(1)
    async with database.recording(client.workspace_id) as connection:  # what a request to cancel writes first
        await connection.execute(
            "UPDATE recipe_executions SET cancel_requested_by = 'Ada' WHERE id = $1", UUID(run_id))

    answers.set()
    events = await client.follow(run_id)

    assert events[-1]["type"] == "execution.cancelled"
    assert events[-1]["data"]["by"] == "Ada"
    assert len(model_server.calls) == 1


async def test_a_hundred_cancellations_at_once_are_one(client: Client, make: Make, model_server: ModelServer) -> None:
    run_id = await started(client, make, model_server)

    answers = await asyncio.gather(*(client.post(f"/api/runs/{run_id}/cancel") for _ in range(100)))
    events = await client.follow(run_id)

    assert {answer.status for answer in answers} == {202}
    assert [event["type"] for event in events].count("execution.cancelled") == 1


async def test_a_run_cancelled_the_moment_it_was_accepted_ends_cancelled_or_was_done(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    recipe = await make.recipe("First", "Second")
    model_server.script(Reply(text="ok", delay_s=0.02), repeat=True)

    async def cook_and_cancel(pause_s: float) -> tuple[int, str, list[str]]:
        run_id = await client.cook(recipe["template_id"])
        await asyncio.sleep(pause_s)
        answer = await client.post(f"/api/runs/{run_id}/cancel")
        events = await client.follow(run_id)
        return answer.status, await status_of(client, run_id), [event["type"] for event in events]

    results = await asyncio.gather(*(cook_and_cancel(n * 0.002) for n in range(40)))

    for status, ended, types in results:
        assert (status, ended) in {(202, "cancelled"), (202, "completed"), (409, "completed")}
        assert sum(type_ in {"execution.cancelled", "execution.completed"} for type_ in types) == 1
        assert types[-1] == f"execution.{ended}"


async def test_a_run_that_nobody_works_on_is_ended_by_the_cancellation_itself(
    client: Client, make: Make, database: Database, idle_worker: None
) -> None:
    recipe = await make.recipe("Say hello")
    run_id = await client.cook(recipe["template_id"])

    answer = await client.post(f"/api/runs/{run_id}/cancel")

    assert answer.status == 202
    assert await status_of(client, run_id) == "cancelled"
    types = [event["type"] for event in await client.follow(run_id)]
    assert types == ["execution.queued", "execution.cancelled"]
    async with database.recording(None) as connection:
        assert await connection.fetchval("SELECT count(*) FROM durable.jobs WHERE key = $1", run_id) == 0


async def test_a_run_that_has_ended_stays_as_it_is(client: Client, make: Make, model_server: ModelServer) -> None:
    recipe = await make.recipe("Say hello")
    model_server.script(Reply(text="hello"))
    run = await client.cooked(recipe["template_id"])

    refused = await client.post(f"/api/runs/{run['id']}/cancel")

    assert (refused.status, refused.code) == (409, "run_over")
    assert (await client.get(f"/api/runs/{run['id']}")).json() == run


async def test_cancelling_a_cancelled_run_changes_nothing(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    run_id = await started(client, make, model_server)
    await client.post(f"/api/runs/{run_id}/cancel")
    events = await client.follow(run_id)

    again = await client.post(f"/api/runs/{run_id}/cancel")

    assert again.status == 202
    assert await client.follow(run_id) == events


async def test_a_recipes_own_address_of_a_run_cancels_it_too(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    recipe = await make.recipe("Say hello")
    other = await make.recipe("Other")
    model_server.script(Reply(hang=True))
    run_id = await client.cook(recipe["template_id"])
    await model_server.wait_for_calls(1)

    elsewhere = await client.post(f"/api/workflow-recipes/{other['template_id']}/executions/{run_id}/cancel")
    answer = await client.post(f"/api/workflow-recipes/{recipe['template_id']}/executions/{run_id}/cancel")
    await client.follow(run_id)

    assert elsewhere.status == 404
    assert (answer.status, answer.json()["id"]) == (202, run_id)
    assert await status_of(client, run_id) == "cancelled"


async def test_only_editors_of_the_workspace_may_cancel(
    client: Client, stranger: Client, make: Make, model_server: ModelServer, database: Database
) -> None:
    run_id = await started(client, make, model_server)
    viewer = Client(client.http, client.workspace_id,
                    {"X-API-Key": await add_key(database, client.workspace_id, "viewer")})

    assert (await stranger.post(f"/api/runs/{run_id}/cancel")).status == 404
    assert (await viewer.post(f"/api/runs/{run_id}/cancel")).status == 403
    assert await status_of(client, run_id) == "running"
    await client.post(f"/api/runs/{run_id}/cancel")
    await client.follow(run_id)


@pytest.fixture
def idle_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's worker is given no jobs while the test runs, as if it were full."""
    monkeypatch.setattr(WaitingSet, "local_room", 0)
    monkeypatch.setattr(WaitingSet, "pick", lambda *_: [])
    monkeypatch.setattr(WaitingSet, "may_begin", lambda *_: False)
