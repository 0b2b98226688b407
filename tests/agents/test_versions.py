"""Every save of an agent is a version: listed, compared, restored."""


from automatos.agents.transfer import changes_between
from automatos.kernel.ids import new_id
from automatos.workspaces.types import Role
from tests.agents.conftest import AgentDeps


async def test_every_save_is_a_version_and_status_moves_are_none(desk: AgentDeps) -> None:
    skill = await desk.skill("review")
    agent = await desk.create("Ada", tags=["a"], tools=["calculator"], configuration={"timeout_seconds": 60})
    path = f"/{agent['id']}"
    await desk.ask("POST", f"{path}/activate")
    await desk.ask("PUT", path, json={"status": "paused"})
    await desk.ask("PUT", path, json={"description": "Reviews code", "tools": ["calculator", "research"]})
    await desk.ask("PUT", path, json={"description": "Reviews code"})
    await desk.ask("POST", f"{path}/skills", json={"skill_ids": [skill]})

    listed = (await desk.ask("GET", f"{path}/versions")).json()

    assert ([one["version"] for one in listed["items"]], listed["total"]) == ([3, 2, 1], 3)
    assert all(one["author"] == "local user" and one["created_at"] for one in listed["items"])
    page = (await desk.ask("GET", f"{path}/versions", params={"limit": 1, "skip": 1})).json()
    assert [one["version"] for one in page["items"]] == [2]
    first = (await desk.ask("GET", f"{path}/versions/1")).json()
    assert first["definition"]["configuration"]["timeout_seconds"] == 60
    assert (first["definition"]["tools"], first["definition"]["skills"]) == (["calculator"], [])
    assert "status" not in first["definition"]
    assert (await desk.ask("GET", f"{path}/versions/3")).json()["definition"]["skills"] == ["review"]
    assert (await desk.ask("GET", path)).headers["ETag"] == '"3"'


async def test_two_versions_are_compared_setting_by_setting(desk: AgentDeps) -> None:
    agent = await desk.create("Ada", tools=["calculator"])
    path = f"/{agent['id']}"
    await desk.ask("PUT", path, json={
        "tools": ["research"], "configuration": {"timeout_seconds": 90, "resource_limits": {"memory_mb": 2048}},
        "model_config": {"provider": "demo", "model_id": "demo", "temperature": 0.5}})

    told = (await desk.ask("GET", f"{path}/versions/2/diff", params={"against": 1})).json()

    assert (told["from"], told["to"]) == (1, 2)
    assert told["changes"] == [
        {"path": "/configuration/resource_limits/memory_mb", "before": 1024, "after": 2048},
        {"path": "/configuration/timeout_seconds", "before": 300, "after": 90},
        {"path": "/model_config/model_id", "before": None, "after": "demo"},
        {"path": "/model_config/provider", "before": None, "after": "demo"},
        {"path": "/model_config/temperature", "before": None, "after": 0.5},
        {"path": "/tools", "before": ["calculator"], "after": ["research"]},
    ]
    back = (await desk.ask("GET", f"{path}/versions/1/diff", params={"against": 2})).json()
    assert back["changes"][1] == {"path": "/configuration/timeout_seconds", "before": 90, "after": 300}
    assert (await desk.ask("GET", f"{path}/versions/2/diff", params={"against": 2})).json()["changes"] == []


def test_names_with_slashes_stay_one_step_of_a_path() -> None:
    assert [change.path for change in changes_between({"a/b": {"~c": 1}}, {"a/b": {"~c": 2}})] == ["/a~1b/~0c"]
    assert [change.after for change in changes_between({"a": 1}, {"a": {"b": 2}})] == [{"b": 2}]


async def test_a_version_is_restored_as_the_next_one(desk: AgentDeps) -> None:
    skill, persona = await desk.skill("review"), await desk.persona("helper")
    agent = await desk.create("Ada", description="One", skill_ids=[skill], persona_id=persona, tags=["a"],
                              model_config={"provider": "demo", "model_id": "demo"}, tools=["calculator"])
    path = f"/{agent['id']}"
    await desk.ask("POST", f"{path}/activate")
    await desk.ask("PUT", path, json={"name": "Eve", "description": None, "skill_ids": [], "persona_id": None,
                                      "tags": [], "model_config": None, "tools": []})

    restored = await desk.ask("POST", f"{path}/versions/1/restore")

    assert restored.status_code == 200, restored.text
    now = restored.json()
    assert (now["version"], now["status"], restored.headers["ETag"]) == (3, "active", '"3"')
    same = ("name", "description", "skills", "persona", "tags", "model_config", "tools", "configuration")
    assert {name: now[name] for name in same} == {name: agent[name] for name in same}
    again = await desk.ask("POST", f"{path}/versions/3/restore")
    assert again.json()["version"] == 3


async def test_what_is_gone_by_now_is_named_when_a_version_is_restored(desk: AgentDeps) -> None:
    skill = await desk.skill("review")
    agent = await desk.create("Ada", skill_ids=[skill])
    path = f"/{agent['id']}"
    await desk.ask("PUT", path, json={"skill_ids": [], "name": "Eve"})
    async with desk.database.recording(desk.workspace_id) as connection:
        await connection.execute("DELETE FROM skills WHERE id = $1", skill)
    refused = await desk.ask("POST", f"{path}/versions/1/restore")
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_skills")
    assert refused.json()["unknown"] == ["review"]
    await desk.create("Ada")
    await desk.skill("review")
    taken = await desk.ask("POST", f"{path}/versions/1/restore")
    assert (taken.status_code, taken.json()["code"]) == (409, "agent_name_taken")
    assert (await desk.ask("GET", path)).json()["version"] == 2


async def test_versions_that_are_not_there_and_foreign_ones_are_absent(desk: AgentDeps) -> None:
    agent = await desk.create("Ada")
    path, stranger = f"/{agent['id']}", desk.elsewhere(new_id())
    for asker, code in ((desk, "agent_version_not_found"), (stranger, "agent_not_found")):
        for method, rest in (("GET", "/versions/9"), ("GET", "/versions/9/diff?against=1"),
                             ("GET", "/versions/1/diff?against=9"), ("POST", "/versions/9/restore")):
            answer = await asker.ask(method, path + rest)
            assert (answer.status_code, answer.json()["code"]) == (404, code), rest
    assert (await stranger.ask("GET", f"{path}/versions")).status_code == 404
    for wrong in ("0", "-1", "x", "9" * 30, "1.5"):
        assert (await desk.ask("GET", f"{path}/versions/{wrong}")).status_code in {404, 422}
        assert (await desk.ask("GET", f"{path}/versions/1/diff", params={"against": wrong})).status_code == 422
    assert (await desk.as_role(Role.VIEWER).ask("GET", f"{path}/versions/1")).status_code == 200
    assert (await desk.as_role(Role.VIEWER).ask("POST", f"{path}/versions/1/restore")).status_code == 403
