"""An answer while it is being written: readers see it grow, whenever they come, and nothing of it is stored."""

import asyncio
from typing import Any

from automatos.kernel.db import Database
from tests.fakes.model_server import ModelServer, Reply
from tests.surface import Client, Make

TEXT = "".join(f"word{number} " for number in range(200))


async def told(client: Client, run_id: str, wanted: str) -> str:
    """Follow a run with a new connection until this text has come, put together as the events say; return it."""
    text, path = "", f"/api/runs/{run_id}/events"
    async with asyncio.timeout(60), client.http.get(path, headers=client.headers) as response:
        async for event in client.events_of(response):
            if event["type"] == "step.text":
                text = event["data"]["text"]
            elif event["type"] == "step.delta":
                text += event["data"]["text"]
            if text == wanted:
                return text
    raise AssertionError(f"the stream ended with {text!r}")


async def stored(database: Database, client: Client, run_id: str) -> tuple[Any, ...]:
    """What a run has in the database: its row's place and version, and how many rows its log and its turns have."""
    async with database.recording(client.workspace_id) as connection:
        row = await connection.fetchrow(
            "SELECT ctid::text, xmin::text, last_seq, (SELECT count(*) FROM events WHERE stream = 'run:' || $1), "
            "(SELECT count(*) FROM run_turns t JOIN agent_runs r ON r.id = t.run_id WHERE r.execution_id = $1::uuid) "
            "FROM recipe_executions WHERE id = $1::uuid", run_id)
    return tuple(row)


async def test_two_hundred_pieces_of_an_answer_take_no_row_and_change_none(
    client: Client, make: Make, model_server: ModelServer, database: Database
) -> None:
    gate = asyncio.Event()
    recipe = await make.recipe("Write")
    model_server.script(Reply(text=TEXT, chunks=200, chunk_delay_s=0.002, gate=gate, gate_after=201))
    run_id = await client.cook(recipe["template_id"])
    await client.until_told(run_id, "step.started")
    before = await stored(database, client, run_id)

    assert await told(client, run_id, TEXT) == TEXT
    after = await stored(database, client, run_id)
    gate.set()
    events = await client.follow(run_id)

    assert before == after
    assert [event["type"] for event in events] == [
        "execution.queued", "execution.started", "step.started", "model.answered", "step.completed",
        "execution.completed"]
    assert events[3]["data"]["text"] == TEXT


async def test_a_reader_who_comes_in_the_middle_gets_the_text_so_far_and_then_the_rest(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    gate = asyncio.Event()
    recipe = await make.recipe("Write")
    model_server.script(Reply(text=TEXT, chunks=200, gate=gate, gate_after=101))
    run_id = await client.cook(recipe["template_id"])
    half = TEXT[:len(TEXT) // 2]
    assert await told(client, run_id, half) == half

    late = await asyncio.gather(*(told(client, run_id, half) for _ in range(2)))
    first = await client.until_told(run_id, "step.text", "step.delta")
    is_open = asyncio.Event()
    following = asyncio.create_task(client.watch(run_id, is_open=is_open))
    await is_open.wait()
    await client.until_told(run_id, "step.text")  # who asks later is told, so who asked before is there
    gate.set()
    events = await following

    assert late == [half, half]
    assert (first["type"], first["seq"], first["data"]) == ("step.text", 0, {"order": 1, "turn": 1, "text": half})
    assert [event["seq"] for event in events if event["seq"]] == [1, 2, 3, 4, 5, 6]
    pieces = [event["data"]["text"] for event in events if event["type"] in {"step.text", "step.delta"}]
    assert "".join(pieces) == TEXT


async def test_text_has_no_number_so_that_a_place_in_the_stream_is_one_in_the_log(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    gate = asyncio.Event()
    recipe = await make.recipe("Write")
    model_server.script(Reply(text=TEXT, chunks=200, gate=gate, gate_after=101))
    run_id = await client.cook(recipe["template_id"])
    await client.until_told(run_id, "step.delta", "step.text")

    lines = await lines_until_text(client, f"/api/runs/{run_id}/events")
    several = await lines_until_text(client, f"/api/events?topics=run:{run_id}")
    gate.set()
    await client.follow(run_id)

    assert [line for line in lines if line.startswith("id:")] == ["id: 1", "id: 2", "id: 3"]
    assert lines[-2:-1] == ["event: step.text"]
    assert len([line for line in several if line.startswith("id:")]) == 3


async def lines_until_text(client: Client, path: str) -> list[str]:
    lines: list[str] = []
    async with asyncio.timeout(60), client.http.get(path, headers=client.headers) as response:
        async for raw in response.content:
            lines.append(raw.decode().rstrip())
            if '"type":"step.text"' in lines[-1]:
                break
    return lines


async def test_what_was_written_before_an_answer_is_asked_for_again_is_void_for_who_comes_late(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    gate = asyncio.Event()
    recipe = await make.recipe("Write", execution_config={"max_retries": 1})
    model_server.script(Reply(text=TEXT, chunks=100, chunk_delay_s=0.01, truncate=True),
                        Reply(text="Quite another answer", chunks=10, gate=gate, gate_after=6))
    run_id = await client.cook(recipe["template_id"])
    await client.until_told(run_id, "step.restarted")

    first = await client.until_told(run_id, "step.text", "step.delta")
    gate.set()
    await client.follow(run_id)

    assert "Quite another answer".startswith(first["data"]["text"])
