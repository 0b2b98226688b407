"""The status of an agent: seven values people know, changed only as the table allows, checked and audited."""

import asyncio
from random import Random
from typing import Any

import pytest

from automatos.agents.types import TRANSITIONS, AgentStatus
from automatos.kernel.db import Database
from tests.lifecycle.lives import audit, confirm, lane, put_status, set_agent, status_of
from tests.lifecycle.references import References
from tests.surface import Client, Make, add_key

PEOPLE_KNOW = {"active", "inactive", "idle", "maintenance", "paused", "training", "error"}
MODES = {"active": "open", "idle": "open", "paused": "held"}


@pytest.mark.capability("S092")
@pytest.mark.parametrize("before", list(AgentStatus))
async def test_only_listed_changes_are_made_and_a_refusal_names_the_others(
    client: Client, make: Make, database: Database, before: AgentStatus
) -> None:
    agent = await make.agent(active=False)
    for after in AgentStatus:
        await set_agent(database, client, agent["id"], status=before.value)

        answer = await put_status(client, agent["id"], after)

        if before is after or after in TRANSITIONS[before]:
            assert (answer.status, answer.json()["agent"]["status"]) == (200, after)
            found = await lane(database, agent["id"])
            assert before is after or found == (5, MODES.get(after, "closed"))
        else:
            assert (answer.status, answer.code) == (409, "status_change_refused")
            assert answer.json()["allowed"] == sorted(TRANSITIONS[before])
    assert (await status_of(client, agent["id"]))["allowed_statuses"] == sorted(
        TRANSITIONS[AgentStatus((await status_of(client, agent["id"]))["status"])])


@pytest.mark.capability("S092")
@pytest.mark.parametrize("word", ["running", "", "ACTIVE", None, 7, "idle\x00"])
async def test_a_status_that_does_not_exist_is_refused_by_name(client: Client, make: Make, word: Any) -> None:
    agent = await make.agent(active=False)
    answer = await put_status(client, agent["id"], word)
    assert (answer.status, answer.code) == (422, "invalid_request")
    assert set(AgentStatus) == PEOPLE_KNOW | {"archived"}


@pytest.mark.capability("S093")
async def test_a_new_agent_is_inactive_and_its_lane_lets_nothing_run(
    client: Client, make: Make, database: Database
) -> None:
    agent = await make.agent(active=False, configuration={"max_concurrent_tasks": 3})
    assert agent["status"] == "inactive"
    assert await lane(database, agent["id"]) == (3, "closed")


@pytest.mark.capability("S018")
async def test_the_report_says_where_an_agent_is_and_what_it_does(client: Client, make: Make) -> None:
    agent = await make.agent(configuration={"max_concurrent_tasks": 2, "priority_level": "high", "auto_start": True})

    report = await status_of(client, agent["id"])

    assert report | {"configuration": None, "created_at": None, "updated_at": None} == {
        "agent_id": agent["id"], "name": agent["name"], "status": "active", "status_reason": None,
        "agent_type": "custom", "priority_level": "high", "max_concurrent_tasks": 2, "auto_start": True,
        "configuration": None, "created_at": None, "updated_at": None,
        "allowed_statuses": ["archived", "inactive", "maintenance", "paused", "training"], "stopping": None,
        "workload": {"running": 0, "queued": 0, "capacity": 2, "active": []},
    }


@pytest.mark.capability("S099")
@pytest.mark.parametrize(("start", "stop"), [("activate", "deactivate"), ("start", "stop")])
async def test_start_and_stop_set_active_and_inactive_and_are_audited(
    client: Client, make: Make, database: Database, start: str, stop: str
) -> None:
    agent = await make.agent(active=False)

    started = await client.post(f"/api/agents/{agent['id']}/{start}")
    again = await client.post(f"/api/agents/{agent['id']}/{start}")
    stopped = await client.post(f"/api/agents/{agent['id']}/{stop}")

    assert [answer.json()["status"] for answer in (started, again, stopped)] == ["active", "active", "inactive"]
    assert started.json()["version"] == stopped.json()["version"] == agent["version"]
    changes = [(detail["before"], detail["after"]) for _, action, detail in await audit(database, client)
               if action == "agent.status_changed"]
    assert changes == [("inactive", "active"), ("active", "inactive")]
    assert await lane(database, agent["id"]) == (5, "closed")


