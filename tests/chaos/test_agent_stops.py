"""Agents with a limit, stopped in every way, on a server with two workers of its own.

The scripted model counts how many calls are open at once: that is how much an agent does at a time.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.chaos.client import Client, Refused, set_up
from tests.chaos.harness import Stage, stage
from tests.chaos.processes import ModelServer, Postgres, Process

pytestmark = pytest.mark.chaos
QUICK = {"AUTOMATOS_LEASE_S": "1"}
QUEUED = 30


@dataclass
class Floor:
    """A server, two workers, a model, and one agent that does two things at a time."""

    scene: Stage
    postgres: Postgres
    model: ModelServer
    client: Client
    workers: list[Process]
    agent: dict[str, Any]

    @property
    def path(self) -> str:
        return f"/api/agents/{self.agent['id']}"

    async def give(self, prompt: str, **more: Any) -> str:
        """Give the agent a task and return the execution's id."""
        return (await self.client.call("POST", f"{self.path}/execute", {"prompt": prompt, **more}))["execution_id"]

    async def status(self) -> dict[str, Any]:
        return await self.client.call("GET", f"{self.path}/status")

    async def stop(self, shutdown_type: str) -> dict[str, Any]:
        """Stop the agent as a person does: look at the impact, confirm it, apply it."""
        order = {"status": "inactive", "shutdown_type": shutdown_type}
        impact = await self.client.call("POST", f"{self.path}/status/preview", order)
        confirmed = [one["id"] for one in impact["required_confirmations"]]
        return await self.client.call(
            "PUT", f"{self.path}/status", order | {"confirmations": confirmed, "impact_token": impact["impact_token"]})

    async def runs(self, ids: list[str]) -> list[dict[str, Any]]:
        return [await self.client.run(run_id) for run_id in ids]

    async def until_status(self, wanted: str, timeout_s: float = 60) -> dict[str, Any]:
        return await until(self.status, lambda found: found["status"] == wanted, timeout_s)

    async def holders(self) -> list[int]:
        """Return the process ids of the workers that hold the agent's running tasks."""
        rows = await self.postgres.query(
            "SELECT e.pid FROM durable.jobs j JOIN durable.executors e ON e.id = j.executor_id WHERE j.lane = $1",
            f"agent:{self.agent['id']}")
        return [row["pid"] for row in rows]


async def until(
    ask: Callable[[], Awaitable[Any]], is_ready: Callable[[Any], bool], timeout_s: float = 20
) -> Any:
    async with asyncio.timeout(timeout_s):
        while not is_ready(found := await ask()):
            await asyncio.sleep(0.05)
    return found


@asynccontextmanager
async def floor(**model_options: float) -> AsyncIterator[Floor]:
    async with stage() as scene:
        postgres = await scene.start_postgres()
        model = await scene.start_model_server(**model_options)
        server = await scene.start_server(model=model, database_url=postgres.url, with_worker=False, variables=QUICK)
        workers = [
            await scene.start_worker(home=server.home, model=model, database_url=postgres.url, variables=QUICK)
            for _ in range(2)
        ]
        async with await set_up(server.url) as client:
            agent = await client.call("POST", "/api/agents", {
                "name": "Pair", "configuration": {"max_concurrent_tasks": 2},
                "model_config": {"provider": "openai", "model_id": "fake-model"}})
            await client.call("POST", f"/api/agents/{agent['id']}/activate")
            yield Floor(scene, postgres, model, client, list(workers), agent)


@pytest.mark.capability("S023", "S024", "S096")
async def test_two_workers_never_do_more_than_the_agent_may_and_begin_with_what_matters_most() -> None:
    async with floor(latency_ms=120) as here:
        await here.client.call("POST", f"{here.path}/pause")
        levels = ["low", "critical", "medium", "high"]
        for number in range(QUEUED):
            await here.give(f"{levels[number % 4]} {number}", priority=levels[number % 4])
        await asyncio.sleep(0.5)
        assert await here.model.calls() == [], "a paused agent began to work"

        await here.client.call("POST", f"{here.path}/resume")
        done = await until(here.model.calls, lambda calls: sum(c["finished"] for c in calls) == QUEUED, 30)

        _, most = await here.model.load()
        begun = [call["last_user_text"].split()[0] for call in sorted(done, key=lambda call: call["arrived_at"])]
        assert most == 2
        places = [["critical", "high", "medium", "low"].index(level) for level in begun]
        early = [at for at in range(QUEUED - 2) if places[at] > min(places[at + 2:])]
        assert early == [], f"of what begins at the same time either may be first, nothing else: {begun}"


