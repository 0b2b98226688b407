"""How many statements a run of three steps and four calls to models sends, from its request to its last event."""

from collections import Counter
from contextvars import ContextVar
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import event

from automatos.durable.types import HeldJob
from automatos.durable.worker import Worker
from automatos.entrypoints.services import Services
from automatos.kernel.recording import RecordingConnection
from tests.fakes.model_server import ModelServer, Reply
from tests.surface import Client, Make

PARTS = {
    "sign in": "FROM api_keys k", "start": "agent_states(", "default model": "FROM system_settings",
    "accept": "accept_run(", "record": "record_step_v2(", "agents": "agents_for_run(", "take": "RETURNING s.*",
    "look at the run": "last_seq, finished_at IS NOT NULL", "read events": "FROM event_records",
}
"""What each statement is known by."""
BESIDE = ("llm_usage", "set_config('automatos", "outcomes_of", "typeinfo_tree", "set_config('jit'")
"""Written in batches for many runs, or once for a new connection."""
MOST = {"sign in": 2, "start": 1, "accept": 1, "record": 5}
"""These may only sink: one record for each answer of a model and for what a tool gave."""
RUNS = 4
on_behalf: ContextVar[bool] = ContextVar("on_behalf", default=False)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch, services: Services) -> list[str]:
    """Every statement that is sent on behalf of a request or of a job, tasks that these make included."""
    statements: list[str] = []
    execute, serve, work = RecordingConnection._do_execute, FastAPI.__call__, Worker._work

    async def note(connection: RecordingConnection, query: str, *more: Any, **named: Any) -> Any:
        if on_behalf.get():
            statements.append(query)
        return await execute(connection, query, *more, **named)

    async def note_request(app: FastAPI, *arguments: Any) -> None:
        on_behalf.set(True)
        await serve(app, *arguments)

    async def note_job(worker: Worker, job: HeldJob, before: HeldJob | None) -> None:
        on_behalf.set(True)
        await work(worker, job, before)

    def note_session(*arguments: Any) -> None:
        if on_behalf.get():
            statements.append(arguments[2])

    monkeypatch.setattr(RecordingConnection, "_do_execute", note)
    monkeypatch.setattr(FastAPI, "__call__", note_request)
    monkeypatch.setattr(Worker, "_work", note_job)
    event.listen(services.database.engine.sync_engine, "before_cursor_execute", note_session)
    return statements


async def test_a_run_of_three_steps_and_four_calls_sends_so_many_statements(
    client: Client, make: Make, model_server: ModelServer, sent: list[str]
) -> None:
    agents = [await make.agent(tools=["calculator"] if number == 0 else []) for number in range(3)]
    recipe = await make.recipe(*({"agent_id": agent["id"], "prompt_template": prompt} for agent, prompt in zip(
        agents, ("one", "two {previous_output}", "three {previous_output}"), strict=True)))
    runs = [await counted(client, model_server, recipe["template_id"], sent) for _ in range(RUNS)]

    fewest = min(runs, key=Counter.total)  # now and then something that is kept is read again
    print(f"{fewest.total()} statements:", dict(fewest))
    assert fewest == MOST


async def counted(client: Client, model_server: ModelServer, template_id: str, sent: list[str]) -> Counter[str]:
    """Start a run, follow it to its end, and return what was sent for it."""
    model_server.reset()
    model_server.script(Reply(tool_calls=[("calculator", {"expression": "19 + 23"})]))
    sent.clear()
    events = await client.follow(await client.cook(template_id))
    assert (events[-1]["type"], len(model_server.calls)) == ("execution.completed", 4)
    return Counter(name for statement in sent if (name := name_of(statement)))


def name_of(statement: str) -> str:
    """What a statement is for; empty for what is done beside runs, its first words where nobody knows it."""
    found = next((name for name, part in PARTS.items() if part in statement), None)
    return found or ("" if any(part in statement for part in BESIDE) else " ".join(statement.split())[:80])
