"""Steps that wait for a signal from outside: sent once, kept until it is wanted, read as the step's output."""

import asyncio
from typing import Any

import pytest

from automatos.kernel.db import Database
from tests.fakes.model_server import ModelServer, Reply
from tests.runs.test_pausing import until
from tests.surface import Client, Make

PAID = {"step_id": "paid", "agent_id": None, "wait": {"signal": "paid"}, "output_key": "payment"}
END = {"step_id": "end", "prompt_template": "end {payment}"}


async def send(client: Client, run_id: str, name: str, data: Any = None) -> None:
    answer = await client.post(f"/api/runs/{run_id}/signals/{name}", json={"data": data})
    assert answer.status == 202, answer.body


async def test_a_step_waits_for_a_signal_and_its_data_is_the_steps_output(
    client: Client, make: Make, model_server: ModelServer, database: Database
) -> None:
    recipe = await make.recipe({"step_id": "first", "prompt_template": "first"}, PAID, END)
    run_id = await client.cook(recipe["template_id"])
    waiting = await until(client, run_id, "waiting")
    assert waiting["steps"][1]["waits_for"]["signal"] == "paid"
    async with database.recording(None) as connection:
        assert await connection.fetchval("SELECT count(*) FROM durable.jobs WHERE starts_with(key, $1)", run_id) == 0

    await send(client, run_id, "paid", {"euro": 12, "by": ["Ada", "ü"]})
    events = await client.follow(run_id)
    run = (await client.get(f"/api/runs/{run_id}")).json()

    text = '{"euro":12,"by":["Ada","ü"]}'
    assert run["status"] == "completed"
    assert run["steps"][1]["output"] == text
    assert model_server.calls[-1].last_user_text == f"end <data>\n{text}\n</data>"
    types = [event["type"] for event in events]
    place = types.index("step.waiting")
    assert types[place + 1:place + 4] == ["execution.resumed", "execution.signalled", "step.completed"]
    assert next(event["data"] for event in events if event["type"] == "step.waiting")["signal"] == "paid"


