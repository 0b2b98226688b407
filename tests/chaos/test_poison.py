"""A run that kills its worker every time, beside runs that do nothing wrong: it alone is given up."""

import asyncio

import pytest

from tests.chaos.client import set_up
from tests.chaos.harness import stage

pytestmark = pytest.mark.chaos
QUICK = {"AUTOMATOS_LEASE_S": "1"}
INNOCENTS = 5
MOST_DEATHS = 6
ONE_STEP = {
    "apiVersion": "automatos/v1", "kind": "Recipe",
    "agents": [{"name": "Worker", "prompt": "Do it.", "configuration": {"max_concurrent_tasks": 10}}],
    "recipe": {"template_id": "single", "name": "Single", "inputs": {"task": {"type": "string", "required": True}},
               "steps": [{"step_id": "only", "agent": "Worker", "prompt_template": "{input.task}",
                          "output_key": "out"}]},
}


async def test_runs_beside_one_that_kills_its_worker_all_complete() -> None:
    async with stage() as scene:
        postgres = await scene.start_postgres()
        model = await scene.start_model_server(latency_ms=3000)
        await model.script({"hang": True}, match="deadly", repeat=True)
        server = await scene.start_server(
            database_url=postgres.url, model=model, with_worker=False, variables=QUICK)
        async with await set_up(server.url) as client:
            await client.apply(ONE_STEP)
            deadly = client.follow(await client.execute("single", {"task": "deadly"}))
            innocents = [client.follow(await client.execute("single", {"task": f"innocent {number}"}))
                         for number in range(INNOCENTS)]
            ended = asyncio.create_task(deadly.until_end(300))
            deaths = 0
            while not ended.done():
                worker = await scene.start_worker(
                    home=server.home, database_url=postgres.url, model=model, variables=QUICK)
                calling = asyncio.create_task(asks_again(model, deaths))
                await asyncio.wait((ended, calling), return_when=asyncio.FIRST_COMPLETED)
                if calling.done():
                    worker.kill()
                    deaths += 1
                calling.cancel()
            await asyncio.gather(*(follower.until_end(120) for follower in innocents))

    assert deadly.events[-1].data["error"]["code"] == "worker_lost"
    assert [follower.types[-1] for follower in innocents] == ["execution.completed"] * INNOCENTS
    assert all(follower.is_gapless for follower in (deadly, *innocents))
    assert deaths <= MOST_DEATHS


async def asks_again(model: object, before: int) -> None:
    """Wait until the deadly run has asked the model once more."""
    while len([c for c in await model.calls() if "deadly" in c["last_user_text"]]) <= before:  # type: ignore[attr-defined]
        await asyncio.sleep(0.05)
