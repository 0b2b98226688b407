"""Several agents at once: made all or none, or acted on each by itself; and what one creation takes along."""

import asyncio
from random import Random
from typing import Any

import pytest

from automatos.agents.types import Dependent
from automatos.workspaces.types import Role
from tests.agents.conftest import AgentDeps
from tests.lifecycle.references import References


@pytest.mark.capability("S001")
@pytest.mark.capability("S010", partly="Plugins cannot be given yet.")
@pytest.mark.capability("S014", partly="Plugins are always empty.")
@pytest.mark.capability("S022", partly="There is no app cache and no marketplace to join yet.")
async def test_an_agent_is_made_with_everything_in_one_step(desk: AgentDeps) -> None:
    skill, persona = await desk.skill("review"), await desk.persona("helper")

    agent = await desk.create(
        "Ada", description="Finds bugs", agent_type="security_expert", tags="web, API", skill_ids=[skill],
        persona_id=persona, tools=["calculator"], configuration={"priority_level": "high"}, activate=True,
        model_config={"provider": "demo", "model_id": "demo"})

    assert (agent["status"], agent["version"], agent["priority_level"]) == ("active", 1, "high")
    assert agent["persona"] == {"id": persona, "slug": "helper", "name": "Helper", "category": "Support",
                                "scope": "workspace"}
    assert ([one["name"] for one in agent["skills"]], agent["use_custom_persona"]) == (["review"], False)
    assert (agent["granted_tools"][0]["name"], agent["granted_tools"][0]["is_available"]) == ("calculator", True)
    assert agent["granted_tools"][0]["description"]
    assert (agent["plugins"], agent["workload"]) == ([], {"running": 0, "queued": 0})
    assert agent["model_usage_stats"]["total_cost"] == "0"
    assert agent["performance_metrics"]["success_rate"] is None
    assert (await desk.ask("GET", f"/{agent['id']}")).json() == agent
    assert (await desk.ask("GET")).json()["items"] == [agent]
    assert [action for action, _ in await desk.audit()] == ["agent.created", "agent.status_changed"]


@pytest.mark.parametrize(("body", "code"), [
    ({"skill_ids": [2**31 - 1]}, "unknown_skills"), ({"tools": ["rm"]}, "unknown_tools"),
    ({"tools": ["shell"], "activate": True}, "agent_not_ready"),
    ({"model_config": {"provider": "nobody", "model_id": "x"}, "activate": True}, "agent_not_ready"),
])
async def test_what_cannot_be_made_whole_is_not_made(desk: AgentDeps, body: dict[str, Any], code: str) -> None:
    refused = await desk.ask("POST", json={"name": "Ada", **body})
    assert refused.json()["code"] == code
    assert (await desk.ask("GET")).json()["total"] == 0
    assert await desk.audit() == []
    async with desk.database.recording(desk.workspace_id) as connection:
        assert await connection.fetchval("SELECT count(*) FROM agent_versions") == 0
    await desk.create("Ada")


@pytest.mark.capability("S020")
@pytest.mark.capability("S059")
async def test_a_bare_array_says_the_same_as_the_object(desk: AgentDeps) -> None:
    skill = await desk.skill("review")
    made = await desk.ask("POST", "/bulk", json=[{"name": "A"}, {"name": "B", "skill_ids": [skill]}])
    assert (made.status_code, [one["name"] for one in made.json()["items"]]) == (201, ["A", "B"])
    first = made.json()["items"][0]
    given = await desk.ask("POST", f"/{first['id']}/skills", json=[skill])
    assert [one["id"] for one in given.json()["items"]] == [skill]
    wrong = await desk.ask("POST", "/bulk", json=[{"name": "C"}, {"name": ""}])
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "agents.1.name")
    assert (await desk.ask("POST", "/bulk", json=[])).status_code == 422
    assert (await desk.ask("POST", f"/{first['id']}/skills", json=["x"])).status_code == 422


@pytest.mark.capability("S020")
async def test_several_are_made_or_none(desk: AgentDeps) -> None:
    skill = await desk.skill("review")
    made = await desk.ask("POST", "/bulk", json={"agents": [
        {"name": "A", "tools": ["calculator"], "skill_ids": [skill]}, {"name": "B", "activate": True}]})
    assert made.status_code == 201, made.text
    assert made.json()["total"] == 2
    assert [(one["name"], one["tools"], len(one["skills"]), one["status"]) for one in made.json()["items"]] == [
        ("A", ["calculator"], 1, "inactive"), ("B", [], 0, "active")]

    for second, code, field in (
        ({"name": "a"}, "agent_name_taken", "agents.1.name"), ({"name": "C"}, "agent_name_taken", "agents.1.name"),
        ({"name": "D", "tools": ["rm"]}, "unknown_tools", "agents.1.tools"),
        ({"name": "D", "skill_ids": [2**31 - 1]}, "unknown_skills", "agents.1.skills"),
        ({"name": "D", "tools": ["shell"], "activate": True}, "agent_not_ready", None),
    ):
        refused = await desk.ask("POST", "/bulk", json={"agents": [{"name": "C"}, second]})
        assert (refused.json()["code"], refused.json()["index"], refused.json().get("field")) == (code, 1, field)
        assert refused.json()["detail"].startswith("agents.1: ")
    wrong = await desk.ask("POST", "/bulk", json={"agents": [{"name": "C"}, {"name": 5}]})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "agents.1.name")
    for body in ({"agents": []}, {"agents": [{"name": f"N{n}"} for n in range(101)]}, {}, []):
        assert (await desk.ask("POST", "/bulk", json=body)).status_code == 422
    assert (await desk.ask("GET")).json()["total"] == 2
    assert (await desk.as_role(Role.VIEWER).ask("POST", "/bulk", json={"agents": [{"name": "V"}]})).status_code == 403


