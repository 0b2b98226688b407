"""Agents over HTTP: create, read, list, change, remove."""

import asyncio
from typing import Any

import pytest

from automatos.agents.types import Dependent
from automatos.kernel.ids import new_id
from automatos.workspaces.types import Role
from tests.agents.conftest import AgentDeps


@pytest.mark.capability("S093")
@pytest.mark.capability("S167")
async def test_a_new_agent_is_inactive_and_has_every_field(desk: AgentDeps) -> None:
    made = await desk.ask("POST", json={
        "name": "  Ada  ", "description": "Finds bugs", "agent_type": "security_expert", "tags": "Web, API,web",
        "configuration": {"priority_level": "high", "max_concurrent_tasks": 2, "tools": ["calculator"]},
        "model_config": {"provider": "demo", "model_id": "demo", "temperature": 0.2},
        "custom_persona_prompt": "You are Ada.",
    })

    assert made.status_code == 201, made.text
    agent = made.json()
    assert isinstance(agent["id"], int)
    assert made.headers["Location"] == f"/api/agents/{agent['id']}"
    assert made.headers["ETag"] == '"1"'
    assert (agent["name"], agent["status"], agent["agent_type"]) == ("Ada", "inactive", "security_expert")
    assert (agent["marketplace_category"], agent["tags"]) == ("Custom", ["web", "api"])
    assert (agent["priority_level"], agent["max_concurrent_tasks"], agent["auto_start"]) == ("high", 2, False)
    assert agent["configuration"]["retry_attempts"] == 3
    assert agent["configuration"]["timeout_seconds"] == 300
    assert agent["tools"] == ["calculator"]
    assert agent["model_config"]["temperature"] == 0.2
    assert (agent["use_custom_persona"], agent["custom_persona_prompt"]) == (True, "You are Ada.")
    assert agent["model_usage_stats"]["total_requests"] == 0
    assert agent["workspace_id"] == str(desk.workspace_id)
    assert agent["created_by"] == "local user"
    assert (await desk.ask("GET", f"/{agent['id']}")).json() == agent
    assert await desk.audit() == [("agent.created", {"name": "Ada"})]


@pytest.mark.capability("S002")
@pytest.mark.capability("S011")
async def test_a_name_is_taken_once_in_a_workspace_and_free_in_others(desk: AgentDeps) -> None:
    await desk.create("Ada")
    await (await desk.neighbour()).create("Ada")

    again = await desk.ask("POST", json={"name": "ADA"})

    assert (again.status_code, again.json()["code"]) == (409, "agent_name_taken")
    assert "'ADA'" in again.json()["detail"]
    assert (await desk.ask("GET")).json()["total"] == 1
    other = await desk.create("Grace")
    renamed = await desk.ask("PUT", f"/{other['id']}", json={"name": "ada", "description": "x"})
    assert (renamed.status_code, renamed.json()["code"]) == (409, "agent_name_taken")
    assert (await desk.ask("GET", f"/{other['id']}")).json()["description"] is None


async def test_of_two_at_once_with_one_name_one_is_made(desk: AgentDeps) -> None:
    made = await asyncio.gather(*(desk.ask("POST", json={"name": "Ada"}) for _ in range(5)))
    assert sorted(response.status_code for response in made) == [201, 409, 409, 409, 409]


@pytest.mark.capability("S012")
async def test_the_list_pages_with_a_total(desk: AgentDeps) -> None:
    for name in ("A", "B", "C"):
        await desk.create(name)

    page = (await desk.ask("GET", params={"skip": 1, "limit": 1})).json()

    assert ([agent["name"] for agent in page["items"]], page["total"], page["skip"], page["limit"]) == (["B"], 3, 1, 1)
    whole = (await desk.ask("GET")).json()
    assert (len(whole["items"]), whole["skip"], whole["limit"]) == (3, 0, 100)
    assert (await desk.ask("GET", params={"skip": 9})).json()["total"] == 3
    assert (await desk.ask("GET", params={"limit": 1000})).status_code == 200
    for wrong in ({"limit": 1001}, {"limit": 0}, {"skip": -1}, {"skip": 10**30}, {"limit": "x"}):
        assert (await desk.ask("GET", params=wrong)).status_code == 422


