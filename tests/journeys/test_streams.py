"""Watching runs: what streams over HTTP, live and afterwards."""

import asyncio
from typing import Any

import orjson
import pytest

from automatos.kernel.ids import new_id
from tests.fakes.model_server import ModelServer, Reply
from tests.surface import Client, Make

TEXT = "The quick brown fox jumps over the lazy dog. " * 30


async def frames(
    client: Client, path: str, count: int, *, is_first: asyncio.Event | None = None, **options: Any
) -> list[dict[str, Any]]:
    """Return the first frames of a stream, each with id, event and data; `is_first` is set with the first."""
    found: list[dict[str, Any]] = []
    current: dict[str, Any] = {}
    async with asyncio.timeout(60), client.http.get(path, headers=client.headers, **options) as response:
        assert response.status == 200, await response.text()
        assert response.headers["Content-Type"].startswith("text/event-stream")
        async for raw in response.content:
            line = raw.decode().rstrip("\n")
            if line and not line.startswith(":"):
                name, _, value = line.partition(": ")
                current[name] = orjson.loads(value) if name == "data" else value
            elif not line and current:
                found.append(current)
                current = {}
                if is_first:
                    is_first.set()
                if len(found) >= count:
                    break
    return found


@pytest.mark.capability("S129")
async def test_the_pieces_of_an_answer_join_to_the_whole_answer(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    recipe = await make.recipe("Write", "Edit")
    model_server.script(Reply(text=TEXT, chunks=40, chunk_delay_s=0.01), Reply(text="short"))

    events = await client.watch(await client.cook(recipe["template_id"]))

    for answered in (event["data"] for event in events if event["type"] == "model.answered"):
        pieces = [event["data"]["text"] for event in events if event["type"] == "step.delta"
                  and (event["data"]["order"], event["data"]["turn"]) == (answered["order"], answered["turn"])]
        assert "".join(pieces) in {answered["text"], ""}
    assert sum(event["type"] == "step.delta" for event in events) >= 3
    kinds = [event["type"] for event in events]
    assert kinds.index("step.delta") < kinds.index("model.answered")


async def test_pieces_of_a_call_that_broke_off_are_taken_back_before_it_is_asked_again(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    recipe = await make.recipe("Write", execution_config={"max_retries": 1})
    model_server.script(Reply(text=TEXT, chunks=40, chunk_delay_s=0.01, truncate=True), Reply(text="complete"))

    events = await client.watch(await client.cook(recipe["template_id"]))

    restarted = next(place for place, event in enumerate(events) if event["type"] == "step.restarted")
    later = [event["data"]["text"] for event in events[restarted:] if event["type"] == "step.delta"]
    assert "".join(event["data"]["text"] for event in events[:restarted] if event["type"] == "step.delta") in TEXT
    assert "".join(later) in {"complete", ""}
    assert next(event["data"]["text"] for event in events if event["type"] == "model.answered") == "complete"


async def test_events_arrive_while_the_run_is_still_going(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    recipe = await make.recipe("Write")
    gate = asyncio.Event()
    model_server.script(Reply(text="done", gate=gate))
    run_id = await client.cook(recipe["template_id"])

    early = await frames(client, f"/api/runs/{run_id}/events", 3)
    gate.set()
    whole = await client.follow(run_id)

    assert [frame["event"] for frame in early] == ["execution.queued", "execution.started", "step.started"]
    assert [frame["id"] for frame in early] == ["1", "2", "3"]
    assert [frame["data"] for frame in early] == whole[:3]


@pytest.mark.capability("S128")
@pytest.mark.capability("S129")
async def test_the_stream_tells_step_agent_tokens_and_duration(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    agent = await make.agent("Cook")
    recipe = await make.recipe({"agent_id": agent["id"], "prompt_template": "Write"})
    model_server.script(Reply(text="done", usage=(12, 3)))

    events = {event["type"]: event["data"] for event in await client.follow(await client.cook(recipe["template_id"]))}

    assert events["step.started"]["agent_name"] == "Cook"
    assert events["step.started"]["order"] == 1
    assert events["step.completed"]["input_tokens"] == 12
    assert events["step.completed"]["output_tokens"] == 3
    assert events["step.completed"]["duration_ms"] >= 0
    assert events["execution.completed"]["total_tokens"] == 15
    assert events["execution.completed"]["duration_ms"] >= 0


async def test_one_stream_carries_several_runs_and_resumes_from_its_cursor(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    recipe = await make.recipe("Write")
    runs = [await client.cook(recipe["template_id"]) for _ in range(2)]
    logs = [await client.follow(run_id) for run_id in runs]
    count = sum(len(log) for log in logs)
    topics = ",".join(f"run:{run_id}" for run_id in runs)

    first = await frames(client, "/api/events", count, params={"topics": topics})
    cut = first[count // 2]["id"]
    rest = await frames(client, "/api/events", 1, params={"topics": topics + ",runs", "cursor": cut})

    key = lambda event: (event["topic"], event["seq"])  # noqa: E731
    assert sorted((frame["data"] for frame in first), key=key) == sorted(logs[0] + logs[1], key=key)
    assert rest


async def test_list_readers_are_told_when_a_run_starts(client: Client, make: Make, model_server: ModelServer) -> None:
    recipe = await make.recipe("Write")
    is_watched = asyncio.Event()
    watching = asyncio.create_task(frames(client, "/api/events", 2, is_first=is_watched, params={"topics": "runs"}))
    await is_watched.wait()

    run_id = await client.cook(recipe["template_id"])
    told = await watching
    await client.follow(run_id)

    assert [frame["event"] for frame in told] == ["changed", "changed"]
    assert told[1]["data"] == {"topic": "runs"}


async def test_another_workspace_sees_nothing_of_a_run(
    client: Client, stranger: Client, make: Make, model_server: ModelServer
) -> None:
    recipe = await make.recipe("Write")
    run = await client.cooked(recipe["template_id"])
    foreign = [f"/api/runs/{run['id']}", f"/api/runs/{run['id']}/events", f"/api/runs/{run['id']}/events.json"]

    answers = [await stranger.get(path) for path in foreign]
    heard = await frames(stranger, "/api/events", 1, params={"topics": f"run:{run['id']},runs"})

    assert {(answer.status, answer.code) for answer in answers} == {(404, "run_not_found")}
    assert [frame["event"] for frame in heard] == ["changed"]


async def test_a_place_beyond_the_end_of_a_running_stream_still_hears_the_end(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    recipe = await make.recipe("Write")
    gate = asyncio.Event()
    model_server.script(Reply(text="done", gate=gate))
    run_id = await client.cook(recipe["template_id"])
    await model_server.wait_for_calls(1)

    is_read = asyncio.Event()
    following = asyncio.create_task(client.follow(run_id, after=100_000, is_open=is_read))
    await is_read.wait()
    gate.set()

    assert (await following)[-1]["type"] == "execution.completed"


async def test_the_stored_log_is_read_in_pages(client: Client, make: Make, model_server: ModelServer) -> None:
    recipe = await make.recipe("Write", "Edit")
    run = await client.cooked(recipe["template_id"])
    whole: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        page = (await client.get(f"/api/runs/{run['id']}/events.json", params={"after": after, "limit": 4})).json()
        whole += page["items"]
        after = page["next_after"]

    assert [event["seq"] for event in whole] == list(range(1, run["last_seq"] + 1))


async def test_there_is_no_stream_of_a_run_that_does_not_exist(client: Client) -> None:
    answer = await client.get(f"/api/runs/{new_id()}/events")

    assert (answer.status, answer.code) == (404, "run_not_found")