@pytest.mark.capability("S098")
async def test_activation_is_refused_with_every_fault_at_once(client: Client, make: Make, database: Database) -> None:
    agent = await make.agent(
        active=False, tools=["calculator"],
        model_config={"provider": "groq", "model_id": "x", "fallback_model_id": "mistral:y"})
    broken = agent["configuration"] | {"max_concurrent_tasks": 99, "tools": ["calculator", "no_such_tool"]}
    await set_agent(database, client, agent["id"], configuration=broken)

    refused = await client.post(f"/api/agents/{agent['id']}/activate")

    assert (refused.status, refused.code) == (409, "agent_not_ready")
    faults = refused.json()["faults"]
    assert len(faults) == 4
    for needed in ("configuration.max_concurrent_tasks", "no_such_tool", "Groq", "fallback"):
        assert any(needed in fault for fault in faults), needed
    assert (await status_of(client, agent["id"]))["status"] == "inactive"


@pytest.mark.capability("S098")
async def test_activation_needs_the_persona_and_skills_to_be_there_still(
    client: Client, make: Make, database: Database
) -> None:
    agent = await make.agent(active=False)
    async with database.recording(client.workspace_id) as connection:
        persona = await connection.fetchval(
            "INSERT INTO personas (id, workspace_id, scope, slug, name, system_prompt, category, is_active) "
            "VALUES (gen_random_uuid(), $1, 'workspace', 'calm', 'Calm', 'Be calm.', 'general', false) RETURNING id",
            client.workspace_id)
        skill = await connection.fetchval(
            "INSERT INTO skills (workspace_id, source, name, description, is_active) "
            "VALUES ($1, 'custom', 'sorting', 'Sorts.', false) RETURNING id", client.workspace_id)
        await connection.execute(
            "INSERT INTO agent_skills (agent_id, skill_id, workspace_id) VALUES ($1, $2, $3)",
            agent["id"], skill, client.workspace_id)
    await set_agent(database, client, agent["id"], persona_id=persona)

    refused = await client.post(f"/api/agents/{agent['id']}/activate")

    assert refused.code == "agent_not_ready"
    assert sorted(fault.split(":")[0] for fault in refused.json()["faults"]) == [
        "Its persona Calm is switched off", "Its skill sorting is switched off"]


@pytest.mark.capability("S097")
async def test_an_agent_in_error_or_training_is_not_started_and_error_needs_to_be_cleared(
    client: Client, make: Make, database: Database
) -> None:
    agent = await make.agent(active=False, model_config={"provider": "groq", "model_id": "x"})
    await set_agent(database, client, agent["id"], status="error", status_reason="5 tasks failed",
                    performance_metrics={"consecutive_failures": 5})

    refused = await client.post(f"/api/agents/{agent['id']}/activate")
    still_broken = await client.post(f"/api/agents/{agent['id']}/clear-error")
    await client.put(f"/api/agents/{agent['id']}", json={"model_config": None})
    cleared = await client.post(f"/api/agents/{agent['id']}/clear-error")
    again = await client.post(f"/api/agents/{agent['id']}/clear-error")

    assert (refused.code, refused.json()["allowed"]) == ("status_change_refused", ["archived", "inactive"])
    assert still_broken.code == "agent_not_ready"
    assert (cleared.status, cleared.json()["status"], cleared.json()["status_reason"]) == (200, "inactive", None)
    assert cleared.json()["performance_metrics"]["consecutive_failures"] == 0
    assert (again.status, again.code) == (409, "wrong_status")
    await confirm(client, agent["id"], "training")
    recipe = await make.recipe({"agent_id": agent["id"], "prompt_template": "Hello"})
    start = await client.post(f"/api/workflow-recipes/{recipe['template_id']}/execute", json={})
    assert start.code == "recipe_not_ready"


