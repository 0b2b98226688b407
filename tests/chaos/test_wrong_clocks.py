"""Workers whose machines' clocks are hours off join, take over and finish, and end nobody else's work."""

import asyncio
from pathlib import Path

import pytest

from tests.chaos.client import CALCULATE, set_up, three_step_recipe
from tests.chaos.harness import stage
from tests.chaos.processes import ROOT

pytestmark = pytest.mark.chaos
SKEWED = """
import os
from datetime import UTC, datetime, timedelta

from automatos.kernel import clock

off = timedelta(hours=float(os.environ["CLOCK_OFF_HOURS"]))
clock.machine_now = lambda: datetime.now(UTC) + off
"""


def with_clock(folder: Path, hours: int) -> dict[str, str]:
    """Return the variables of a process whose machine's clock is off; Python reads sitecustomize by itself."""
    (folder / "skew").mkdir(exist_ok=True)
    (folder / "skew" / "sitecustomize.py").write_text(SKEWED)
    return {"AUTOMATOS_LEASE_S": "1", "PYTHONPATH": f"{folder / 'skew'}:{ROOT}", "CLOCK_OFF_HOURS": str(hours)}


async def test_wrong_clocks_neither_end_nor_park_nor_mistime_anything() -> None:
    async with stage() as scene:
        postgres = await scene.start_postgres()
        model = await scene.start_model_server(latency_ms=0)
        server = await scene.start_server(
            database_url=postgres.url, model=model, with_worker=False, variables=with_clock(scene.folder, 1))
        async with await set_up(server.url) as client:
            await client.apply(three_step_recipe())
            await model.script({"hang": True}, {"hang": True})
            worker = None
            followers = []
            for hours in (2, -2, 3):
                if worker:
                    worker.kill()
                worker = await scene.start_worker(home=server.home, database_url=postgres.url, model=model,
                                                  variables=with_clock(scene.folder, hours))
                run_id = await client.execute("three-steps", CALCULATE)
                followers.append(client.follow(run_id))
                if hours != 3:
                    await followers[-1].until("step.started")
                    await arrived(model, len(followers))
            await asyncio.gather(*(follower.until_end(60) for follower in followers))

        assert [follower.types[-1] for follower in followers] == ["execution.completed"] * 3
        assert all(follower.is_gapless for follower in followers)
        wrong = await postgres.query(
            "SELECT id FROM recipe_executions WHERE abs(extract(epoch FROM now() - created_at)) > 3600 "
            "OR abs(extract(epoch FROM now() - started_at)) > 3600 OR finished_at < started_at "
            "OR abs(extract(epoch FROM now() - finished_at)) > 3600")
        assert wrong == []


async def arrived(model: object, count: int) -> None:
    """Wait until the model has taken so many calls."""
    async with asyncio.timeout(30):
        while len(await model.calls()) < count:  # type: ignore[attr-defined]
            await asyncio.sleep(0.05)
