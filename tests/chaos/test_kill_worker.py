"""kill -9 of a worker at every place where it hurts: nothing is lost, no finished call is made again.

Each round holds five executions at five places at once, kills the only worker, and lets a new one finish them:
before each step's model call is answered (the boundary is recorded), after a model answered but before the answer was
recorded, and after a tool's effect but before its result was recorded. The two unrecorded moments are held by locking
the execution's row, so that the worker dies exactly there.
"""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import asyncpg
import pytest
from aiohttp import web

from tests.chaos.client import Client, Follower, set_up
from tests.chaos.harness import Stage, stage
from tests.chaos.processes import ModelServer, Postgres, Server

pytestmark = pytest.mark.chaos
ROUNDS = int(os.environ.get("CHAOS_ROUNDS", "20"))
ROUNDS_ON_TEMPORAL = max(ROUNDS // 7, 1)
OPEN = {"AUTOMATOS_ALLOW_PRIVATE_URLS": "true"}
"""The usual lease: who is killed here is reaped by the next worker's start, and a busy machine reaps nobody living."""
STEPS = (1, 2, 3)


@dataclass
class Sink:
    """A web server that remembers every effect, and answers only when it is let."""

    effects: list[tuple[str, str]] = field(default_factory=list)
    let: dict[str, asyncio.Event] = field(default_factory=dict)
    url: str = ""

    async def take(self, request: web.Request) -> web.Response:
        tag = request.query["tag"]
        self.effects.append((tag, request.headers.get("Idempotency-Key", "")))
        if tag in self.let:
            await self.let[tag].wait()
        return web.json_response({"stored": tag})

    def keys(self, tag: str) -> list[str]:
        return [key for seen, key in self.effects if seen == tag]


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    made, app = Sink(), web.Application()
    app.router.add_post("/effect", made.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    made.url = f"http://{host}:{port}/effect"
    yield made
    await runner.cleanup()


def tagged_recipe() -> dict[str, Any]:
    """Three steps whose prompts carry the run's tag, so that the model server can be scripted per run."""
    steps = [
        {"step_id": f"step-{n}", "agent": "Worker", "output_key": f"out{n}",
         "prompt_template": f"[{{input.tag}} step {n}] {{input.task{n}}}" + (f" after {{out{n - 1}}}" if n > 1 else "")}
        for n in STEPS
    ]
    tasks = {f"task{n}": {"type": "string", "default": "go on"} for n in STEPS}
    inputs = {"tag": {"type": "string", "required": True}} | tasks
    return {
        "apiVersion": "automatos/v1", "kind": "Recipe",
        "agents": [{"name": "Worker", "tools": ["http_fetch"], "prompt": "Do it."}],
        "recipe": {"template_id": "tagged", "name": "Tagged", "inputs": inputs, "steps": steps},
    }


@dataclass
class Table:
    """Everything one test has on its stage."""

    scene: Stage
    postgres: Postgres
    model: ModelServer
    server: Server
    client: Client
    variables: dict[str, str]

    async def start_worker(self) -> Any:
        return await self.scene.start_worker(
            home=self.server.home, database_url=self.postgres.url, model=self.model, variables=self.variables)

    async def calls(self, tag: str) -> list[dict[str, Any]]:
        return [call for call in await self.model.calls() if f"[{tag} " in call["last_user_text"]]


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> str:
    """What delivers jobs: the built-in engine, unless a test asks for both."""
    return getattr(request, "param", "builtin")


@pytest.fixture
async def table(engine: str) -> AsyncIterator[Table]:
    async with stage() as scene:
        variables = OPEN | await scene.variables_of(engine)
        postgres = await scene.start_postgres()
        model = await scene.start_model_server(latency_ms=0)
        server = await scene.start_server(
            database_url=postgres.url, model=model, with_worker=False, variables=variables)
        async with await set_up(server.url) as client:
            await client.apply(tagged_recipe())
            yield Table(scene, postgres, model, server, client, variables)


@pytest.mark.parametrize("engine", ["builtin", "temporal"], indirect=True)
async def test_no_finished_call_is_repeated_and_nothing_is_lost_wherever_the_worker_is_killed(
    table: Table, sink: Sink, engine: str
) -> None:
    worker = await table.start_worker()
    for number in range(ROUNDS if engine == "builtin" else ROUNDS_ON_TEMPORAL):
        runs = {f"r{number}-before-{n}": await hold_before(table, f"r{number}-before-{n}", n) for n in STEPS}
        answered, effected = f"r{number}-answered", f"r{number}-effected"
        runs[answered], lock_answered = await hold_after_answer(table, answered)
        runs[effected], lock_effected = await hold_after_effect(table, sink, effected)
        await until(partial(boundaries_reached, table, number))

        worker.kill()
        for lock in (lock_answered, lock_effected):
            await lock.let_go(table.postgres)
        worker = await table.start_worker()
        followers = {tag: table.client.follow(run_id) for tag, run_id in runs.items()}
        await asyncio.gather(*(follower.until_end(30) for follower in followers.values()))

        for follower in followers.values():
            check_whole(follower)
        for n in STEPS:
            await check_held_call(table, f"r{number}-before-{n}", n)
        await check_held_call(table, answered, 2)
        assert Counter(step_of(call) for call in await table.calls(effected) if call["finished"]) == {1: 2, 2: 1, 3: 1}
        keys = sink.keys(effected)
        assert len(keys) == 2
        assert len(set(keys)) == 1


async def test_a_worker_that_dies_while_it_waits_to_ask_again_leaves_only_the_rest_of_the_attempts(
    table: Table
) -> None:
    document = tagged_recipe()
    document["recipe"] |= {"template_id": "budget", "steps": document["recipe"]["steps"][:1], "execution_config": {
        "max_retries": 3, "retry_delay_ms": 2000, "backoff_strategy": "fixed"}}
    await table.client.apply(document)
    await table.model.script({"status": 500}, match="[budget step", repeat=True)
    worker = await table.start_worker()
    run_id = await table.client.execute("budget", {"tag": "budget"})
    follower = table.client.follow(run_id)
    await follower.until("model.retrying")
    await follower.until("model.retrying")

    worker.kill()
    assert len(await table.calls("budget")) == 2
    await table.start_worker()
    await follower.until_end(60)

    assert len(await table.calls("budget")) == 4
    told = [*follower.data_of("model.retrying"), *follower.data_of("model.failed")]
    assert [(each["attempt"], each["of"]) for each in told] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert follower.events[-1].type == "execution.failed"


async def hold_before(table: Table, tag: str, step: int) -> str:
    """Start a run whose model hangs at a step: all before it is recorded."""
    await table.model.script({"hang": True}, match=f"[{tag} step {step}]")
    return await table.client.execute("tagged", {"tag": tag})


async def boundaries_reached(table: Table, number: int) -> bool:
    arrived = [call["last_user_text"] for call in await table.model.calls()]
    return all(any(f"[r{number}-before-{n} step {n}]" in text for text in arrived) for n in STEPS)


@dataclass
class Lock:
    """A lock on an execution's row, behind which the worker's next record waits."""

    connection: asyncpg.Connection

    async def let_go(self, postgres: Postgres) -> None:
        """End the dead worker's waiting statement first: nobody is left to read its answer."""
        await postgres.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))",
            self.connection.get_server_pid())
        await self.connection.close()

    async def until_somebody_waits(self, postgres: Postgres) -> None:
        async def waits() -> bool:
            return bool(await postgres.query(
                "SELECT 1 FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))",
                self.connection.get_server_pid()))

        await until(waits)


