"""Trying an agent out before it is saved."""

import asyncio
from typing import Any

import orjson
import pytest

from automatos.entrypoints.services import Services
from automatos.kernel.db import Database
from automatos.runtime import trial
from tests.fakes.model_server import ModelServer, Reply
from tests.surface import Client

HELLO = [{"role": "user", "content": "Hello"}]
PATH = "/api/agents/try"

Frames = list[tuple[str, dict[str, Any]]]


def frames_of(body: bytes) -> Frames:
    """Return the events of a stream: name and data."""
    blocks = [block.splitlines() for block in body.decode().split("\n\n") if block.startswith("event: ")]
    return [(block[0].removeprefix("event: "), orjson.loads(block[1].removeprefix("data: "))) for block in blocks]


async def attempt(client: Client, messages: Any = None, **agent: Any) -> Frames:
    answer = await client.post(PATH, json={"agent": {"name": "Ada"} | agent, "messages": messages or HELLO})
    assert (answer.status, answer.headers["Content-Type"].partition(";")[0]) == (200, "text/event-stream"), answer.body
    return frames_of(answer.body)


async def usage(client: Client, services: Services, database: Database) -> list[tuple[str, str, int | None]]:
    await services.models.flush_usage()
    async with database.recording(client.workspace_id) as connection:
        rows = await connection.fetch("SELECT request_type, status, agent_id FROM llm_usage ORDER BY created_at")
    return [(row["request_type"], row["status"], row["agent_id"]) for row in rows]


async def test_an_answer_comes_in_pieces_and_then_whole(client: Client, model_server: ModelServer) -> None:
    model_server.script(Reply(text="Ahoy, you old salt 😀", chunks=6, chunk_delay_s=0.01, usage=(11, 7)))

    *deltas, (last, done) = await attempt(client)

    assert {name for name, _ in deltas} == {"delta"}
    assert len(deltas) > 1
    assert "".join(data["text"] for _, data in deltas) == done["text"] == "Ahoy, you old salt 😀"
    assert last == "done"
    assert (done["provider"], done["model_id"]) == ("openai", "fake-model")
    assert (done["input_tokens"], done["output_tokens"]) == (11, 7)
    assert done["latency_ms"] >= 0
    assert "cost_usd" in done


async def test_the_draft_is_asked_with_its_own_prompt_and_model_and_without_tools(
    client: Client, model_server: ModelServer
) -> None:
    talk = [{"role": "user", "content": "Two plus two?"}, {"role": "assistant", "content": "Four."},
            {"role": "user", "content": "Sure?"}]
    agent = {"description": "Counts.", "tools": ["calculator"], "custom_persona_prompt": "Be exact.",
             "model_config": {"provider": "openai", "model_id": "gpt-4o", "temperature": 0.2}}
    shown = await client.post("/api/agents/assembled-context", json={"agent": {"name": "Ada"} | agent})

    await attempt(client, talk, **agent)

    call = model_server.calls[0]
    assert (call.model, call.body["temperature"], call.tools) == ("gpt-4o", 0.2, [])
    assert call.messages[0]["content"].startswith(shown.json()["system_prompt"])
    assert "This is a trial" in call.messages[0]["content"]
    assert call.messages[1:] == talk


async def test_nothing_is_stored_but_what_it_cost(
    client: Client, services: Services, database: Database, model_server: ModelServer
) -> None:
    model_server.script(Reply(text="Hi"))

    await attempt(client)

    assert await usage(client, services, database) == [("test", "success", None)]
    async with database.recording(client.workspace_id) as connection:
        for table in ("agents", "agent_runs", "recipe_executions", "audit_log"):
            assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 0, table


async def test_a_provider_that_refuses_ends_the_stream_with_the_problem(
    client: Client, model_server: ModelServer
) -> None:
    model_server.script(Reply(status=401, message="bad key", code="invalid_api_key"), repeat=True)

    [(name, problem)] = await attempt(client)

    assert name == "failed"
    assert (problem["code"], problem["status"]) == ("credential_refused", 422)
    assert problem["type"] == "urn:automatos:problem:credential_refused"
    assert problem["title"]
    assert "Replace the key" in problem["detail"]


async def test_an_answer_that_breaks_off_fails_after_its_pieces(client: Client, model_server: ModelServer) -> None:
    model_server.script(Reply(text="This will break off", chunks=8, truncate=True))

    frames = await attempt(client)

    assert [name for name, _ in frames][-1] == "failed"
    assert frames[-1][1]["code"] == "model_answer_invalid"
    assert "done" not in {name for name, _ in frames}
    assert len(model_server.calls) == 1


async def test_a_model_without_a_key_is_a_problem_before_anything_is_asked(
    client: Client, model_server: ModelServer
) -> None:
    answer = await client.post(PATH, json={"messages": HELLO, "agent": {
        "name": "Ada", "model_config": {"provider": "mistral", "model_id": "mistral-small"}}})

    assert (answer.status, answer.code) == (409, "agent_not_ready")
    assert "There is no key for Mistral" in answer.json()["detail"]
    assert model_server.calls == []


async def test_the_model_is_let_go_when_the_reader_goes_away(
    client: Client, services: Services, database: Database, model_server: ModelServer
) -> None:
    gate = asyncio.Event()
    model_server.script(Reply(text="A very long answer", chunks=10, gate=gate, gate_after=2))
    body = {"agent": {"name": "Ada"}, "messages": HELLO}

    async with client.http.post(PATH, headers=client.headers, json=body) as going:
        async for line in going.content:
            if line.startswith(b"event: delta"):
                break
        going.close()
    await model_server.wait_for(lambda: model_server.calls[0].disconnected)

    assert await usage(client, services, database) == [("test", "cancelled", None)]
    gate.set()


def said(count: int, text: str = "Hello") -> list[dict[str, str]]:
    return [{"role": "user", "content": text}] * count


@pytest.mark.parametrize(("messages", "named"), [
    ([], "messages"), (said(21), "messages"), (said(1, "x" * 20_001), "content"), (said(1, ""), "content"),
    ([{"role": "system", "content": "Obey"}], "role"), ([{"role": "assistant", "content": "Hi"}], "the user's"),
    ([{"role": "user", "content": "a\x00b"}], "NUL"), ([{"role": "user", "content": [1]}], "content"),
    (None, "messages"),
])
async def test_a_conversation_that_does_not_fit_is_refused(
    client: Client, model_server: ModelServer, messages: Any, named: str
) -> None:
    answer = await client.post(PATH, json={"agent": {"name": "Ada"}, "messages": messages})

    assert (answer.status, answer.code) == (422, "invalid_request"), answer.body
    assert named in answer.body.decode()
    assert model_server.calls == []


async def test_the_longest_conversation_is_taken(client: Client, model_server: ModelServer) -> None:
    model_server.script(Reply(text="Enough"))

    frames = await attempt(client, said(20, "x" * 20_000))

    assert frames[-1][0] == "done"


async def test_a_line_that_is_long_silent_is_kept_open_and_loses_nothing() -> None:
    pieces: trial.Pieces = asyncio.Queue()
    told = trial.gathered(pieces, silence_s=0.01)

    assert await anext(told) == ""
    for piece in ("a", "b", None):
        pieces.put_nowait(piece)
    assert [text async for text in told] == ["ab"]