@pytest.mark.capability("S013")
async def test_the_list_is_filtered(desk: AgentDeps) -> None:
    await desk.create("Data Minder", agent_type="data_analyst", configuration={"priority_level": "critical"})
    await desk.create("Ops", agent_type="infrastructure_manager", description="Keeps 100% of_the lights on")
    on = await desk.create("On")
    assert (await desk.ask("POST", f"/{on['id']}/activate")).status_code == 200

    async def names(**params: str) -> list[str]:
        return [agent["name"] for agent in (await desk.ask("GET", params=params)).json()["items"]]

    assert await names(status="active") == ["On"]
    assert await names(agent_type="data_analyst") == ["Data Minder"]
    assert await names(priority_level="critical") == ["Data Minder"]
    assert await names(search="MIND") == ["Data Minder"]
    assert await names(search="LIGHTS") == ["Ops"]
    assert await names(search="0% of_") == ["Ops"]
    assert await names(search="%") == ["Ops"]
    assert await names(search="_") == ["Ops"]
    assert await names(search="\\") == []
    assert await names(search="data", status="active") == []
    for wrong in ({"status": "busy"}, {"agent_type": "x"}, {"priority_level": "x"}, {"search": "\x00"},
                  {"search": "x" * 201}):
        assert (await desk.ask("GET", params=wrong)).status_code == 422


@pytest.mark.capability("S015")
async def test_a_change_touches_what_it_names(desk: AgentDeps) -> None:
    agent = await desk.create("Ada", configuration={"retry_attempts": 0}, tags=["a"])

    changed = await desk.ask("PUT", f"/{agent['id']}", json={
        "description": "New", "tags": ["B", "c, b"], "tools": ["research"], "marketplace_category": "HR",
        "configuration": {"performance_monitoring": False}, "model_config": {"provider": "demo", "model_id": "demo"},
        "custom_persona_prompt": "Be brief.", "use_custom_persona": True, "status": "active",
    })

    assert changed.status_code == 200, changed.text
    assert changed.headers["ETag"] == '"2"'
    now = changed.json()
    assert (now["name"], now["description"], now["tags"], now["tools"]) == ("Ada", "New", ["b", "c"], ["research"])
    assert now["configuration"]["retry_attempts"] == 0
    assert now["configuration"]["performance_monitoring"] is False
    assert (now["status"], now["marketplace_category"], now["use_custom_persona"]) == ("active", "HR", True)
    assert now["updated_at"] > agent["updated_at"]
    assert [action for action, _ in await desk.audit()] == ["agent.created", "agent.updated", "agent.status_changed"]
    cleared = (await desk.ask("PUT", f"/{agent['id']}", json={"model_config": None, "description": None})).json()
    assert (cleared["model_config"], cleared["description"]) == (None, None)


async def test_saving_what_is_stored_changes_nothing(desk: AgentDeps) -> None:
    agent = await desk.create("Ada", tags=["a"])
    same = await desk.ask("PUT", f"/{agent['id']}", json={"name": "Ada", "tags": "A", "configuration": {}})
    assert same.json() == agent
    assert len(await desk.audit()) == 1


async def test_a_stale_save_is_refused_with_what_is_stored(desk: AgentDeps) -> None:
    agent = await desk.create("Ada")
    path = f"/{agent['id']}"
    first = await desk.ask("PUT", path, json={"description": "one"}, headers={"If-Match": '"1"'})
    assert first.status_code == 200

    late = await desk.ask("PUT", path, json={"description": "two"}, headers={"If-Match": '"1"'})

    assert (late.status_code, late.json()["code"]) == (412, "stale_edit")
    assert late.json()["current"] == first.json()
    for tag in ('W/"2"', "*", '"1", "2"'):
        same = await desk.ask("PUT", path, json={"description": "one"}, headers={"If-Match": tag})
        assert same.status_code == 200
    for tag in ("nonsense", '""', '"' + "9" * 500 + '"', "٣"):
        answer = await desk.ask("PUT", path, json={"description": "x"}, headers={"If-Match": tag.encode()})
        assert answer.status_code == 412


