"""The parts of an agent that are saved by themselves: model, persona, skills, configuration."""

from typing import Any

import httpx2
import pytest

from automatos.agents.router import second_address
from automatos.agents.service import load_for_run
from automatos.kernel.ids import new_id
from automatos.workspaces.types import Role
from tests.agents.conftest import AgentDeps
from tests.surface import Client, Make

MODEL = {"provider": "demo", "model_id": "demo", "temperature": 0.5}
NOWHERE = "01890000-0000-7000-8000-000000000000"


@pytest.mark.capability("S033")
@pytest.mark.capability("S034")
async def test_both_addresses_of_the_model_settings_are_one(desk: AgentDeps) -> None:
    desk.app.include_router(second_address)
    agent = await desk.create("Ada")
    path, told = f"/{agent['id']}/model-config", {"Authorization": f"Bearer editor:{desk.workspace_id}"}
    second = f"/api/models/agents/{agent['id']}/config"
    assert (await desk.ask("GET", path)).json() == {"agent_id": agent["id"], "model_config": None}

    saved = await desk.ask("PUT", path, json=MODEL | {"max_tokens": 100, "fallback_model_id": "other"})
    read: httpx2.Response = await desk.client.get(second, headers=told)
    assert (saved.status_code, read.json(), read.headers["ETag"]) == (200, saved.json(), saved.headers["ETag"])
    assert saved.json()["model_config"]["max_tokens"] == 100

    changed = await desk.client.put(second, json=MODEL, headers=told)
    assert changed.json()["model_config"]["max_tokens"] is None
    assert (await desk.ask("GET", f"/{agent['id']}")).json()["model_config"] == changed.json()["model_config"]
    assert (await desk.ask("GET", path)).headers["ETag"] == '"3"'
    stale = await desk.client.put(second, json=MODEL | {"top_p": 0.5}, headers=told | {"If-Match": '"2"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "stale_edit")
    for wrong in ({}, {"provider": "demo"}, MODEL | {"temperature": 3}, MODEL | {"api_key": "x"}, [], "demo", None):
        assert (await desk.ask("PUT", path, json=wrong)).status_code == 422


@pytest.mark.capability("S009")
@pytest.mark.capability("S050")
@pytest.mark.capability("S051")
async def test_both_ways_to_have_a_voice_survive_a_round_trip(desk: AgentDeps) -> None:
    persona = await desk.persona("helper")
    agent = await desk.create("Ada")
    path = f"/{agent['id']}/persona"
    nothing = {"agent_id": agent["id"], "persona_id": None, "persona_name": None, "persona_slug": None,
               "system_prompt": None, "voice_description": None, "custom_persona_prompt": None,
               "use_custom_persona": False}
    assert (await desk.ask("GET", path)).json() == nothing

    async def put(**body: Any) -> dict[str, Any]:
        answer = await desk.ask("PUT", path, json=body)
        assert answer.status_code == 200, answer.text
        assert (await desk.ask("GET", path)).json() == answer.json()
        return answer.json()

    predefined = await put(persona_id=persona, use_custom=False)
    assert predefined == nothing | {
        "persona_id": persona, "persona_name": "Helper", "persona_slug": "helper", "system_prompt": "You are helper.",
        "voice_description": "Calm"}
    assert (await desk.ask("GET", f"/{agent['id']}")).json()["persona"]["scope"] == "workspace"
    custom = await put(custom_prompt="You are Ada.", use_custom=True)
    assert custom == nothing | {
        "system_prompt": "You are Ada.", "custom_persona_prompt": "You are Ada.", "use_custom_persona": True}
    both = await put(persona_id=persona, custom_prompt="You are Ada.", use_custom=False)
    assert (both["system_prompt"], both["custom_persona_prompt"]) == ("You are helper.", "You are Ada.")
    textless = await put(persona_id=persona, use_custom=True)
    assert textless["system_prompt"] == "You are helper."
    spec = (await load_for_run(desk.database, desk.workspace_id, [agent["id"]]))[0]
    assert spec.persona is not None
    assert (spec.persona.source, spec.persona.system_prompt) == ("predefined", "You are helper.")
    assert await put(persona_id=None, custom_prompt=None) == nothing
    assert (await desk.ask("GET", f"/{agent['id']}/versions")).json()["total"] == 6


@pytest.mark.capability("S050")
async def test_a_persona_that_is_not_there_foreign_or_off_is_refused(desk: AgentDeps) -> None:
    agent = await desk.create("Ada")
    foreign = await desk.neighbour()
    for persona in (NOWHERE, await foreign.persona("theirs"), await desk.persona("off", is_active=False)):
        answer = await desk.ask("PUT", f"/{agent['id']}/persona", json={"persona_id": persona})
        assert (answer.status_code, answer.json()["code"]) == (404, "persona_not_found")
        for method, path in (("POST", ""), ("PUT", f"/{agent['id']}")):
            refused = await desk.ask(method, path, json={"name": "New", "persona_id": persona})
            assert (refused.status_code, refused.json()["code"]) == (422, "unknown_persona")
            assert persona in refused.json()["detail"]
    for wrong in ({"persona_id": "x"}, {"persona_id": 5}, {"use_custom": "yes"}, {"custom_prompt": "x" * 100_001},
                  {"custom_prompt": "a\x00"}, {"system_prompt": "x"}):
        assert (await desk.ask("PUT", f"/{agent['id']}/persona", json=wrong)).status_code == 422
    assert (await desk.ask("GET")).json()["total"] == 1
    assert (await desk.ask("GET", f"/{agent['id']}")).json() == agent


@pytest.mark.capability("S059")
async def test_skills_are_added_once_in_order_replaced_and_taken_away(desk: AgentDeps) -> None:
    one, two, three = [await desk.skill(name) for name in ("zeta", "beta", "alpha")]
    agent = await desk.create("Ada", skill_ids=[one])
    path = f"/{agent['id']}/skills"

    async def names(answer: httpx2.Response) -> list[str]:
        assert answer.status_code == 200, answer.text
        assert answer.json()["total"] == len(answer.json()["items"])
        return [skill["name"] for skill in answer.json()["items"]]

    assert await names(await desk.ask("POST", path, json={"skill_ids": [two, one, two]})) == ["zeta", "beta"]
    assert await names(await desk.ask("POST", path, json={"skill_ids": [three]})) == ["zeta", "beta", "alpha"]
    assert await names(await desk.ask("POST", path, json={"skill_ids": [three, one], "replace": True})) == [
        "alpha", "zeta"]
    assert (await desk.ask("DELETE", f"{path}/{three}")).status_code == 204
    listed = await desk.ask("GET", path)
    assert await names(listed) == ["zeta"]
    assert listed.json()["items"][0] == {
        "id": one, "name": "zeta", "description": "Does zeta", "skill_type": "technical", "category": "development",
        "source": "manual", "is_active": True, "core_tokens": 40}
    gone = await desk.ask("DELETE", f"{path}/{three}")
    assert (gone.status_code, gone.json()["code"]) == (404, "skill_not_assigned")
    again = await desk.ask("POST", path, json={"skill_ids": [one]})
    assert again.headers["ETag"] == (await desk.ask("GET", f"/{agent['id']}")).headers["ETag"] == '"5"'
    assert await names(await desk.ask("POST", path, json={"skill_ids": [], "replace": True})) == []


@pytest.mark.capability("S059")
@pytest.mark.capability("S168")
async def test_skills_that_are_not_there_foreign_or_off_are_named(desk: AgentDeps) -> None:
    good = await desk.skill("good")
    agent = await desk.create("Ada", skill_ids=[good])
    foreign = await (await desk.neighbour()).skill("theirs")
    off = await desk.skill("off", is_active=False)
    for method, path in (("POST", f"/{agent['id']}/skills"), ("POST", ""), ("PUT", f"/{agent['id']}")):
        name = {} if path.endswith("skills") else {"name": "New"}
        refused = await desk.ask(method, path, json=name | {"skill_ids": [good, foreign, off, 2**31 - 1]})
        assert (refused.status_code, refused.json()["code"]) == (422, "unknown_skills")
        assert refused.json()["unknown"] == [foreign, off, 2**31 - 1]
    for wrong in ({}, {"skill_ids": ["1"]}, {"skill_ids": [True]}, {"skill_ids": [0]}, {"skill_ids": 5},
                  {"skill_ids": list(range(1, 52))}, {"skill_ids": [good], "replace": 1}):
        assert (await desk.ask("POST", f"/{agent['id']}/skills", json=wrong)).status_code == 422
    assert (await desk.ask("GET", f"/{agent['id']}")).json() == agent
    async with desk.database.recording(desk.workspace_id) as connection:
        await connection.execute("DELETE FROM skills WHERE id = $1", good)
    assert (await desk.ask("GET", f"/{agent['id']}")).json()["skills"] == []


async def test_an_agent_has_at_most_fifty_skills(desk: AgentDeps) -> None:
    skills = [await desk.skill(f"skill-{number}") for number in range(51)]
    agent = await desk.create("Ada", skill_ids=skills[:50])
    refused = await desk.ask("POST", f"/{agent['id']}/skills", json={"skill_ids": skills[50:]})
    assert (refused.status_code, refused.json()["field"]) == (422, "skill_ids")


@pytest.mark.capability("S023")
@pytest.mark.capability("S024")
@pytest.mark.capability("S025")
@pytest.mark.capability("S026")
@pytest.mark.capability("S027")
@pytest.mark.capability("S028")
@pytest.mark.capability("S029")
@pytest.mark.capability("S030")
@pytest.mark.capability("S031")
async def test_settings_are_changed_one_by_one(desk: AgentDeps) -> None:
    agent = await desk.create("Ada", tools=["calculator"])
    path = f"/{agent['id']}/config"
    assert agent["configuration"]["resource_limits"] == {
        "memory_mb": 1024, "cpu_percent": 50, "network_bandwidth": 100}
    for part in (
        {"priority_level": "critical"}, {"max_concurrent_tasks": 10}, {"auto_start": True}, {"retry_attempts": 0},
        {"timeout_seconds": 3600}, {"resource_limits": {"memory_mb": 64}}, {"environment": "staging"},
        {"logging_level": "debug"}, {"performance_monitoring": False}, {"max_iterations": 3},
        {"resource_limits": {"cpu_percent": 10, "network_bandwidth": 5}},
        {"environment_note": " Nobody is real here. "},
    ):
        answer = await desk.ask("PUT", path, json=part)
        assert answer.status_code == 200, answer.text
    now = answer.json()
    assert now["configuration"] == agent["configuration"] | {
        "priority_level": "critical", "max_concurrent_tasks": 10, "auto_start": True, "retry_attempts": 0,
        "timeout_seconds": 3600, "environment": "staging", "logging_level": "debug", "performance_monitoring": False,
        "environment_note": "Nobody is real here.", "max_iterations": 3,
        "resource_limits": {"memory_mb": 64, "cpu_percent": 10, "network_bandwidth": 5}}
    assert (now["priority_level"], now["max_concurrent_tasks"], now["auto_start"]) == ("critical", 10, True)
    for wrong in ({"retry_attempts": 6}, {"resource_limits": {"memory_mb": 1}}, {"heartbeat": {"often": 1}},
                  {"tags": []}, [], 5):
        assert (await desk.ask("PUT", path, json=wrong)).status_code == 422
    assert (await desk.ask("GET", f"/{agent['id']}")).json() == now


@pytest.mark.capability("S024")
async def test_the_lane_is_as_wide_as_the_agent_may_work(desk: AgentDeps) -> None:
    async def lane() -> tuple[int, str]:
        async with desk.database.recording(desk.workspace_id) as connection:
            row = await connection.fetchrow("SELECT capacity, mode FROM durable.lanes WHERE name = $1", name)
        assert row is not None
        return row["capacity"], row["mode"]

    agent = await desk.create("Ada", configuration={"max_concurrent_tasks": 2}, activate=True)
    name = f"agent:{agent['id']}"
    assert (agent["status"], await lane()) == ("active", (2, "open"))
    await desk.ask("PUT", f"/{agent['id']}/config", json={"max_concurrent_tasks": 7})
    assert await lane() == (7, "open")
    await desk.ask("PUT", f"/{agent['id']}", json={"configuration": {"max_concurrent_tasks": 1}, "status": "paused"})
    assert await lane() == (1, "held")


async def test_an_active_agent_keeps_being_able_to_work(desk: AgentDeps) -> None:
    agent = await desk.create("Ada", activate=True)
    path = f"/{agent['id']}"
    for rest, body in (("/model-config", MODEL | {"provider": "nobody"}), ("/config", {"tools": ["shell"]})):
        refused = await desk.ask("PUT", path + rest, json=body)
        assert (refused.status_code, refused.json()["code"]) == (409, "agent_not_ready")
    assert (await desk.ask("GET", path)).json() == agent
    stopped = await desk.ask("PUT", path, json={"status": "paused", "tools": ["shell"]})
    assert (stopped.status_code, stopped.json()["status"], stopped.json()["tools"]) == (200, "paused", ["shell"])
    tool = stopped.json()["granted_tools"][0]
    assert (tool["name"], tool["effect"], tool["is_available"]) == ("shell", "write", False)
    assert tool["off_reason"]


@pytest.mark.capability("S021")
async def test_parts_of_foreign_agents_are_absent_and_viewers_read_only(desk: AgentDeps) -> None:
    desk.app.include_router(second_address)
    agent = await desk.create("Ada", model_config=MODEL)
    stranger, viewer = desk.elsewhere(new_id()), desk.as_role(Role.VIEWER)
    for method, part, body in (
        ("GET", "model-config", None), ("PUT", "model-config", MODEL), ("GET", "persona", None),
        ("PUT", "persona", {"custom_prompt": "x", "use_custom": True}), ("GET", "skills", None),
        ("POST", "skills", {"skill_ids": []}), ("DELETE", "skills/1", None), ("PUT", "config", {"retry_attempts": 1}),
    ):
        foreign = await stranger.ask(method, f"/{agent['id']}/{part}", json=body)
        assert (foreign.status_code, foreign.json()["code"]) == (404, "agent_not_found"), part
        assert (await viewer.ask(method, f"/{agent['id']}/{part}", json=body)).status_code == (
            200 if method == "GET" else 403), part
        assert (await desk.ask(method, f"/0/{part}", json=body)).status_code == 422
    assert (await desk.ask("GET", f"/{agent['id']}")).json() == agent


@pytest.mark.capability("S028")
@pytest.mark.capability("S045")
async def test_one_save_of_the_configuration_takes_heartbeat_and_resource_limits(client: Client, make: Make) -> None:
    agent = await make.agent(active=False)
    path = f"/api/agents/{agent['id']}/config"
    heartbeat = f"/api/heartbeat/agents/{agent['id']}/config"
    saved = await client.put(path, json={
        "heartbeat": {"enabled": True, "interval_minutes": 90, "report_to": "orchestrator", "webhook_url": "",
                      "channel_id": "", "checklist": "inbox\norders\n"},
        "resource_limits": {"memory_mb": 256}})
    assert saved.status == 200, saved.body
    own = (await client.get(heartbeat)).json()
    shown = (await client.get(path)).json()

    assert saved.json()["configuration"]["resource_limits"]["memory_mb"] == 256
    assert (own["enabled"], own["interval_minutes"], own["checklist"]) == (True, 90, ["inbox", "orders"])
    assert (shown["heartbeat"], shown["resource_limits"]["memory_mb"]) == (own, 256)

    wrong = await client.put(path, json={"resource_limits": {"memory_mb": 512}, "heartbeat": {"interval_minutes": 0}})
    assert (wrong.status, "heartbeat.interval_minutes" in wrong.json()["detail"]) == (422, True)
    elsewhere = await client.put(path, json={"heartbeat": {"webhook_url": "https://example.com"}})
    assert (elsewhere.status, "webhook_url" in elsewhere.json()["detail"]) == (422, True)
    assert (await client.get(path)).json() == shown


@pytest.mark.capability("S050")
@pytest.mark.capability("S034")
async def test_parts_are_taken_under_the_names_they_are_shown_with(client: Client, make: Make) -> None:
    agent = await make.agent(active=False, model_config=MODEL)
    path = f"/api/agents/{agent['id']}"
    voice = await client.put(f"{path}/persona", json={"custom_persona_prompt": "Be kind.", "use_custom_persona": True})
    assert voice.json()["system_prompt"] == "Be kind."
    both = {"custom_prompt": "One.", "custom_persona_prompt": "Two."}
    assert (await client.put(f"{path}/persona", json=both)).status == 422
    wrapped = await client.put(f"{path}/model-config", json={"model_config": MODEL | {"temperature": 1}})
    assert wrapped.json()["model_config"]["temperature"] == 1
    none = await client.put(f"/api/models{path.removeprefix('/api')}/config", json={"model_config": None})
    assert none.json()["model_config"] is None


@pytest.mark.parametrize(("named", "status"), [
    ({"retry_attempts": 1}, 200), ({"max_concurrent_tasks": 2}, 200), ({"environment": "production"}, 409)])
async def test_an_agent_at_work_is_checked_again_where_a_save_changes_what_it_needs(
    desk: AgentDeps, named: dict[str, Any], status: int
) -> None:
    persona = await desk.persona("calm")
    agent = await desk.create("Ada", persona_id=persona, activate=True)
    async with desk.database.recording(desk.workspace_id) as connection:
        await connection.execute("UPDATE personas SET is_active = false WHERE slug = 'calm'")

    saved = await desk.ask("PUT", f"/{agent['id']}", json={"configuration": named})

    assert saved.status_code == status, saved.text