@pytest.mark.capability("S101", "S095", "S105")
async def test_a_graceful_stop_refuses_the_next_task_and_ends_when_the_running_two_do_also_after_a_kill() -> None:
    async with floor(latency_ms=2500) as here:
        ids = [await here.give(f"task {number}") for number in range(QUEUED)]
        await until(here.model.load, lambda load: load[0] == 2)
        [first, *_] = await here.holders()

        stopped = await here.stop("graceful")
        with pytest.raises(Refused) as refusal:
            await here.give("one too many")
        victim = next(worker for worker in here.workers if worker.pid == first)
        victim.kill()

        assert (refusal.value.status, refusal.value.problem["code"]) == (400, "agent_not_eligible")
        assert len(stopped["shutdown"]["awaiting"]) == 2
        assert len(stopped["shutdown"]["cancelled"]) == QUEUED - 2
        assert stopped["agent"]["status"] == "active"
        await here.until_status("inactive")

        runs = await here.runs(ids)
        finished = [run for run in runs if run["status"] == "completed"]
        assert {run["id"] for run in finished} == set(stopped["shutdown"]["awaiting"])
        assert [run["status"] for run in runs].count("cancelled") == QUEUED - 2
        agent = await here.client.call("GET", here.path)
        ended_at = max(datetime.fromisoformat(run["finished_at"]) for run in finished)
        late = datetime.fromisoformat(agent["status_changed_at"]) - ended_at
        assert late >= timedelta(0)
        assert (await here.model.load())[1] == 2


@pytest.mark.capability("S100")
async def test_an_immediate_stop_closes_the_sockets_of_the_model() -> None:
    async with floor() as here:
        await here.model.script({"hang": True}, repeat=True)
        ids = [await here.give(f"task {number}") for number in range(3)]
        await until(here.model.load, lambda load: load[0] == 2)

        stopped = await here.stop("immediate")
        await until(here.model.load, lambda load: load[0] == 0)

        assert stopped["agent"]["status"] == "inactive"
        assert len(stopped["shutdown"]["interrupted"]) == 2
        runs = await until(lambda: here.runs(ids), lambda runs: all(run["finished_at"] for run in runs), 5)
        assert [run["status"] for run in runs] == ["cancelled"] * 3
        assert {run["steps"][0]["error"]["code"] for run in runs} == {"agent_stopped"}
        assert all(call["disconnected"] for call in await here.model.calls())


@pytest.mark.capability("S102")
async def test_a_scheduled_stop_waits_for_the_recipes_that_need_the_agent() -> None:
    async with floor(latency_ms=700) as here:
        other = await here.client.call("POST", "/api/agents", {
            "name": "Other", "model_config": {"provider": "openai", "model_id": "fake-model"}, "activate": True})
        steps = [
            {"step_id": f"s{order}", "order": order, "agent_id": agent["id"], "prompt_template": f"step {order}"}
            for order, agent in enumerate((here.agent, other, here.agent), start=1)
        ]
        await here.client.call("POST", "/api/workflow-recipes", {
            "template_id": "there-and-back", "name": "There and back", "steps": steps})
        run_id = await here.client.execute("there-and-back", {})
        await until(here.model.load, lambda load: load[0] == 1)

        stopped = await here.stop("scheduled")
        with pytest.raises(Refused) as task:
            await here.give("no more")
        with pytest.raises(Refused) as recipe:
            await here.client.execute("there-and-back", {})
        await here.until_status("inactive")

        run = await here.client.run(run_id)
        assert stopped["shutdown"]["awaiting"] == [run_id]
        assert (task.value.problem["code"], recipe.value.problem["code"]) == ("agent_not_eligible", "recipe_not_ready")
        assert run["status"] == "completed"
        assert len(await here.model.calls()) == 3
