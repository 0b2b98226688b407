"""Processes and the database die under load; people who watch see every event once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.chaos.client import CALCULATE, Client, Follower, set_up, three_step_recipe
from tests.chaos.harness import Stage, stage
from tests.chaos.processes import ModelServer, Postgres, Server

pytestmark = pytest.mark.chaos
QUICK = {"AUTOMATOS_LEASE_S": "2"}
CALLS_PER_RUN = 4
on_both_deliveries = pytest.mark.parametrize("engine", ["builtin", "temporal"], indirect=True)


@dataclass
class Machine:
    """A database, a model server and an API without a worker of its own."""

    scene: Stage
    postgres: Postgres
    model: ModelServer
    server: Server
    client: Client
    variables: dict[str, str]

    async def start_worker(self) -> Any:
        return await self.scene.start_worker(
            home=self.server.home, database_url=self.postgres.url, model=self.model, variables=self.variables)

    async def cook(self, count: int) -> list[Follower]:
        runs = await asyncio.gather(*(self.client.execute("three-steps", CALCULATE) for _ in range(count)))
        return [self.client.follow(run) for run in runs]

    async def both_hold_jobs(self, *pids: int) -> bool:
        """Whether each of these processes is at work."""
        rows = await self.postgres.query(
            "SELECT DISTINCT e.pid FROM durable.executors e JOIN durable.jobs j ON j.executor_id = e.id")
        return {row["pid"] for row in rows} >= set(pids)


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> str:
    """What delivers jobs: the built-in engine, unless a test asks for both."""
    return getattr(request, "param", "builtin")


@pytest.fixture
async def machine(engine: str) -> AsyncIterator[Machine]:
    async with stage() as scene:
        variables = QUICK | await scene.variables_of(engine)
        postgres = await scene.start_postgres()
        model = await scene.start_model_server(latency_ms=300, chunks=8)
        server = await scene.start_server(
            database_url=postgres.url, model=model, with_worker=False, variables=variables)
        async with await set_up(server.url) as client:
            await client.apply(three_step_recipe())
            yield Machine(scene, postgres, model, server, client, variables)


async def finish(followers: list[Follower], timeout_s: float = 60) -> None:
    await asyncio.gather(*(follower.until_end(timeout_s) for follower in followers))
    for follower in followers:
        assert follower.types[-1] == "execution.completed", follower.events[-1]
        assert follower.is_gapless


@on_both_deliveries
async def test_two_workers_share_the_work_and_one_finishes_what_the_other_was_killed_on(machine: Machine) -> None:
    first, second = await machine.start_worker(), await machine.start_worker()
    followers = await machine.cook(100)
    async with asyncio.timeout(60):
        while not await machine.both_hold_jobs(first.pid, second.pid):
            await asyncio.sleep(0.02)

    first.kill()
    await finish(followers)

    calls = await machine.model.calls()
    finished = [call for call in calls if call["finished"]]
    assert len(finished) >= 100 * CALLS_PER_RUN
    held = len(calls) - 100 * CALLS_PER_RUN
    assert held <= 64, "only calls that were under way in the killed worker may have been made again"


@on_both_deliveries
async def test_a_frozen_worker_that_comes_back_changes_nothing(machine: Machine) -> None:
    frozen = await machine.start_worker()
    followers = await machine.cook(10)
    async with asyncio.timeout(60):
        while len(await machine.model.calls()) < 10:
            await asyncio.sleep(0.02)
    frozen.freeze()
    other = await machine.start_worker()
    await finish(followers)
    before = [await machine.client.stored_events(f.url.split("/")[-2]) for f in followers]
    asked = len(await machine.model.calls())

    frozen.thaw()
    await asyncio.sleep(3)

    assert len(await machine.model.calls()) == asked
    assert [await machine.client.stored_events(f.url.split("/")[-2]) for f in followers] == before
    assert other.is_running
    assert frozen.is_running
    later = await machine.cook(4)
    await finish(later)


async def test_a_stream_goes_on_without_gap_or_repeat_when_the_api_is_killed(machine: Machine) -> None:
    await machine.start_worker()
    followers = await machine.cook(5)
    await asyncio.gather(*(follower.until("model.answered") for follower in followers))

    machine.server.kill()
    await asyncio.sleep(0.5)
    await machine.scene.start_server(
        database_url=machine.postgres.url, model=machine.model, with_worker=False, home=machine.server.home,
        port=machine.server.port, variables=QUICK)
    await finish(followers)

    for follower in followers:
        assert await machine.client.stored_events(follower.url.split("/")[-2]) == follower.events


@on_both_deliveries
async def test_all_of_fifty_executions_finish_although_postgresql_is_restarted_under_them(machine: Machine) -> None:
    await machine.start_worker()
    followers = await machine.cook(50)
    finishing = asyncio.create_task(finish(followers, timeout_s=90))
    for mode in ("immediate", "fast"):
        await asyncio.sleep(0.6)
        await machine.postgres.restart(mode)
    await finishing

    rows = await machine.postgres.query("SELECT status, count(*)::int AS n FROM recipe_executions GROUP BY status")
    assert {row["status"]: row["n"] for row in rows} == {"completed": 50}
    assert await machine.postgres.query("SELECT FROM durable.jobs") == []


@on_both_deliveries
async def test_a_worker_that_is_asked_to_stop_hands_its_work_over_without_losing_any(machine: Machine) -> None:
    first = await machine.start_worker()
    followers = await machine.cook(20)
    await followers[0].until("model.answered")

    stopping = asyncio.create_task(first.terminate())
    await machine.start_worker()
    await finish(followers)

    assert await stopping == 0


async def test_a_run_that_kills_its_worker_every_time_fails_with_that_reason_and_harms_nobody(machine: Machine) -> None:
    await machine.model.script({"hang": True}, match="deadly", repeat=True)
    deadly = machine.client.follow(await machine.client.execute("three-steps", {"task": "deadly"}))
    for _ in range(3):
        worker = await machine.start_worker()
        count = len(await machine.model.calls())
        async with asyncio.timeout(60):
            while len([c for c in await machine.model.calls() if "deadly" in c["last_user_text"]]) <= count:
                await asyncio.sleep(0.02)
        worker.kill()

    await machine.start_worker()
    others = await machine.cook(3)
    await finish(others)
    await deadly.until_end(30)

    assert deadly.types[-1] == "execution.failed"
    assert deadly.events[-1].data["error"]["code"] == "worker_lost"
