"""A database that is full, only to be read, without connections, or restarted over and over, while work goes on.

Nothing untrue comes of it: every run ends well, every model is asked once and paid for once, no request is told of a
fault of the server's, each is told what to do instead, and /health says how it is. `CHAOS_RUNS` says how many runs
meet each fault, `CHAOS_HOLD_S` how long it lasts after /health has told of it.
"""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.chaos.client import Client, Follower, Refused, set_up
from tests.chaos.disks import SmallDisk
from tests.chaos.faults import Fault, disk_full, no_connection_left, read_only
from tests.chaos.harness import Stage, stage
from tests.chaos.processes import ModelServer, Postgres
from tests.chaos.watch import TEMPLATE_ID, Watch, watching

pytestmark = pytest.mark.chaos
RUNS = int(os.environ.get("CHAOS_RUNS", "24"))
HOLD_S = float(os.environ.get("CHAOS_HOLD_S", "3"))
AT_ONCE = 12
RESTART_EVERY_S = 5.0
ROOM_MB = 500
CONNECTIONS = {"max_connections": "80"}
MAY_BE_TOLD = {200, 201, 204, 401, 403, 404, 429}
"""What people are told who ask as the watchers do, but for 503 while the database refuses."""
STEPS = (1, 2, 3)


def tagged_recipe() -> dict[str, Any]:
    """Three steps, each of whose prompts names the run and the step."""
    steps = [{"step_id": f"step-{n}", "agent": "Worker", "output_key": f"out{n}",
              "prompt_template": f"[{{input.tag}} step {n}] go on" + (f" after {{out{n - 1}}}" if n > 1 else "")}
             for n in STEPS]
    return {"apiVersion": "automatos/v1", "kind": "Recipe", "agents": [{"name": "Worker", "prompt": "Do it."}],
            "recipe": {"template_id": TEMPLATE_ID, "name": "Three steps", "steps": steps,
                       "inputs": {"tag": {"type": "string", "required": True}}}}


@dataclass
class Machine:
    """A database of its own, a model server, an API, and a worker beside it."""

    scene: Stage
    postgres: Postgres
    model: ModelServer
    client: Client

    async def cook(self, name: str) -> list[Follower]:
        """Run all of them, a few at once, each submitted until it is accepted; return what was followed to its end."""
        waiting = [f"{name}-{number}" for number in range(RUNS)]
        done: list[Follower] = []

        async def go_on() -> None:
            while waiting:
                follower = self.client.follow(await self._accepted(waiting.pop()))
                await follower.until_end(timeout_s=120 + HOLD_S)
                done.append(follower)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(AT_ONCE, RUNS)):
                group.create_task(go_on())
        return done

    async def _accepted(self, tag: str) -> str:
        while True:
            try:
                return await self.client.execute(TEMPLATE_ID, {"tag": tag}, idempotency_key=tag)
            except Refused as refused:
                if refused.status != 503:
                    raise
            await asyncio.sleep(0.2)


@pytest.fixture(scope="module")
async def machine() -> AsyncIterator[Machine]:
    async with stage() as scene:
        disk = SmallDisk(ROOM_MB) if SmallDisk.is_allowed() else None
        postgres = await scene.start_postgres(disk=disk, settings=CONNECTIONS)
        model = await scene.start_model_server(latency_ms=300, chunks=8)
        server = await scene.start_server(database_url=postgres.url, model=model, with_worker=False)
        await scene.start_worker(home=server.home, database_url=postgres.url, model=model)
        async with await set_up(server.url) as client:
            await client.apply(tagged_recipe())
            yield Machine(scene, postgres, model, client)