async def test_only_a_paused_agent_is_resumed(client: Client, make: Make) -> None:
    agent = await make.agent(active=False)
    refused = await client.post(f"/api/agents/{agent['id']}/resume")
    assert (refused.status, refused.code) == (409, "wrong_status")
    await client.post(f"/api/agents/{agent['id']}/activate")
    assert (await client.post(f"/api/agents/{agent['id']}/pause")).json()["status"] == "paused"
    assert (await client.post(f"/api/agents/{agent['id']}/resume")).json()["status"] == "active"


async def test_a_shutdown_type_without_a_shutdown_is_refused(client: Client, make: Make) -> None:
    agent = await make.agent()
    for path, body in (("status", {"status": "paused", "shutdown_type": "immediate"}),
                       ("status", {"status": "inactive", "shutdown_type": "never"})):
        answer = await client.put(f"/api/agents/{agent['id']}/{path}", json=body)
        assert (answer.status, answer.code) == (422, "invalid_request")
        assert "shutdown_type" in answer.json()["detail"]


ROUTES = (
    ("GET", "status", None), ("POST", "status/preview", {"status": "paused"}), ("PUT", "status", {"status": "paused"}),
    ("DELETE", "status/shutdown", None), ("POST", "activate", None), ("POST", "deactivate", None),
    ("POST", "pause", None), ("POST", "resume", None), ("POST", "clear-error", None), ("GET", "deletion", None),
)


async def test_strangers_and_viewers_change_nothing(
    client: Client, stranger: Client, make: Make, database: Database
) -> None:
    agent = await make.agent()
    viewer = {"X-API-Key": await add_key(database, client.workspace_id, "viewer")}
    for method, path, body in ROUTES:
        where = f"/api/agents/{agent['id']}/{path}"
        foreign = await stranger.send(method, where, json=body)
        absent = await client.send(method, f"/api/agents/{2**31 - 1}/{path}", json=body)
        assert (foreign.status, foreign.code) == (absent.status, absent.code) == (404, "agent_not_found"), where
        reads = method == "GET" or path.endswith("preview")
        seen = await client.send(method, where, json=body, headers=viewer)
        assert seen.status == (200 if reads else 403), where
    assert (await status_of(client, agent["id"]))["status"] == "active"


async def test_a_saved_agent_changes_its_status_by_the_same_rules(
    client: Client, make: Make, database: Database
) -> None:
    agent = await make.agent()
    await References(database, client.workspace_id, Random(1), [agent["id"]]).add_work(agent["id"], "queued")

    refused = await client.put(f"/api/agents/{agent['id']}", json={"status": "inactive", "description": "Off"})

    assert (refused.status, refused.code) == (409, "impact_not_confirmed")
    assert (await client.get(f"/api/agents/{agent['id']}")).json()["description"] is None
    impact = refused.json()["impact"]
    saved = await client.put(f"/api/agents/{agent['id']}", json={
        "status": "inactive", "description": "Off", "impact_token": impact["impact_token"],
        "confirmations": [one["id"] for one in impact["required_confirmations"]]})
    assert (saved.status, saved.json()["status"], saved.json()["description"]) == (200, "inactive", "Off")


async def test_the_same_change_asked_for_ten_times_at_once_is_made_once(
    client: Client, make: Make, database: Database
) -> None:
    agent = await make.agent(active=False)
    answers = await asyncio.gather(*(put_status(client, agent["id"], "active") for _ in range(10)))
    assert {(answer.status, answer.json()["agent"]["status"]) for answer in answers} == {(200, "active")}
    changes = [action for _, action, _ in await audit(database, client) if action == "agent.status_changed"]
    assert len(changes) == 1