@pytest.mark.capability("S016")
async def test_a_removed_agent_is_gone_and_its_name_free(desk: AgentDeps) -> None:
    agent = await desk.create("Ada")

    assert (await desk.ask("DELETE", f"/{agent['id']}")).status_code == 204

    assert (await desk.ask("GET", f"/{agent['id']}")).status_code == 404
    assert (await desk.ask("DELETE", f"/{agent['id']}")).status_code == 404
    assert [action for action, _ in await desk.audit()] == ["agent.created", "agent.deleted"]
    await desk.create("Ada")


async def test_an_agent_in_use_is_not_removed(desk: AgentDeps) -> None:
    agent = await desk.create("Ada")
    desk.used_by += [Dependent("recipe", "weekly", "Weekly report"), Dependent("heartbeat", "e1", "Monday")]

    refused = await desk.ask("DELETE", f"/{agent['id']}")

    assert (refused.status_code, refused.json()["code"]) == (409, "agent_in_use")
    assert "Weekly report" in refused.json()["detail"]
    assert refused.json()["dependents"][1] == {"kind": "heartbeat", "id": "e1", "name": "Monday"}
    assert (await desk.ask("GET", f"/{agent['id']}")).status_code == 200


@pytest.mark.capability("S021")
async def test_agents_of_another_workspace_are_like_absent_ones(desk: AgentDeps, database: Any) -> None:
    agent = await desk.create("Ada")
    stranger = desk.elsewhere(new_id())
    for method, path, body in (("GET", "", None), ("PUT", "", {"name": "Mine"}), ("DELETE", "", None),
                               ("POST", "/activate", None), ("POST", "/deactivate", None)):
        foreign = await stranger.ask(method, f"/{agent['id']}{path}", json=body)
        absent = await stranger.ask(method, f"/{2**31 - 1}{path}", json=body)
        assert (foreign.status_code, absent.status_code) == (404, 404)
        assert foreign.json()["code"] == absent.json()["code"] == "agent_not_found"
        said = [answer.json()["detail"] for answer in (foreign, absent)]
        assert said[0].replace(str(agent["id"]), "N") == said[1].replace(str(2**31 - 1), "N")
    assert (await stranger.ask("GET")).json()["total"] == 0
    assert (await desk.ask("GET", f"/{agent['id']}")).json() == agent


async def test_viewers_read_and_change_nothing(desk: AgentDeps) -> None:
    agent = await desk.create("Ada")
    viewer = desk.as_role(Role.VIEWER)
    assert (await viewer.ask("GET")).status_code == 200
    assert (await viewer.ask("GET", f"/{agent['id']}")).status_code == 200
    assert (await viewer.ask("GET", "/types")).status_code == 200
    for method, path in (("POST", ""), ("PUT", f"/{agent['id']}"), ("DELETE", f"/{agent['id']}"),
                         ("POST", f"/{agent['id']}/activate"), ("POST", f"/{agent['id']}/deactivate")):
        assert (await viewer.ask(method, path, json={"name": "X"})).status_code == 403


async def test_list_readers_are_told_after_a_change(desk: AgentDeps) -> None:
    agent = await desk.create("Ada")
    await desk.ask("DELETE", f"/{agent['id']}")
    async with asyncio.timeout(60):
        while desk.app.state.services.bus.rung.count((desk.workspace_id, "agents")) < 2:
            await asyncio.sleep(0.01)
    assert desk.app.state.services.bus.rung.count((desk.workspace_id, "agents")) == 2


async def test_the_tools_an_agent_can_be_granted_are_listed(desk: AgentDeps) -> None:
    viewer = {"Authorization": f"Bearer viewer:{desk.workspace_id}"}
    answer = await desk.client.get("/api/tools/builtin", headers=viewer)
    listed = {tool["name"]: tool for tool in answer.json()["items"]}
    assert answer.json()["total"] == len(listed)
    assert listed["calculator"]["is_available"] is True
    assert listed["calculator"]["parameters"]["required"] == ["expression"]
    assert listed["shell"]["is_available"] is False
    assert listed["shell"]["off_reason"]
