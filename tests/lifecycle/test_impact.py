"""The impact of a change: everything that is touched and nothing else, real numbers, confirmed or refused."""

import time
from random import Random
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from automatos.entrypoints.migrate import Migrated
from automatos.kernel.db import Database
from tests.lifecycle.lives import preview, put_status, set_agent
from tests.lifecycle.references import References
from tests.surface import Client, Make


def references(database: Database, workspace_id: UUID, seed: int = 1) -> References:
    return References(database, workspace_id, Random(seed))


@pytest.mark.capability("S103")
@pytest.mark.parametrize("seed", range(4))
async def test_a_preview_finds_every_reference_and_no_other(
    client: Client, stranger: Client, database: Database, seed: int
) -> None:
    known = references(database, client.workspace_id, seed)
    await known.grow(agents=6, recipes=12, executions=25, tasks=6)
    await references(database, stranger.workspace_id, seed).grow(agents=6, recipes=12, executions=25, tasks=6)
    wanted, found = set[tuple[Any, ...]](), set[tuple[Any, ...]]()

    for agent_id in known.agents:
        seen = (await preview(client, agent_id, "inactive"))["impact_analysis"]
        truth = known.truth
        wanted |= {(agent_id, "work", run, place) for run, place in truth.work[agent_id].items()}
        wanted |= {(agent_id, "recipe", name) for name in truth.recipes[agent_id]}
        wanted |= {(agent_id, "agent", other) for other in truth.followers[agent_id]}
        found |= {(agent_id, "work", one["id"], one["place"]) for one in seen["active_workflows"]}
        found |= {(agent_id, one["kind"], one["id"]) for one in seen["dependents"]}
        found |= {(agent_id, "agent", one["id"]) for one in seen["dependent_agents"]}
        assert seen["queued_tasks"] == list(truth.work[agent_id].values()).count("queued")

    precision, recall = len(wanted & found) / len(found), len(wanted & found) / len(wanted)
    print(f"\n{len(wanted)} references: precision {precision}, recall {recall}")
    assert (found - wanted, wanted - found) == (set(), set())


@pytest.mark.capability("S103")
async def test_a_preview_among_ten_thousand_objects(client: Client, database: Database, migrated: Migrated) -> None:
    known = references(database, client.workspace_id)
    await known.grow(agents=20, recipes=1500, executions=6000, tasks=1000)
    owner = await asyncpg.connect(migrated.url)
    await owner.execute("ANALYZE")  # as the database does by itself within a minute
    await owner.close()
    times: list[float] = []
    for agent_id in known.agents[:5]:
        began = time.perf_counter()
        seen = await preview(client, agent_id, "inactive")
        times.append((time.perf_counter() - began) * 1000)
        assert len(seen["impact_analysis"]["active_workflows"]) == len(known.truth.work[agent_id])
    print(f"\npreviews among 1,500 recipes and 7,000 executions: {', '.join(f'{ms:.0f} ms' for ms in times)}")


STOP_TYPES = {
    "immediate": ({"running"}, {"queued"}, set[str](), {"later"}),
    "graceful": (set[str](), {"queued"}, {"running"}, {"running", "later"}),
    "scheduled": (set[str](), set[str](), {"running", "queued", "later"}, set[str]()),
}
"""What a stop does to work by the agent's place in it: cut off, cancelled, awaited; and failing at a later step."""


@pytest.mark.capability("S103")
@pytest.mark.parametrize("shutdown_type", list(STOP_TYPES))
@pytest.mark.parametrize("target", ["inactive", "maintenance"])
async def test_a_preview_says_what_is_interrupted_cancelled_and_awaited(
    client: Client, database: Database, shutdown_type: str, target: str
) -> None:
    known = references(database, client.workspace_id, seed=9)
    await known.grow(agents=3, recipes=8, executions=20, tasks=3)
    for agent_id in known.agents:
        work = known.truth.work[agent_id]
        seen = await preview(client, agent_id, target, shutdown_type=shutdown_type)
        lists = ("will_interrupt", "will_cancel", "will_await")
        *acted_on, fails_at = STOP_TYPES[shutdown_type]
        for name, places in zip(lists, acted_on, strict=True):
            assert set(seen[name]) == {run for run, place in work.items() if place in places}, name
        assert set(seen["will_fail"]) == {run for run in known.truth.again[agent_id] if work[run] in fails_at}
        assert (seen["proposed_status"], seen["shutdown_type"]) == (target, shutdown_type)