async def test_a_signal_that_comes_before_its_step_is_kept_for_it(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    gate = asyncio.Event()
    model_server.script(Reply(text="1", gate=gate), match="first")
    recipe = await make.recipe({"step_id": "first", "prompt_template": "first"}, PAID, END)
    run_id = await client.cook(recipe["template_id"])
    await model_server.wait_for_calls(1)

    await send(client, run_id, "paid", 7)
    gate.set()
    events = await client.follow(run_id)

    assert events[-1]["type"] == "execution.completed"
    assert "step.waiting" not in [event["type"] for event in events]
    assert model_server.calls[-1].last_user_text == "end <data>\n7\n</data>"


async def test_all_steps_that_wait_for_a_signal_end_with_it_and_a_list_in_it_has_items(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    recipe = await make.recipe(
        {"step_id": "a", "agent_id": None, "wait": {"signal": "go"}},
        {"step_id": "b", "agent_id": None, "wait": {"signal": "go"}, "needs": []},
        {"step_id": "each", "agent_id": None, "for_each": {"items": "a"}, "needs": ["a", "b"]},
        {"step_id": "row", "inside": "each", "prompt_template": "row {item}"})
    run_id = await client.cook(recipe["template_id"])
    await until(client, run_id, "waiting")

    await send(client, run_id, "go", ["x", "y"])
    await client.follow(run_id)

    assert sorted(call.last_user_text for call in model_server.calls) == [
        "row <data>\nx\n</data>", "row <data>\ny\n</data>"]


async def test_of_many_who_send_a_signal_at_once_one_is_taken(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    recipe = await make.recipe(PAID, END)
    run_id = await client.cook(recipe["template_id"])
    await until(client, run_id, "waiting")

    answers = await asyncio.gather(*(
        client.post(f"/api/runs/{run_id}/signals/paid", json={"data": number}) for number in range(8)))
    await client.follow(run_id)

    taken = [number for number, answer in enumerate(answers) if answer.status == 202]
    assert len(taken) == 1
    assert {answer.code for answer in answers if answer.status != 202} <= {"signal_already_sent", "run_over"}
    assert model_server.calls[-1].last_user_text == f"end <data>\n{taken[0]}\n</data>"


async def test_a_signal_that_does_not_come_in_time_fails_its_step_and_the_time_ends_with_a_signal(
    client: Client, make: Make, model_server: ModelServer, database: Database
) -> None:
    waits = PAID | {"wait": {"signal": "paid", "timeout_s": 3600}}
    recipe = await make.recipe(waits, END)
    late, sent = await client.cook(recipe["template_id"]), await client.cook(recipe["template_id"])
    await until(client, late, "waiting")
    await until(client, sent, "waiting")

    await send(client, sent, "paid")
    async with database.recording(None) as connection:
        await connection.execute("UPDATE durable.jobs SET run_at = now() WHERE starts_with(key, $1)", late)
        assert await connection.fetchval("SELECT count(*) FROM durable.jobs WHERE key = $1", f"{sent}/paid") == 0
    await client.follow(late)
    run = (await client.get(f"/api/runs/{late}")).json()

    assert (run["status"], run["error"]["code"]) == ("failed", "signal_timeout")
    assert (await client.follow(sent))[-1]["type"] == "execution.completed"


async def test_a_signal_that_is_sent_to_a_paused_run_is_read_and_nothing_begins(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    recipe = await make.recipe(PAID, END)
    run_id = await client.cook(recipe["template_id"])
    await until(client, run_id, "waiting")
    await client.post(f"/api/runs/{run_id}/pause")

    await send(client, run_id, "paid", "yes")
    held = await until(client, run_id, "paused")
    assert [step["status"] for step in held["steps"]] == ["completed"]
    await client.post(f"/api/runs/{run_id}/resume")

    assert (await client.follow(run_id))[-1]["type"] == "execution.completed"


async def test_signals_that_no_step_waits_for_and_those_of_other_runs_are_refused(
    client: Client, make: Make, model_server: ModelServer, stranger: Client
) -> None:
    run_id = await client.cook((await make.recipe(PAID, END))["template_id"])
    over = (await client.cooked((await make.recipe("one"))["template_id"]))["id"]
    await until(client, run_id, "waiting")

    async def code(run: str, name: str, who: Client = client, data: Any = None) -> str | None:
        return (await who.post(f"/api/runs/{run}/signals/{name}", json={"data": data})).code

    assert await code(run_id, "payed") == "signal_unknown"
    assert await code(over, "paid") == "run_over"
    assert await code(run_id, "paid", stranger) == "run_not_found"
    assert await code(run_id, "a.b") == "invalid_request"
    assert await code(run_id, "paid", data="x" * 1_000_001) == "invalid_request"
    assert (await until(client, run_id, "waiting"))["steps"][0]["status"] == "waiting"
    await send(client, run_id, "paid")
    await client.follow(run_id)


@pytest.mark.parametrize(("wait", "said"), [
    ({}, "`seconds` or for a `signal`"), ({"seconds": 5, "signal": "x"}, "`seconds` or for a `signal`"),
    ({"seconds": 5, "timeout_s": 5}, "only with a signal"), ({"signal": "a.b"}, "pattern"),
])
async def test_a_wait_is_for_a_time_or_for_a_signal(client: Client, wait: dict[str, Any], said: str) -> None:
    answer = await client.post("/api/workflow-recipes", json={
        "template_id": "w", "name": "W", "steps": [{"step_id": "a", "order": 1, "wait": wait}]})

    assert answer.status == 422
    assert said in str(answer.json())


async def test_a_wait_for_a_time_is_stored_as_before(client: Client, make: Make) -> None:
    recipe = await make.recipe({"step_id": "a", "agent_id": None, "wait": {"seconds": 5}},
                               {"step_id": "b", "agent_id": None, "wait": {"signal": "go"}})
    versions = (await client.get(f"/api/workflow-recipes/{recipe['template_id']}/versions")).json()["items"]

    assert [step["wait"] for step in versions[0]["definition"]["steps"]] == [{"seconds": 5}, {"signal": "go"}]