@pytest.mark.parametrize(("fault", "advice"), [
    (disk_full, "free some space"), (read_only, "default_transaction_read_only"),
    (no_connection_left, "max_connections"),
])
async def test_work_waits_for_a_database_that_refuses_and_nothing_untrue_comes_of_it(
    machine: Machine, fault: Fault, advice: str
) -> None:
    await machine.model.reset()
    async with watching(machine.client) as watch:
        await watch.until_health(200)
        cooking = asyncio.create_task(machine.cook(fault.__name__))
        await _until_asked(machine, min(AT_ONCE, RUNS))
        async with fault(machine.postgres):
            await watch.until_health(503)
            began = len(watch.health)
            await asyncio.sleep(HOLD_S)
            during = watch.health[began:]
        await watch.until_health(200)
        followers = await cooking

    assert {status for status, _ in during} == {503}, "while the fault lasts, nobody is told that all is well"
    assert any(advice in detail for _, detail in during)
    assert any(advice in str(each.body.get("detail")) for each in watch.refusals)
    judge_answers(watch)
    await judge_runs(machine, followers)


async def test_a_database_that_restarts_every_five_seconds_only_makes_work_wait(machine: Machine) -> None:
    await machine.model.reset()
    restarts = 0
    async with watching(machine.client) as watch:
        cooking = asyncio.create_task(machine.cook("restart"))
        await _until_asked(machine, min(AT_ONCE, RUNS))
        while restarts < 2 or not cooking.done():
            await machine.postgres.restart("immediate" if restarts % 2 else "fast")
            restarts += 1
            await asyncio.wait([cooking], timeout=RESTART_EVERY_S)
        followers = await cooking
        await watch.until_health(200)

    print(f"{restarts} restarts")
    judge_answers(watch)
    await judge_runs(machine, followers)


async def _until_asked(machine: Machine, count: int) -> None:
    async with asyncio.timeout(60):
        while len(await machine.model.calls()) < count:
            await asyncio.sleep(0.02)


def judge_answers(watch: Watch) -> None:
    told = Counter(each.status for each in watch.answers)
    print(f"{len(watch.answers)} answers {dict(told)}; {len(watch.health)} of /health "
          f"{dict(Counter(status for status, _ in watch.health))}")
    assert [each for each in watch.answers if each.status not in MAY_BE_TOLD | {503}] == []
    assert watch.refusals
    assert {each.body.get("code") for each in watch.refusals} == {"database_unavailable"}
    assert [each for each in watch.refusals if not each.retry_after] == []


async def judge_runs(machine: Machine, followers: list[Follower]) -> None:
    """Every run completed, every model call was made once, and its tokens are in the run and in the ledger, exactly."""
    assert len(followers) == RUNS
    assert Counter(follower.types[-1] for follower in followers) == {"execution.completed": RUNS}
    assert [follower.url for follower in followers if not follower.is_gapless] == []
    calls = await machine.model.calls()
    asked = Counter(call["last_user_text"].split("]")[0] for call in calls)
    assert (len(asked), set(asked.values())) == (RUNS * len(STEPS), {1})
    paid = sum(call["tokens"] for call in calls)
    runs = [await machine.client.run(follower.url.split("/")[-2]) for follower in followers]
    assert sum(run["total_tokens"] for run in runs) == paid
    await _until_ledger(machine, [run["id"] for run in runs], paid)
    print(f"{len(runs)} runs, {len(calls)} calls, {paid} tokens")
    statuses = await machine.postgres.query("SELECT DISTINCT status FROM recipe_executions")
    assert [row["status"] for row in statuses] == ["completed"]


async def _until_ledger(machine: Machine, ids: list[str], paid: int) -> None:
    """Wait until the ledger, which is written beside the work, has every token, and the queue is empty."""
    found: list[Any] = []
    try:
        async with asyncio.timeout(30):
            while found != [paid, 0]:
                await asyncio.sleep(0.2)
                found = list((await machine.postgres.query(
                    "SELECT (SELECT sum(input_tokens + output_tokens) FROM llm_usage WHERE execution_id = ANY($1)), "
                    "(SELECT count(*) FROM durable.jobs)", ids))[0])
    except TimeoutError:
        raise AssertionError(f"tokens in the ledger and jobs in the queue: {found}, not {[paid, 0]}") from None
