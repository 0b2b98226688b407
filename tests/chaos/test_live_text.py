"""An answer that is being written when its worker is killed: nothing of the log is lost, no text doubled."""

import asyncio

import pytest

from tests.chaos.client import Follower, set_up, three_step_recipe
from tests.chaos.harness import stage

pytestmark = pytest.mark.chaos
WORDS = "".join(f"word{number} " for number in range(200))
QUICK = {"AUTOMATOS_LEASE_S": "1"}


async def test_readers_in_another_process_see_an_answer_grow_and_a_kill_loses_and_doubles_nothing() -> None:
    async with stage() as scene:
        postgres = await scene.start_postgres()
        model = await scene.start_model_server()
        server = await scene.start_server(model=model, database_url=postgres.url, with_worker=False, variables=QUICK)
        async with await set_up(server.url) as client:
            recipe = three_step_recipe()
            recipe["recipe"]["steps"] = recipe["recipe"]["steps"][:1]
            await client.apply(recipe)
            await model.script({"text": WORDS, "chunks": 200, "chunk_delay_s": 0.05}, repeat=True)
            start = {"home": server.home, "database_url": postgres.url, "model": model, "variables": QUICK}
            worker = await scene.start_worker(**start)
            run = await client.execute("three-steps", {"task": "write"})
            early = client.follow(run)
            await early.until_text(20)
            late = client.follow(run)
            await late.until_text(20)

            worker.kill()
            assert WORDS.startswith(early.texts[1, 1])
            assert WORDS.startswith(late.texts[1, 1])
            await scene.start_worker(**start)
            await asyncio.gather(goes_on(early), goes_on(late))
            await asyncio.gather(early.until_end(), late.until_end())

            for follower in (early, late):
                assert follower.is_gapless
                assert follower.data_of("model.answered")[0]["text"] == WORDS
                assert WORDS.startswith(follower.texts[1, 1])
                assert follower.types.count("model.answered") == 1
            assert [event.seq for event in await client.stored_events(run)] == [event.seq for event in early.events]


async def goes_on(follower: Follower) -> None:
    """Follow on until the next worker's answer is seen to grow, from its beginning."""
    await follower.until("execution.recovered")
    await follower.until_text(20)
    assert WORDS.startswith(follower.texts[1, 1])
