"""A database of an earlier version, with work in every state, is carried over: nothing is lost, nothing is paid twice.

`before/database.sql.gz` was written by `pg_dump --inserts` from the product at commit 64ecdf9 after its only worker had
been killed with -9; `before/told.json` is what its API had told of the runs. The runs' prompts carry their names.
"""

import asyncio
import gzip
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import pytest

from automatos.kernel.embedded import APP_ROLE
from tests.chaos.client import Client
from tests.chaos.harness import stage
from tests.chaos.processes import ModelServer, Postgres

pytestmark = pytest.mark.chaos
BEFORE = Path(__file__).parent / "before"
TOLD: dict[str, Any] = orjson.loads((BEFORE / "told.json").read_bytes())
RUNS: dict[str, str] = TOLD["runs"]
KEY = "ak_srv_" + "dx02y2CjTGmexEBvUJ1NJLiIZrhhqil2y1KMpqYNn8U"
"""A key that only the database of before knows; in two parts, for the scanner that looks for keys in use."""
TO_BE_ASKED = {
    "half-1": {1: 1, 2: 1, 3: 1}, "half-3": {3: 1}, "turned": {2: 1, 3: 1}, "narrow-1": {2: 1, 3: 1},
    "narrow-2": {2: 1, 3: 1}, "narrow-3": {2: 1, 3: 1}, "queued": {1: 1, 2: 1, 3: 1}, "task-half": {1: 1},
    "task-queued": {1: 1},
}
"""How often a model is still to be asked, by run and step: for what had not been recorded when the worker died."""
FIELDS_OF_A_RUN = {"id", "status", "kind", "agent_id", "recipe_id", "recipe_name", "recipe_version", "total_tokens",
                   "cost_usd", "created_at", "started_at", "finished_at", "triggered_by", "input_data"}
FIELDS_OF_A_STEP = {"step_id", "order", "agent_id", "agent_name", "status", "prompt", "output_key", "output",
                    "input_tokens", "output_tokens", "cost_usd", "started_at", "finished_at"}


@dataclass
class Upgraded:
    """The product of today on the database of before."""

    postgres: Postgres
    model: ModelServer
    client: Client

    async def asked(self, name: str) -> dict[int, int]:
        """Return how often a model was asked for a run, by step."""
        texts = [call["last_user_text"] for call in await self.model.calls()]
        return dict(Counter(int(text.split(" step ", 1)[1][0]) for text in texts if text.startswith(f"[{name} ")))

    async def ended(self, run_id: str) -> str:
        """Wait for a run's last event, look whether its events are whole, and return how it ended."""
        follower = self.client.follow(run_id)
        await follower.until_end()
        assert follower.is_gapless, run_id
        return follower.types[-1]


@pytest.fixture
async def upgraded() -> AsyncIterator[Upgraded]:
    async with stage() as scene:
        postgres = await scene.start_postgres()
        await restore(postgres)
        model = await scene.start_model_server(latency_ms=0)
        server = await scene.start_server(
            database_url=postgres.url, model=model, variables={"AUTOMATOS_ALLOW_PRIVATE_URLS": "true"})
        async with Client(server.url, KEY) as client:
            yield Upgraded(postgres, model, client)


async def restore(postgres: Postgres) -> None:
    connection = await asyncpg.connect(postgres.url)
    try:
        await connection.execute(f"CREATE ROLE {APP_ROLE} LOGIN")
        await connection.execute(gzip.decompress((BEFORE / "database.sql.gz").read_bytes()).decode())
        # The worker died a moment ago, not when this file was made: what was to end within the hour still is.
        await connection.execute(
            "UPDATE public.recipe_executions SET deadline_at = clock_timestamp() + interval '1 hour' "
            "WHERE finished_at IS NULL")
    finally:
        await connection.close()


async def test_work_of_every_state_goes_on_after_the_upgrade_and_no_recorded_call_is_made_again(
    upgraded: Upgraded
) -> None:
    beside = await upgraded.client.execute("tagged", {"tag": "beside"})
    ends = await asyncio.gather(*(upgraded.ended(RUNS[name]) for name in TO_BE_ASKED))
    cancelled, new = await upgraded.ended(RUNS["cancelling"]), await upgraded.ended(beside)

    assert dict(zip(TO_BE_ASKED, ends, strict=True)) == dict.fromkeys(TO_BE_ASKED, "execution.completed")
    assert (cancelled, new) == ("execution.cancelled", "execution.completed")
    assert {name: await upgraded.asked(name) for name in TO_BE_ASKED} == TO_BE_ASKED
    assert await upgraded.asked("cancelling") == {}
    assert await upgraded.postgres.query("SELECT FROM recipe_executions WHERE finished_at IS NULL AND id <> $1",
                                         RUNS["paused"]) == []


async def test_a_run_that_waited_for_a_paused_agent_waits_on_and_goes_on_when_the_agent_does(
    upgraded: Upgraded
) -> None:
    await upgraded.ended(RUNS["queued"])
    before = await upgraded.client.run(RUNS["paused"])
    agent_id = next(agent["id"] for agent in (await upgraded.client.call("GET", "/api/agents?limit=50"))["items"]
                    if agent["name"] == "Resting")
    await upgraded.client.call("POST", f"/api/agents/{agent_id}/resume", {})

    assert before["status"] == "paused"
    assert await upgraded.ended(RUNS["paused"]) == "execution.completed"
    assert await upgraded.asked("paused") == {2: 1, 3: 1}


async def test_what_was_over_before_is_told_as_before_and_its_idempotency_key_still_names_it(
    upgraded: Upgraded
) -> None:
    for name, before in TOLD["pages"].items():
        now = await upgraded.client.run(before["id"])
        assert only(now, FIELDS_OF_A_RUN) == only(before, FIELDS_OF_A_RUN), name
        assert now["output_data"]["final_output"] == before["output_data"]["final_output"], name
        assert [only(step, FIELDS_OF_A_STEP) for step in now["steps"]] == [
            only(step, FIELDS_OF_A_STEP) for step in before["steps"]], name
        assert await upgraded.ended(before["id"]) == f"execution.{before['status']}"
    assert not any([await upgraded.asked(name) for name in TOLD["pages"]])
    inputs = {"tag": "completed", "task1": 'use tool calculator {"expression": "6*7"}'}
    assert await upgraded.client.execute("tagged", inputs, "key-of-before") == RUNS["completed"]


def only(whole: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: whole[name] for name in names}