async def act(desk: AgentDeps, action: str, ids: list[int], **more: Any) -> list[str | None]:
    """Act on agents and return, in order, the code of each refusal or None."""
    answer = await desk.ask("POST", "/bulk/actions", json={"action": action, "agent_ids": ids} | more)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert [item["id"] for item in told["items"]] == list(dict.fromkeys(ids))
    assert told["succeeded"] == sum(item["ok"] for item in told["items"])
    assert told["failed"] == len(told["items"]) - told["succeeded"]
    return [item["error"]["code"] if item["error"] else None for item in told["items"]]


async def test_each_agent_is_acted_on_by_itself(desk: AgentDeps) -> None:
    able, unable = await desk.create("Able"), await desk.create("Unable", tools=["shell"])
    foreign = await (await desk.neighbour()).create("Foreign")
    ids = [able["id"], unable["id"], foreign["id"], able["id"]]

    assert await act(desk, "activate", ids) == [None, "agent_not_ready", "agent_not_found"]
    assert await act(desk, "pause", ids) == [None, "status_change_refused", "agent_not_found"]
    assert await act(desk, "deactivate", ids) == [None, None, "agent_not_found"]
    assert await act(desk, "tag", ids, tags="Web, API") == [None, None, "agent_not_found"]
    assert await act(desk, "tag", ids[:1], tags=["web", "new"]) == [None]
    assert await act(desk, "untag", ids, tags=["web", "absent"]) == [None, None, "agent_not_found"]

    now = {agent["name"]: agent for agent in (await desk.ask("GET")).json()["items"]}
    assert (now["Able"]["tags"], now["Able"]["version"], now["Unable"]["tags"]) == (["api", "new"], 4, ["api"])
    assert now["Able"]["status"] == "inactive"
    assert await act(desk, "delete", ids) == [None, None, "agent_not_found"]
    assert (await desk.ask("GET")).json()["total"] == 0


async def test_actions_on_the_same_agents_in_another_order_do_not_block_each_other(desk: AgentDeps) -> None:
    ids = [(await desk.create(f"Agent {number}"))["id"] for number in range(12)]
    tags = [f"tag-{number}" for number in range(6)]

    answers = await asyncio.gather(
        *(act(desk, "tag", ids[::-1] if number % 2 else ids, tags=[tag]) for number, tag in enumerate(tags)))

    assert answers == [[None] * len(ids)] * len(tags)
    assert all(sorted(agent["tags"]) == tags for agent in (await desk.ask("GET")).json()["items"])


async def test_an_action_with_effects_is_refused_for_the_agent_that_has_them(desk: AgentDeps) -> None:
    agents = [(await desk.create(name, activate=True))["id"] for name in ("A", "B")]
    desk.used_by.append(Dependent("recipe", "weekly", "Weekly report"))
    assert await act(desk, "delete", agents) == ["agent_in_use"] * 2
    await References(desk.database, desk.workspace_id, Random(1), agents).add_work(agents[0], "running")
    assert await act(desk, "deactivate", agents) == ["impact_not_confirmed", None]


@pytest.mark.parametrize("body", [
    {}, {"action": "bury", "agent_ids": [1]}, {"action": "delete", "agent_ids": []},
    {"action": "delete", "agent_ids": [0]}, {"action": "delete", "agent_ids": list(range(1, 202))},
    {"action": "tag", "agent_ids": [1]}, {"action": "tag", "agent_ids": [1], "tags": " , "},
    {"action": "delete", "agent_ids": [1], "tags": ["a"]}, {"action": "tag", "agent_ids": "1", "tags": ["a"]},
])
async def test_an_action_that_makes_no_sense_is_refused(desk: AgentDeps, body: dict[str, Any]) -> None:
    assert (await desk.ask("POST", "/bulk/actions", json=body)).status_code == 422


async def test_more_tags_than_an_agent_may_have_are_refused_for_it(desk: AgentDeps) -> None:
    full = await desk.create("Full", tags=[f"t{number}" for number in range(50)])
    assert await act(desk, "tag", [full["id"]], tags=["t1"]) == [None]
    assert await act(desk, "tag", [full["id"]], tags=["more"]) == ["invalid_request"]
    assert (await desk.ask("GET", f"/{full['id']}")).json()["version"] == 1


async def test_viewers_act_on_nothing(desk: AgentDeps) -> None:
    agent = await desk.create("Ada")
    body = {"action": "delete", "agent_ids": [agent["id"]]}
    assert (await desk.as_role(Role.VIEWER).ask("POST", "/bulk/actions", json=body)).status_code == 403
    assert (await desk.as_role(Role.VIEWER).ask("GET", "/stats")).status_code == 200
