"""Starting a run twice by accident starts it once."""

import asyncio
from typing import Any

import pytest

from tests.fakes.model_server import ModelServer
from tests.surface import Answer, Client, Make

INPUTS: dict[str, Any] = {"topic": {"type": "string"}, "options": {"type": "object"}}


async def start(client: Client, template_id: str, key: str, **inputs: Any) -> Answer:
    return await client.post(f"/api/workflow-recipes/{template_id}/execute", json={"input_data": inputs},
                             headers={"Idempotency-Key": key})


async def test_the_same_key_with_the_same_request_gives_the_run_it_started(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    recipe = await make.recipe("Write about {input.topic}", inputs=INPUTS)

    first = await start(client, recipe["template_id"], "key-1", topic="a", options={"x": 1, "y": 2})
    second = await start(client, recipe["template_id"], "key-1", options={"y": 2, "x": 1}, topic="a")
    await client.follow(first.json()["recipe_execution_id"])

    assert (first.status, second.status) == (202, 202)
    assert second.json()["recipe_execution_id"] == first.json()["recipe_execution_id"]
    assert "already" in second.json()["message"]
    assert len(model_server.calls) == 1


async def test_the_same_key_with_another_request_is_refused(client: Client, make: Make) -> None:
    recipe = await make.recipe("Write about {input.topic}", inputs=INPUTS)
    other = await make.recipe("Write about {input.topic}", inputs=INPUTS)

    first = await start(client, recipe["template_id"], "key-1", topic="a")
    changed = await start(client, recipe["template_id"], "key-1", topic="b")
    elsewhere = await start(client, other["template_id"], "key-1", topic="a")
    await client.follow(first.json()["recipe_execution_id"])

    assert (changed.status, changed.code) == (422, "idempotency_key_reused")
    assert (elsewhere.status, elsewhere.code) == (422, "idempotency_key_reused")
    assert (await client.get("/api/runs")).json()["total"] == 1


async def test_many_requests_with_one_key_at_once_start_one_run(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    recipe = await make.recipe("Write about {input.topic}", inputs=INPUTS)

    answers = await asyncio.gather(*(start(client, recipe["template_id"], "same", topic="a") for _ in range(20)))
    started = {answer.json()["recipe_execution_id"] for answer in answers}
    await client.follow(next(iter(started)))

    assert {answer.status for answer in answers} == {202}
    assert len(started) == 1
    assert (await client.get("/api/runs")).json()["total"] == 1
    assert len(model_server.calls) == 1


async def test_keys_of_two_workspaces_do_not_meet(client: Client, stranger: Client, make: Make) -> None:
    mine = await make.recipe("Say hello", template_id="same-name")
    theirs = await Make(stranger).recipe("Say hello", template_id="same-name")

    first = await start(client, mine["template_id"], "shared")
    second = await start(stranger, theirs["template_id"], "shared")
    await client.follow(first.json()["recipe_execution_id"])
    await stranger.follow(second.json()["recipe_execution_id"])

    assert first.json()["recipe_execution_id"] != second.json()["recipe_execution_id"]


async def test_without_a_key_every_request_starts_a_run(client: Client, make: Make) -> None:
    recipe = await make.recipe("Say hello")

    runs = [await client.cook(recipe["template_id"]) for _ in range(2)]
    for run_id in runs:
        await client.follow(run_id)

    assert len(set(runs)) == 2


@pytest.mark.parametrize("key", ["", "two words", "x" * 201, "caf\u00e9"])
async def test_a_key_that_cannot_be_one_is_refused(client: Client, make: Make, key: str) -> None:
    recipe = await make.recipe("Say hello")

    answer = await start(client, recipe["template_id"], key)

    assert (answer.status, answer.code) == (422, "invalid_request")
