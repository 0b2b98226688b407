"""PostgreSQL that now and then does not answer: what it stored and what not is told apart."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from automatos.durable.worker_lease import acting_as
from automatos.kernel.recording import RecordingConnection
from tests.fakes.model_server import ModelServer
from tests.surface import Client, Make

ITEMS = 40
UNASKED, UNANSWERED = 0.05, 0.05
"""How many of a hundred statements of workers and of the dispatcher never arrive, and how many are never answered."""


def is_work() -> bool:
    task = asyncio.current_task()
    return acting_as.get() is not None or (task is not None and task.get_name().startswith("durable."))


@pytest.fixture
def losses(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Let answers be lost from now on; returns how many were."""
    send, execute = RecordingConnection._do_execute, RecordingConnection.execute
    chance, lost = random.Random(7), Counter[str]()

    async def losing(answer: Callable[[], Awaitable[Any]]) -> Any:
        if is_work() and chance.random() < UNASKED:
            lost["unasked"] += 1
            raise TimeoutError
        given = await answer()
        if is_work() and chance.random() < UNANSWERED:
            lost["unanswered"] += 1
            raise TimeoutError
        return given

    async def lose_statement(self: RecordingConnection, *arguments: Any, **more: Any) -> Any:
        return await losing(lambda: send(self, *arguments, **more))

    async def lose_commit(self: RecordingConnection, query: str, *arguments: Any, **more: Any) -> Any:
        if query.startswith("COMMIT"):
            return await losing(lambda: execute(self, query, *arguments, **more))
        return await execute(self, query, *arguments, **more)

    monkeypatch.setattr(RecordingConnection, "_do_execute", lose_statement)
    monkeypatch.setattr(RecordingConnection, "execute", lose_commit)
    return lost


async def test_answers_that_are_lost_cost_no_call_no_attempt_and_no_event(
    client: Client, make: Make, model_server: ModelServer, losses: Counter[str]
) -> None:
    agent = await make.agent(configuration={"max_concurrent_tasks": 8})
    recipe = await make.recipe(
        {"step_id": "rows", "agent_id": None, "for_each": {"items": "input.rows", "concurrency": 8}},
        {"step_id": "each", "inside": "rows", "agent_id": agent["id"], "prompt_template": "row {item} end"},
        inputs={"rows": {"type": "array"}}, execution_config={"max_retries": 0})

    with capture_logs() as logs:
        run_id = await client.cook(recipe["template_id"], rows=list(range(ITEMS)))
        events = await client.follow(run_id, timeout_s=300)

    assert events[-1]["type"] == "execution.completed"
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert Counter(call.last_user_text for call in model_server.calls) == {f"row {n} end": 1 for n in range(ITEMS)}
    assert [entry for entry in logs if entry["event"] == "durable.job_failed"] == []
    assert losses["unasked"] > 0
    assert losses["unanswered"] > 0
