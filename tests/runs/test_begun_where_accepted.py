"""Accepting a run begins it: stored with its first step at work, where there is room here and nobody comes before."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from automatos.entrypoints.services import Services
from automatos.kernel.db import Database
from automatos.kernel.recording import RecordingConnection
from automatos.recipes.begin import Begun
from automatos.recipes.errors import PatternGone
from automatos.recipes.state import StepState
from automatos.recipes.step_runner import StepRunner
from tests.fakes.model_server import ModelServer, Reply
from tests.surface import Client, Make, new_client

BEGUN = ["execution.queued", "execution.started", "step.started"]


async def job_of(database: Database, run_id: str) -> dict[str, Any] | None:
    async with database.recording(None) as connection:
        row = await connection.fetchrow("SELECT * FROM durable.jobs WHERE key LIKE $1", f"{run_id}/%")
    return dict(row) if row else None


async def task(client: Client, agent_id: int, prompt: str = "Say hello", **more: Any) -> str:
    answer = await client.post(f"/api/agents/{agent_id}/execute", json={"prompt": prompt}, **more)
    assert answer.status == 202, answer.body
    return answer.json()["run_id"]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the engine's connections send, in order."""
    statements: list[str] = []
    real = RecordingConnection._do_execute

    async def note(connection: RecordingConnection, query: str, *more: Any, **named: Any) -> Any:
        statements.append(query)
        return await real(connection, query, *more, **named)

    monkeypatch.setattr(RecordingConnection, "_do_execute", note)
    return statements


@pytest.mark.parametrize("kind", ["recipe", "task"])
async def test_between_the_request_and_the_model_there_is_one_record(
    client: Client, make: Make, model_server: ModelServer, database: Database, sent: list[str], kind: str
) -> None:
    gate = asyncio.Event()
    agent = await make.agent()
    recipe = await make.recipe({"agent_id": agent["id"], "prompt_template": "one"})
    await client.cooked(recipe["template_id"])  # an idle agent is active from now on
    model_server.reset()
    model_server.script(Reply(gate=gate))
    sent.clear()

    run_id = await (client.cook(recipe["template_id"]) if kind == "recipe" else task(client, agent["id"]))
    await model_server.wait_for_calls(1)
    about_runs = [each for each in sent if any(
        part in each for part in ("accept_run(", "record_step_v2(", "RETURNING s.*", "grant_jobs("))]
    job, run = await job_of(database, run_id), (await client.get(f"/api/runs/{run_id}")).json()
    gate.set()
    events = await client.follow(run_id)

    assert len(about_runs) == 1
    assert job
    assert (job["executor_id"] is not None, job["number"], job["attempts"]) == (True, 0, 1)
    assert (run["status"], run["steps"][0]["status"]) == ("running", "running")
    assert [event["type"] for event in events[:3]] == BEGUN
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert events[-1]["type"] == "execution.completed"


async def told(client: Client, run_id: str, way: str) -> list[dict[str, Any]]:
    """Follow a run to its end, alone or over a connection that brings several streams."""
    if way == "alone":
        return await client.follow(run_id)
    events: list[dict[str, Any]] = []
    topics = {"topics": f"run:{run_id},runs"}
    async with client.http.get("/api/events", params=topics, headers=client.headers) as answer:
        async for event in client.events_of(answer):
            if event.get("seq"):
                events.append(event)
                if event["type"] == "execution.completed":
                    break
    return events


@pytest.mark.parametrize("way", ["alone", "among others"])
async def test_whoever_follows_a_run_at_once_asks_the_table_for_nothing_and_misses_nothing(
    client: Client, make: Make, model_server: ModelServer, database: Database, sent: list[str], way: str
) -> None:
    recipe = await make.recipe("one", "two")
    stranger = await new_client(client.http, database)
    gate = asyncio.Event()
    model_server.script(Reply(gate=gate))

    run_id = await client.cook(recipe["template_id"])
    refused = (await stranger.get(f"/api/runs/{run_id}/events")).status
    sent.clear()
    following = asyncio.create_task(told(client, run_id, way))
    await model_server.wait_for_calls(1)
    gate.set()
    events = await following
    about_events = [each for each in sent if "FROM event_records" in each or "last_seq, finished_at" in each]
    stored = (await client.get(f"/api/runs/{run_id}/events.json")).json()["items"]

    assert refused == 404
    assert about_events == []
    assert [(event["seq"], event["type"]) for event in events] == [(event["seq"], event["type"]) for event in stored]
    again = await client.follow(run_id, after=3)
    assert [event["seq"] for event in again] == [event["seq"] for event in stored[3:]]


