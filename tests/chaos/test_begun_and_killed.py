"""kill -9 of the process that answers and works: what it had accepted was begun, and goes on where it was."""

import asyncio

import pytest

from tests.chaos.client import CALCULATE, set_up, three_step_recipe
from tests.chaos.harness import stage

pytestmark = pytest.mark.chaos
QUICK = {"AUTOMATOS_LEASE_S": "2"}
RUNS = 5
ROUNDS = 3
CALLS_PER_RUN = 4


async def test_runs_that_began_where_they_were_accepted_lose_and_repeat_nothing_that_was_recorded() -> None:
    async with stage() as scene:
        postgres = await scene.start_postgres()
        model = await scene.start_model_server(latency_ms=300, chunks=4)
        server = await scene.start_server(database_url=postgres.url, model=model, variables=QUICK)
        async with await set_up(server.url) as client:
            await client.apply(three_step_recipe())
            await client.follow(await client.execute("three-steps", CALCULATE)).until_end()
            for _ in range(ROUNDS):
                before = len(await model.calls())
                runs = await asyncio.gather(*(client.execute("three-steps", CALCULATE) for _ in range(RUNS)))
                server.kill()
                held = await postgres.query(
                    "SELECT key FROM durable.jobs WHERE number = 0 AND executor_id IS NOT NULL")
                server = await scene.start_server(
                    database_url=postgres.url, model=model, home=server.home, port=server.port, variables=QUICK)
                followers = [client.follow(run) for run in runs]
                ends = [(await follower.until_end(120)).type for follower in followers]
                calls = len(await model.calls()) - before

                assert {row["key"].partition("/")[0] for row in held} == set(runs)
                assert ends == ["execution.completed"] * RUNS
                assert all(follower.is_gapless for follower in followers)
                assert [follower.types.count("step.started") for follower in followers] == [3] * RUNS
                assert calls <= (CALLS_PER_RUN + 1) * RUNS  # a death repeats the call that was open, at most
        assert await postgres.query("SELECT key FROM durable.jobs WHERE name = 'runs.step'") == []
