"""Temporal loses all it knows while runs are at work: the rows have everything, so nobody notices."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from tests.chaos.client import CALCULATE, Client, Follower, set_up, three_step_recipe
from tests.chaos.harness import Stage, stage
from tests.chaos.processes import ModelServer, Postgres, Server, Worker
from tests.temporal_server import TemporalServer

pytestmark = pytest.mark.chaos
RUNS = 30
CALLS_PER_RUN = 4


@dataclass
class Machine:
    """A server that works itself, a worker beside it, and a Temporal that carries their jobs."""

    scene: Stage
    temporal: TemporalServer
    postgres: Postgres
    model: ModelServer
    server: Server
    worker: Worker
    client: Client

    async def cook(self, count: int) -> list[Follower]:
        runs = await asyncio.gather(*(self.client.execute("three-steps", CALCULATE) for _ in range(count)))
        return [self.client.follow(run) for run in runs]

    async def until_calls(self, count: int) -> None:
        async with asyncio.timeout(60):
            while len(await self.model.calls()) < count:
                await asyncio.sleep(0.02)


@pytest.fixture
async def machine() -> AsyncIterator[Machine]:
    async with stage() as scene:
        temporal = await scene.start_temporal()
        variables = {"AUTOMATOS_LEASE_S": "3", "AUTOMATOS_WORKER_CONCURRENCY": "8", "AUTOMATOS_ENGINE": temporal.engine}
        postgres = await scene.start_postgres()
        model = await scene.start_model_server(latency_ms=300)
        server = await scene.start_server(database_url=postgres.url, model=model, variables=variables)
        worker = await scene.start_worker(
            home=server.home, database_url=postgres.url, model=model, variables=variables)
        async with await set_up(server.url) as client:
            await client.apply(three_step_recipe())
            yield Machine(scene, temporal, postgres, model, server, worker, client)


async def all_completed(followers: list[Follower]) -> None:
    await asyncio.gather(*(follower.until_end(90) for follower in followers))
    assert [follower.types[-1] for follower in followers] == ["execution.completed"] * len(followers)
    assert all(follower.is_gapless for follower in followers)


async def test_no_run_is_lost_and_no_call_is_made_again_when_temporal_is_emptied_twice_under_them(
    machine: Machine
) -> None:
    followers = await machine.cook(RUNS)
    for share in (4, 2):
        await machine.until_calls(RUNS * CALLS_PER_RUN // share)
        await machine.temporal.restart_empty()
    await all_completed(followers)

    assert len(await machine.model.calls()) == RUNS * CALLS_PER_RUN
    assert await machine.postgres.query("SELECT FROM durable.jobs") == []
    assert await machine.worker.terminate() == 0
    assert await machine.server.terminate() == 0


async def test_a_worker_that_is_killed_while_temporal_is_emptied_takes_only_its_open_calls_with_it(
    machine: Machine
) -> None:
    followers = await machine.cook(RUNS)
    await machine.until_calls(RUNS)
    machine.worker.kill()
    await machine.temporal.restart_empty()
    await all_completed(followers)

    calls = await machine.model.calls()
    assert len([call for call in calls if call["finished"]]) >= RUNS * CALLS_PER_RUN
    assert len(calls) <= RUNS * CALLS_PER_RUN + 8, "only what the killed worker had asked may be asked again"
