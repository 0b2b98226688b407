"""For which workspace: named by path, header or query, else configured, else one's own; membership decides."""

from uuid import UUID, uuid4

import pytest

from automatos.workspaces.types import Role
from tests.workspaces.conftest import Build, House, problem

PROBE = "/api/auth/me"
SOME, OTHER = UUID(int=0x5EED << 64), UUID(int=0x07EA << 64)


@pytest.mark.capability("S157")
async def test_header_then_query_then_setting_then_personal_workspace(build: Build) -> None:
    house = build()
    ada = await house.person()
    first, second, third = [await house.shared(ada) for _ in range(3)]
    configured = build(workspace_id=third)

    async def where(inside: House, query: str = "", **headers: str) -> str:
        answer = await inside.client.get(PROBE + query, headers=ada.cookie | headers)
        return answer.json()["workspace_id"]

    named = {"X-Workspace-ID": str(first)}
    assert await where(configured, f"?workspace_id={second}", **named) == str(first)
    assert await where(configured, f"?workspace_id={second}") == str(second)
    assert await where(configured) == str(third)
    assert await where(house) == str(ada.home)


@pytest.mark.capability("S157")
async def test_default_tenant_is_for_single_user_mode_only(build: Build) -> None:
    tenant = uuid4()
    house, alone = build(default_tenant_id=tenant), build(default_tenant_id=tenant, require_auth=False)
    ada = await house.person()

    assert (await alone.client.get(PROBE)).json()["workspace_id"] == str(tenant)
    assert (await house.client.get(PROBE, headers=ada.cookie)).json()["workspace_id"] == str(ada.home)
    assert problem(await house.client.get(PROBE, headers=ada.at(tenant))) == (403, "not_a_member")


async def test_setting_selects_only_among_memberships(build: Build) -> None:
    house = build()
    ada, eve = await house.person("ada"), await house.person("eve")
    configured = build(workspace_id=await house.shared(ada))

    assert (await configured.client.get(PROBE, headers=eve.cookie)).json()["workspace_id"] == str(eve.home)


@pytest.mark.capability("S158")
@pytest.mark.capability("S160")
async def test_foreign_and_absent_workspaces_answer_alike_and_never_switch(house: House) -> None:
    ada, eve = await house.person("ada"), await house.person("eve")
    key = {"X-API-Key": (await house.key(eve, eve.home))["key"]}

    for credential in (eve.cookie, key):
        answers = []
        for place in (ada.home, uuid4()):
            for path, headers in (
                (PROBE, {"X-Workspace-ID": str(place)}), (f"{PROBE}?workspace_id={place}", {}),
                (f"/api/workspaces/{place}", {}), (f"/api/workspaces/{place}/members", {}),
            ):
                answers.append(await house.client.get(path, headers=credential | headers))
        assert {problem(answer) for answer in answers} == {(403, "not_a_member")}
        assert len({answer.json()["detail"] for answer in answers}) == 1


@pytest.mark.parametrize("named", ["", " ", "0", "null", "undefined", "../x", f"{SOME},{OTHER}", f"{{{SOME}}}",
                                   SOME.hex, "__ALL__", "__all__ "[:6]])
async def test_malformed_workspace_is_a_mistake_and_never_a_default(house: House, named: str) -> None:
    ada = await house.person()

    by_header = await house.client.get(PROBE, headers=ada.cookie | {"X-Workspace-ID": named})
    by_query = await house.client.get(PROBE, params={"workspace_id": named}, headers=ada.cookie)

    assert problem(by_header) == problem(by_query) == (400, "invalid_workspace_id")


async def test_workspace_named_twice_is_refused(house: House) -> None:
    ada = await house.person()
    twice = [("X-Workspace-ID", str(ada.home))] * 2

    by_header = await house.client.get(PROBE, headers=[*ada.cookie.items(), *twice])
    by_query = await house.client.get(f"{PROBE}?workspace_id={ada.home}&workspace_id={ada.home}", headers=ada.cookie)

    assert problem(by_header) == problem(by_query) == (400, "invalid_workspace_id")


async def test_path_names_the_workspace_whatever_the_header_says(house: House) -> None:
    ada, eve = await house.person("ada"), await house.person("eve")

    answer = await house.client.get(f"/api/workspaces/{ada.home}", headers=eve.at(eve.home))

    assert problem(answer) == (403, "not_a_member")


@pytest.mark.capability("S159")
async def test_audit_log_answers_across_workspaces(house: House) -> None:
    root, ada = await house.person("root", system_role="admin"), await house.person()
    await house.key(ada, ada.home, name="planted")

    own = await house.client.get("/api/audit", headers=root.cookie)
    across = await house.client.get("/api/audit", headers=root.cookie | {"X-Workspace-ID": "__all__"})

    assert str(ada.home) not in {item["workspace_id"] for item in own.json()["items"]}
    assert str(ada.home) in {item["workspace_id"] for item in across.json()["items"]}


@pytest.mark.capability("S160")
async def test_tables_show_nothing_of_other_workspaces_even_without_a_filter(house: House) -> None:
    ada, eve = await house.person("ada"), await house.person("eve")
    place = await house.shared(ada, eve=(eve, Role.VIEWER))
    await house.key(ada, place)
    await house.client.post(f"/api/workspaces/{place}/members/invite", json={"email": "x@example.org"},
                            headers=ada.at(place))

    async with house.database.recording(eve.home) as connection:
        for table in ("workspaces", "workspace_members", "workspace_invitations", "api_keys", "audit_log"):
            column = "id" if table == "workspaces" else "workspace_id"
            assert await connection.fetchval(f"SELECT count(*) FROM {table} WHERE {column} <> $1", eve.home) == 0
            assert await connection.fetchval(f"SELECT count(*) FROM {table} WHERE {column} = $1", place) == 0
