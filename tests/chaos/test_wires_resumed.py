"""Every wire against a provider as strict as the real one: four turns with two tools, the worker killed in between.

Each agent's provider is a stand-in that refuses what the real one refuses. All of them are held in their third turn,
the only worker is killed, and another process takes the runs up: what the providers returned before must go back to
them then, item by item, as if nothing had happened.
"""

import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import orjson
import pytest

from tests.chaos.client import Client, set_up
from tests.chaos.harness import stage
from tests.fakes.model_server import ModelServer, Reply
from tests.fakes.model_strict import strict

pytestmark = pytest.mark.chaos
QUICK = {"AUTOMATOS_LEASE_S": "1", "AUTOMATOS_ALLOW_PRIVATE_URLS": "true"}
ANSWERED = (1, 2, 4)
"""The calls that the model answered with tools; the third was cut off with its worker."""


def sealed(number: int, model: str) -> str:
    """What the stand-in's reasoning before its nth answer is signed with."""
    return "sig" + hashlib.sha256(f"{number} {thought(number, model)}".encode()).hexdigest()


def thought(number: int, model: str) -> str:
    return f"Thought {number} of {model}."


def assistants(body: dict[str, Any]) -> list[dict[str, Any]]:
    return [message for message in body["messages"] if message["role"] == "assistant"]


def by_signature(body: dict[str, Any], model: str) -> None:
    """Gemini: the first call of each turn is signed, the second of a turn is not."""
    turns = [message["tool_calls"] for message in assistants(body)]
    assert [calls[0]["extra_content"]["google"]["thought_signature"] for calls in turns] == [
        sealed(number, model) for number in ANSWERED[: len(turns)]]
    assert all("extra_content" not in call for calls in turns for call in calls[1:])


def by_reasoning_content(body: dict[str, Any], model: str) -> None:
    """DeepSeek, and xAI over chat: the text itself stands beside the calls."""
    found = [message["reasoning_content"] for message in assistants(body)]
    assert found == [thought(number, model) for number in ANSWERED[: len(found)]]


def by_details(body: dict[str, Any], model: str) -> None:
    """OpenRouter: a signed text and a sealed part, in this order."""
    for number, message in zip(ANSWERED, assistants(body), strict=False):
        signed, hidden = message["reasoning_details"]
        assert (signed["text"], signed["signature"]) == (thought(number, model), sealed(number, model))
        assert (hidden["type"], hidden["data"]) == ("reasoning.encrypted", sealed(number, model))


def by_blocks(body: dict[str, Any], model: str) -> None:
    """Anthropic: the thinking block stands first, whole, and is never marked for the cache."""
    for number, message in zip(ANSWERED, assistants(body), strict=False):
        assert message["content"][0] == {"type": "thinking", "thinking": thought(number, model),
                                         "signature": sealed(number, model)}
        assert all(block["type"] == "tool_use" for block in message["content"][1:])


def by_items(body: dict[str, Any], model: str) -> None:
    """Responses: the encrypted reasoning stands before the calls that followed from it."""
    kinds = [item.get("type", "message") for item in body["input"]]
    found = [item["encrypted_content"] for item in body["input"] if item.get("type") == "reasoning"]
    turns = [["reasoning", "function_call", "function_call_output"],
             ["reasoning", "function_call", "function_call", "function_call_output", "function_call_output"],
             ["reasoning", "function_call", "function_call_output"]][: len(found)]
    assert kinds == ["message", *(kind for turn in turns for kind in turn)]
    assert found == [sealed(number, model) for number in ANSWERED[: len(found)]]


@dataclass(frozen=True)
class Case:
    """One provider's rules, and how an agent comes to ask it."""

    rules: str
    provider: str
    model: str
    path: str
    check: Callable[[dict[str, Any], str], None]


