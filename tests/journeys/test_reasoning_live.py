"""What a model thinks is told while it thinks, apart from the answer, and goes into nothing else."""

import asyncio
from dataclasses import replace
from typing import Any

import orjson
import pytest

from automatos.kernel.http import Http
from automatos.llm.providers.responses import ResponsesProvider
from tests.fakes.model_server import ModelServer, Reply
from tests.llm.wire_calls import ask, call_to
from tests.surface import Client, Make

THOUGHT = "First I add, then I look at it again."


async def seen_until_thinking(client: Client, run_id: str, gate: asyncio.Event) -> list[dict[str, Any]]:
    """Follow a run to its end; the model goes on to its answer only when its reasoning was seen."""
    events: list[dict[str, Any]] = []
    path, headers = f"/api/runs/{run_id}/events", client.headers
    async with asyncio.timeout(60), client.http.get(path, headers=headers) as response:
        async for line in response.content:
            if line.startswith(b"data: "):
                events.append(orjson.loads(line[6:]))
                if events[-1]["data"].get("reasoning"):
                    gate.set()
    return events


@pytest.mark.parametrize(("model", "reply"), [
    ({"provider": "openai", "model_id": "fake-model"},
     Reply(text="Four.", reasoning=THOUGHT, gate=asyncio.Event(), gate_after=3)),
    ({"provider": "openai", "model_id": "fake-model"},
     Reply(text=f"<think>{THOUGHT}</think>Four.", chunks=12, gate=asyncio.Event(), gate_after=7)),
    ({"provider": "anthropic", "model_id": "claude-haiku-4-5"},
     Reply(text="Four.", reasoning=THOUGHT, gate=asyncio.Event(), gate_after=4)),
], ids=["chat", "tags", "messages"])
async def test_reasoning_is_told_before_the_answer_and_is_no_part_of_it(
    client: Client, make: Make, model_server: ModelServer, model: dict[str, str], reply: Reply
) -> None:
    agent = await make.agent(model_config=model)
    recipe = await make.recipe({"agent_id": agent["id"], "prompt_template": "Add", "output_key": "sum"}, "Say {sum}")
    assert reply.gate
    model_server.script(reply, match="Add")

    run_id = await client.cook(recipe["template_id"])
    events = await seen_until_thinking(client, run_id, reply.gate)
    run = (await client.get(f"/api/runs/{run_id}")).json()

    pieces = [each["data"] for each in events if each["type"] == "step.delta" and each["data"]["order"] == 1]
    told = "".join(piece.get("reasoning", "") for piece in pieces)
    assert told
    assert THOUGHT.startswith(told.strip())
    assert "".join(piece["text"] for piece in pieces) == "Four."
    assert run["steps"][0]["turns"][0]["body"]["reasoning"] == THOUGHT
    assert run["steps"][0]["output"] == "Four."
    assert "look at it" not in str(model_server.calls[-1].body)


async def test_an_answer_without_reasoning_tells_none(client: Client, make: Make, model_server: ModelServer) -> None:
    recipe = await make.recipe("Say hello")
    model_server.script(Reply(text="word " * 60, chunks=30, chunk_delay_s=0.01))

    events = await client.watch(await client.cook(recipe["template_id"]))

    assert [each for each in events if each["type"] == "step.delta"]
    assert not [each for each in events if each["type"] == "step.delta" and "reasoning" in each["data"]]


async def test_the_third_wire_tells_it_too(model_server: ModelServer) -> None:
    model_server.serves_responses = True
    model_server.script(Reply(text="Four.", reasoning=THOUGHT))
    outgoing, told = Http.open(), list[str]()
    try:
        call = replace(call_to(outgoing, model_server, "openai", "gpt-6.1-terra"), on_reasoning=told.append)
        answer = await ask(ResponsesProvider(), call)
    finally:
        await outgoing.close()
    assert answer.reasoning == "".join(told) == THOUGHT


async def test_what_came_from_the_cache_is_told(client: Client, make: Make, model_server: ModelServer) -> None:
    recipe = await make.recipe("Say hello")
    model_server.script(Reply(text="Hi", usage=(100, 5), cached_tokens=64))

    run_id = await client.cook(recipe["template_id"])
    events = await client.follow(run_id)

    answered = next(each["data"] for each in events if each["type"] == "model.answered")
    assert (answered["cache_read_tokens"], answered["cache_write_tokens"]) == (64, 0)