async def test_numbers_come_from_what_happened(client: Client, database: Database) -> None:
    known = references(database, client.workspace_id)
    await known.grow(agents=2, recipes=0, executions=0, tasks=0)
    first, second = known.agents
    await known.finish_steps(first, count=30, seconds=4.0)
    await known.finish_steps(second, count=10, seconds=2.0)
    for _ in range(5):
        await known.add_work(first, "queued")

    seen = (await preview(client, first, "inactive"))["impact_analysis"]["system_impact"]

    assert seen["performance_degradation"] == 75.0
    assert seen["availability_impact"] == "High"
    assert seen["recovery_time_s"] == 12.0  # five tasks of four seconds, two at a time
    assert seen["recovery_time_estimate"] == "12 seconds"
    assert "5 tasks" in seen["basis"]
    assert "30 steps" in seen["basis"]
    nothing = (await preview(client, second, "paused"))["impact_analysis"]["system_impact"]
    assert (nothing["performance_degradation"], nothing["availability_impact"]) == (0.0, "Low")


async def test_without_history_a_number_is_unknown_and_not_invented(client: Client, database: Database) -> None:
    known = references(database, client.workspace_id)
    await known.grow(agents=1, recipes=0, executions=0, tasks=2)
    seen = (await preview(client, known.agents[0], "inactive"))["impact_analysis"]["system_impact"]
    assert (seen["recovery_time_s"], seen["recovery_time_estimate"]) == (None, "unknown")
    assert "No history" in seen["basis"]
    assert seen["performance_degradation"] == 0


@pytest.mark.capability("S104")
@pytest.mark.parametrize(("before", "after", "type_", "words"), [
    ("active", "inactive", "immediate",
     ["critical:1 running task will be interrupted: Task", "warning:A graceful stop"]),
    ("active", "inactive", "graceful",
     ["warning:1 queued task will be cancelled: Task", "info:The stop waits for 1 task",
      "warning:1 execution will need"]),
    ("active", "maintenance", None, ["info:New work is refused", "info:The stop waits for 1 task"]),
    ("active", "paused", None, ["info:1 running task freezes at the next turn and 1 queued task waits"]),
    ("inactive", "active", None, ["info:1 queued task of the agent goes on"]),
    ("inactive", "maintenance", None, ["info:New work is refused"]),
    ("inactive", "training", None, ["info:Nothing needs this agent now"]),
])
async def test_advice_is_given_for_each_change_with_its_numbers(
    client: Client, database: Database, before: str, after: str, type_: str | None, words: list[str]
) -> None:
    known = references(database, client.workspace_id)
    await known.grow(agents=2, recipes=0, executions=0, tasks=0)
    agent_id = known.agents[0]
    for place in ("running", "queued", "later"):
        await known.add_work(agent_id, place)
    await set_agent(database, client, agent_id, status=before)

    seen = await preview(client, agent_id, after, **({"shutdown_type": type_} if type_ else {}))

    said = [f"{one['type']}:{one['message']}" for one in seen["impact_analysis"]["recommendations"]]
    for start in words:
        assert any(line.startswith(start) for line in said), (start, said)




ALL = ["acknowledge_workflow_impact", "acknowledge_queue_impact", "acknowledge_dependency_impact",
       "acknowledge_performance_impact", "confirm_shutdown"]


@pytest.mark.capability("S105")
async def test_exactly_the_effects_found_have_to_be_confirmed(client: Client, make: Make, database: Database) -> None:
    known = references(database, client.workspace_id)
    await known.grow(agents=2, recipes=0, executions=0, tasks=0)
    agent_id = known.agents[0]

    async def asked(target: str = "inactive", **body: Any) -> list[str]:
        return [one["id"] for one in (await preview(client, agent_id, target, **body))["required_confirmations"]]

    assert await asked() == []
    await known.add_work(agent_id, "running")
    assert await asked() == [ALL[0], ALL[4]]
    assert await asked("maintenance") == [ALL[0]]
    assert await asked("paused") == []
    await known.add_work(agent_id, "queued")
    assert await asked() == [*ALL[:2], ALL[4]]
    assert await asked(shutdown_type="scheduled") == [ALL[0], ALL[4]]
    await make.recipe({"agent_id": agent_id, "prompt_template": "Work"})
    assert await asked() == [*ALL[:3], ALL[4]]
    await known.finish_steps(agent_id, count=1, seconds=1)
    assert await asked() == [*ALL[:3], ALL[4]]
    await set_agent(database, client, agent_id, status="inactive")
    assert await asked("maintenance") == []