CASES = (
    Case("openai", "openai", "gpt-6.1-terra", "/v1/responses", by_items),
    Case("xai", "xai", "grok-4.7", "/v1/responses", by_items),
    Case("xai", "vllm", "grok-4.7", "/v1/chat/completions", lambda body, model: None),
    Case("gemini", "google", "gemini-3.8-flash", "/v1/chat/completions", by_signature),
    Case("deepseek", "custom", "deepseek-v4-pro", "/v1/chat/completions", by_reasoning_content),
    Case("openrouter", "openrouter", "anthropic/claude-sonnet-5.5", "/v1/chat/completions", by_details),
    Case("anthropic", "anthropic", "claude-sonnet-5-5", "/v1/messages", by_blocks),
)


@dataclass
class Asked:
    """One agent at work for one provider."""

    case: Case
    server: ModelServer
    execution_id: str


@pytest.fixture
async def servers() -> AsyncIterator[list[ModelServer]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(ModelServer(strict=strict(case.rules))) for case in CASES]


def four_turns(server: ModelServer) -> None:
    sum_of = lambda n: ("calculator", {"expression": f"{n}+{n}"})  # noqa: E731
    server.script(Reply(tool_calls=[sum_of(1)]), Reply(tool_calls=[("text_stats", {"text": "one two"}), sum_of(2)]),
                  Reply(hang=True), Reply(tool_calls=[sum_of(3)]), Reply(text="All done."))


async def open_provider(client: Client, case: Case, server: ModelServer) -> None:
    await client.call("POST", "/api/credentials", {
        "name": f"key of {case.provider}", "provider": case.provider, "value": "sk-scripted-0123456789",
        "base_url": server.url if case.provider == "anthropic" else server.base_url})


async def begin(client: Client, case: Case, server: ModelServer) -> Asked:
    four_turns(server)
    agent = await client.call("POST", "/api/agents", {
        "name": f"Asks {case.provider}", "activate": True, "tools": ["calculator", "text_stats"],
        "model_config": {"provider": case.provider, "model_id": case.model, "reasoning_effort": "high",
                         "max_tokens": 2000, "temperature": 0.3},
        "configuration": {"retry_attempts": 0}})
    told = await client.call("POST", f"/api/agents/{agent['id']}/execute", {"prompt": "Work it out."})
    return Asked(case, server, told["execution_id"])


async def test_four_turns_on_every_wire_survive_the_death_of_the_worker(servers: list[ModelServer]) -> None:
    async with stage() as scene:
        postgres = await scene.start_postgres()
        own = {"database_url": postgres.url, "variables": QUICK}
        server = await scene.start_server(with_worker=False, **own)
        first = await scene.start_worker(home=server.home, **own)
        async with await set_up(server.url) as client:
            for case, one in zip(CASES, servers, strict=True):
                await open_provider(client, case, one)
            asked = [await begin(client, case, one) for case, one in zip(CASES, servers, strict=True)]
            for one in asked:
                await one.server.wait_for_calls(3, timeout_s=60)
            first.kill()
            await scene.start_worker(home=server.home, **own)
            for one in asked:
                await client.follow(one.execution_id).until_end(timeout_s=90)

            for one in asked:
                judge_requests(one)
                await judge_what_people_see(client, one)


def judge_requests(one: Asked) -> None:
    bodies = [call.body for call in one.server.calls]
    assert one.server.refused == [], one.case
    assert [call.path for call in one.server.calls] == [one.case.path] * 5
    assert bodies[2] == bodies[3], "the other process asks exactly what the first one asked"
    for body in bodies[1:]:
        one.case.check(body, one.case.model)


async def judge_what_people_see(client: Client, one: Asked) -> None:
    run = await client.run(one.execution_id)
    events = await client.stored_events(one.execution_id)
    written = orjson.dumps([run, [event.data for event in events]])
    models = [turn["body"] for turn in run["steps"][0]["turns"] if turn["kind"] == "model"]
    assert (run["status"], run["steps"][0]["output"]) == ("completed", "All done."), one.case
    assert [body["end"] for body in models] == ["tool_calls"] * 3 + ["complete"]
    assert all("items" not in body for body in models)
    assert b'"sig' not in written
    assert "Thought" not in run["steps"][0]["output"]
    if one.case.check in {by_items, by_blocks, by_details, by_reasoning_content}:
        assert [body["reasoning"] for body in models] == [thought(n, one.case.model) for n in (*ANSWERED, 5)]