async def lock_row(postgres: Postgres, run_id: str) -> Lock:
    connection = await asyncpg.connect(postgres.url)
    await connection.execute("BEGIN")
    await connection.execute("SELECT 1 FROM recipe_executions WHERE id = $1::uuid FOR UPDATE", run_id)
    return Lock(connection)


async def hold_after_answer(table: Table, tag: str) -> tuple[str, Lock]:
    """Start a run and stop its worker between the answer of step 2 and its record."""
    await table.model.script({"delay_s": 0.4}, match=f"[{tag} step 2]")
    run_id = await table.client.execute("tagged", {"tag": tag})
    await until(lambda: arrived(table, tag, 2))
    lock = await lock_row(table.postgres, run_id)
    await lock.until_somebody_waits(table.postgres)
    return run_id, lock


async def hold_after_effect(table: Table, sink: Sink, tag: str) -> tuple[str, Lock]:
    """Start a run and stop its worker between the effect of a tool call and its record."""
    sink.let[tag] = asyncio.Event()
    call = {"url": f"{sink.url}?tag={tag}", "method": "POST", "body": "pay"}
    await table.model.script({"tool_calls": [["http_fetch", call]]}, match=f"[{tag} step 1]")
    run_id = await table.client.execute("tagged", {"tag": tag})

    async def effect_happened() -> bool:
        return bool(sink.keys(tag))

    await until(effect_happened)
    lock = await lock_row(table.postgres, run_id)
    sink.let[tag].set()
    await lock.until_somebody_waits(table.postgres)
    return run_id, lock


async def arrived(table: Table, tag: str, step: int) -> bool:
    return any(step_of(call) == step for call in await table.calls(tag))


async def check_held_call(table: Table, tag: str, step: int) -> None:
    """The held step's call was made twice under one key; every other call exactly once."""
    calls = await table.calls(tag)
    held = [call for call in calls if step_of(call) == step]
    assert Counter(step_of(call) for call in calls) == {1: 1, 2: 1, 3: 1} | {step: 2}
    assert len({call["idempotency_key"] for call in held}) == 1


def step_of(call: dict[str, Any]) -> int:
    return int(call["last_user_text"].split(" step ", 1)[1][0])


def check_whole(follower: Follower) -> None:
    assert follower.types[-1] == "execution.completed", follower.events[-1]
    assert follower.is_gapless
    assert follower.types.count("step.completed") == len(STEPS)


async def until(is_true: Any, timeout_s: float = 60) -> None:
    async with asyncio.timeout(timeout_s):
        while not await is_true():
            await asyncio.sleep(0.02)


async def test_the_usage_ledger_is_complete_although_workers_died_before_they_could_write_it(
    table: Table, sink: Sink
) -> None:
    worker = await table.start_worker()
    for number in range(3):
        run_id = await hold_before(table, f"ledger-{number}", 3)
        await until(lambda: arrived(table, f"ledger-{number}", 3))  # noqa: B023 - awaited at once
        worker.kill()
        worker = await table.start_worker()
        await table.client.follow(run_id).until_end(30)

    async def is_complete() -> bool:
        missing = await table.postgres.query(
            "SELECT t.run_id, t.seq FROM run_turns t WHERE t.kind = 'model' AND NOT EXISTS (SELECT FROM llm_usage u "
            "WHERE u.run_id = t.run_id AND u.turn = t.seq AND u.status = 'success')")
        return not missing

    await until(is_complete)
    doubled = await table.postgres.query(
        "SELECT run_id, turn FROM llm_usage WHERE status = 'success' GROUP BY run_id, turn HAVING count(*) > 1")
    assert doubled == []