async def test_where_the_agent_has_no_room_a_run_waits_in_the_queue_and_its_turn_comes(
    client: Client, make: Make, model_server: ModelServer, database: Database
) -> None:
    gate = asyncio.Event()
    model_server.script(Reply(gate=gate), match="first")
    agent = await make.agent(configuration={"max_concurrent_tasks": 1})
    first = await task(client, agent["id"], "first")
    await model_server.wait_for_calls(1)

    second = await task(client, agent["id"], "second")
    third = await task(client, agent["id"], "third")
    waiting = [await job_of(database, run_id) for run_id in (second, third)]
    gate.set()
    ends = [(await client.follow(run_id))[-1]["type"] for run_id in (first, second, third)]

    assert [job["executor_id"] if job else "gone" for job in waiting] == [None, None]
    assert ends == ["execution.completed"] * 3
    assert [call.last_user_text for call in model_server.calls] == ["first", "second", "third"]


async def test_a_run_of_a_paused_agent_waits_for_it(
    client: Client, make: Make, model_server: ModelServer, database: Database
) -> None:
    agent = await make.agent()
    assert (await client.post(f"/api/agents/{agent['id']}/pause")).status == 200

    run_id = await task(client, agent["id"])
    job = await job_of(database, run_id)
    assert (await client.post(f"/api/agents/{agent['id']}/resume")).status == 200

    assert job
    assert job["executor_id"] is None
    assert [event["type"] for event in await client.follow(run_id)][:3] == BEGUN


async def test_a_first_step_that_cannot_be_made_ready_says_why_when_it_is_taken_up(
    client: Client, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    async def prepare(_: StepRunner, record: StepState) -> Any:
        at_work = asyncio.current_task()
        tried.append(at_work.get_name() if at_work else "")
        raise PatternGone(record.step.step_id, "relay-race")

    monkeypatch.setattr(StepRunner, "prepare", prepare)
    agent = await make.agent()

    events = await client.follow(await task(client, agent["id"]))

    assert [name.startswith("runs.task:") for name in tried] == [False, True]
    assert [event["type"] for event in events] == [
        "execution.queued", "execution.started", "step.failed", "execution.failed"]
    assert events[-1]["data"]["error"]["code"] == "pattern_gone"


async def test_the_same_key_sent_twice_at_once_begins_one_run_and_leaves_no_job(
    client: Client, make: Make, model_server: ModelServer, database: Database
) -> None:
    agent = await make.agent(configuration={"max_concurrent_tasks": 5})

    runs = await asyncio.gather(*(
        task(client, agent["id"], headers={"Idempotency-Key": "once"}) for _ in range(4)))
    await client.follow(runs[0])
    async with asyncio.timeout(60), database.recording(None) as connection:
        while await connection.fetchval("SELECT count(*) FROM durable.jobs WHERE lane = $1", f"agent:{agent['id']}"):
            await asyncio.sleep(0.02)

    assert len(set(runs)) == 1
    assert len(model_server.calls) == 1


async def test_a_run_whose_acceptance_was_cut_off_after_its_commit_is_done_all_the_same(
    client: Client, make: Make, services: Services, monkeypatch: pytest.MonkeyPatch, database: Database
) -> None:
    """As when the connection breaks before PostgreSQL has answered."""
    agent = await make.agent()

    def cut_off(_: Begun) -> None:
        raise ConnectionResetError

    monkeypatch.setattr(Begun, "begin", cut_off)
    answer = await client.post(f"/api/agents/{agent['id']}/execute", json={"prompt": "Say hello"})
    async with database.recording(client.workspace_id) as connection:
        run_id = await connection.fetchval("SELECT id FROM recipe_executions WHERE agent_id = $1", agent["id"])
    assert services.worker
    await services.worker._delivery.lost()
    types = [event["type"] for event in await client.follow(str(UUID(str(run_id))))]

    assert answer.status == 500
    assert types[:3] == BEGUN
    assert types[-1] == "execution.completed"
    assert types.count("step.started") == 1