@pytest.mark.capability("S105")
async def test_a_change_with_effects_is_refused_until_each_is_confirmed_with_the_token(
    client: Client, make: Make, database: Database
) -> None:
    agent = await make.agent()
    recipe = await make.recipe({"agent_id": agent["id"], "prompt_template": "Work"})
    await References(database, client.workspace_id, Random(1), [agent["id"]]).add_work(agent["id"], "running")

    bare = await put_status(client, agent["id"], "inactive")
    by_name = await client.post(f"/api/agents/{agent['id']}/deactivate")
    impact = bare.json()["impact"]
    needed = [one["id"] for one in impact["required_confirmations"]]
    part = await put_status(
        client, agent["id"], "inactive", confirmations=needed[:1], impact_token=impact["impact_token"])
    no_token = await put_status(client, agent["id"], "inactive", confirmations=needed)

    assert needed == ["acknowledge_workflow_impact", "acknowledge_dependency_impact", "confirm_shutdown"]
    assert {(answer.status, answer.code) for answer in (bare, by_name, part, no_token)} == {
        (409, "impact_not_confirmed")}
    assert bare.json()["missing"] == by_name.json()["missing"] == needed
    assert (part.json()["missing"], no_token.json()["missing"]) == (needed[1:], [])
    assert [one["id"] for one in impact["impact_analysis"]["dependents"]] == [recipe["template_id"]]
    whole = await put_status(client, agent["id"], "inactive", confirmations=needed, impact_token=impact["impact_token"])
    assert whole.status == 200
    assert whole.json()["agent"]["stopping"]["target"] == "inactive"


@pytest.mark.capability("S099")
@pytest.mark.capability("S105")
@pytest.mark.parametrize("way", ["PUT /status", "PUT", "POST /deactivate", "POST /stop"])
async def test_history_and_idle_recipes_never_stand_in_the_way_of_a_stop(
    client: Client, make: Make, database: Database, way: str
) -> None:
    agent = await make.agent()
    await make.recipe({"agent_id": agent["id"], "prompt_template": "Work"})
    known = References(database, client.workspace_id, Random(1), [agent["id"]])
    await known.finish_steps(agent["id"], count=6, seconds=1)
    seen = await preview(client, agent["id"], "inactive")
    said = [one["message"] for one in seen["impact_analysis"]["recommendations"]]

    method, _, rest = way.partition(" ")
    answer = await client.send(
        method, f"/api/agents/{agent['id']}{rest}", json={"status": "inactive"} if method == "PUT" else None)

    assert answer.status == 200, answer.body
    assert (await client.get(f"/api/agents/{agent['id']}")).json()["status"] == "inactive"
    assert seen["required_confirmations"] == []
    assert any("It did 100 %" in line for line in said)
    assert any("1 recipe" in line for line in said)


@pytest.mark.capability("S103")
@pytest.mark.capability("S105")
@pytest.mark.parametrize("place", ["later", "running"])
async def test_a_run_that_would_fail_at_a_later_step_is_named_and_has_to_be_confirmed(
    client: Client, database: Database, place: str
) -> None:
    known = references(database, client.workspace_id)
    await known.grow(agents=2, recipes=0, executions=0, tasks=0)
    agent_id = known.agents[0]
    run = await known.add_work(agent_id, place, again=True)
    seen = await preview(client, agent_id, "inactive")
    assert seen["will_fail"] == [run]
    assert [one["id"] for one in seen["required_confirmations"]] == [ALL[0], ALL[4]]
    assert (await put_status(client, agent_id, "inactive")).code == "impact_not_confirmed"
    assert (await preview(client, agent_id, "inactive", shutdown_type="scheduled"))["will_fail"] == []
    assert (await preview(client, agent_id, "paused"))["will_fail"] == []


@pytest.mark.capability("S105")
async def test_an_impact_that_changed_since_is_refused_with_the_new_one(
    client: Client, make: Make, database: Database
) -> None:
    agent = await make.agent()
    await make.recipe({"agent_id": agent["id"], "prompt_template": "Work"})
    await References(database, client.workspace_id, Random(1), [agent["id"]]).add_work(agent["id"], "queued")
    seen = await preview(client, agent["id"], "inactive")
    needed = [one["id"] for one in seen["required_confirmations"]]
    assert (await preview(client, agent["id"], "inactive"))["impact_token"] == seen["impact_token"]

    await make.recipe({"agent_id": agent["id"], "prompt_template": "More"})
    stale = await put_status(client, agent["id"], "inactive", confirmations=needed, impact_token=seen["impact_token"])
    other = await put_status(
        client, agent["id"], "inactive", shutdown_type="immediate", confirmations=needed,
        impact_token=(await preview(client, agent["id"], "inactive"))["impact_token"])

    assert (stale.status, stale.code) == (other.status, other.code) == (409, "impact_changed")
    assert len(stale.json()["impact"]["impact_analysis"]["dependents"]) == 2
    assert (await client.get(f"/api/agents/{agent['id']}/status")).json()["status"] == "active"


@pytest.mark.parametrize("body", [
    {"confirmations": ["sure"]}, {"confirmations": ["confirm_shutdown"] * 21}, {"impact_token": "x" * 101},
    {"impact_token": 7}, {"confirm": True},
])
async def test_a_confirmation_that_means_nothing_is_refused_by_name(
    client: Client, make: Make, body: dict[str, Any]
) -> None:
    agent = await make.agent(active=False)
    answer = await put_status(client, agent["id"], "active", **body)
    assert (answer.status, answer.code) == (422, "invalid_request")
    assert next(iter(body)) in answer.json()["detail"]
