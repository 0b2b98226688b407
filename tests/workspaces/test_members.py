"""Members: who may change whom, and that it counts at once."""

import asyncio
from uuid import UUID

import pytest

from automatos.workspaces.types import Role
from tests.workspaces.conftest import House, Person, problem


async def patch(house: House, by: Person, place: UUID, of: Person, role: str):
    return await house.client.patch(f"/api/workspaces/{place}/members/{of.id}", json={"role": role}, headers=by.cookie)


async def remove(house: House, by: Person, place: UUID, of: Person):
    return await house.client.delete(f"/api/workspaces/{place}/members/{of.id}", headers=by.cookie)


async def test_makes_lists_and_renames_workspaces(house: House) -> None:
    ada, eve = await house.person("ada"), await house.person("eve")
    place = await house.shared(ada, eve=(eve, Role.ADMIN))

    listed = (await house.client.get("/api/workspaces", headers=ada.cookie)).json()
    renamed = await house.client.put(f"/api/workspaces/{place}", headers=ada.cookie,
                                     json={"name": "Bakery", "slug": f"bakery-{place.hex}"})
    by_admin = await house.client.put(f"/api/workspaces/{place}", json={"name": "Mine"}, headers=eve.cookie)
    taken = await house.client.put(f"/api/workspaces/{ada.home}", json={"slug": f"bakery-{place.hex}"},
                                   headers=ada.cookie)
    again = await house.client.post("/api/workspaces", json={"name": "B", "slug": f"bakery-{place.hex}"},
                                    headers=ada.cookie)

    assert [each["id"] for each in listed["items"]] == [str(ada.home), str(place)]
    assert (listed["total"], renamed.json()["name"]) == (2, "Bakery")
    assert problem(by_admin) == (403, "role_too_low")
    assert problem(taken) == problem(again) == (409, "slug_taken")
    assert [action for _, action in await house.audit(place)] == ["workspace.created", "workspace.renamed"]


async def test_server_owned_fields_cannot_be_set(house: House) -> None:
    ada = await house.person()
    for field in ("id", "owner_id", "plan_limits", "is_personal", "external_org_id", "role"):
        body = {"name": "X", field: None}
        assert (await house.client.post("/api/workspaces", json=body, headers=ada.cookie)).status_code == 422
        answer = await house.client.put(f"/api/workspaces/{ada.home}", json=body, headers=ada.cookie)
        assert answer.status_code == 422


async def test_keys_own_no_workspaces(house: House) -> None:
    ada = await house.person()
    key = (await house.key(ada, ada.home, role="owner"))["key"]

    made = await house.client.post("/api/workspaces", json={"name": "X"}, headers={"X-API-Key": key})
    listed = (await house.client.get("/api/workspaces", headers={"X-API-Key": key})).json()

    assert problem(made) == (403, "person_required")
    assert [(each["id"], each["role"]) for each in listed["items"]] == [(str(ada.home), "owner")]


@pytest.mark.capability("S162")
async def test_members_have_roles_and_everybody_sees_them(house: House) -> None:
    owner, eve = await house.person("owner"), await house.person("eve")
    place = await house.shared(owner, eve=(eve, Role.VIEWER))

    seen = (await house.client.get(f"/api/workspaces/{place}/members", headers=eve.cookie)).json()

    assert {item["email"]: item["role"] for item in seen["items"]} == {owner.email: "owner", eve.email: "viewer"}


@pytest.mark.parametrize(("by", "of", "role", "expected"), [
    ("owner", "editor", "owner", (200, None)), ("owner", "admin", "viewer", (200, None)),
    ("admin", "editor", "admin", (200, None)), ("admin", "other_admin", "viewer", (200, None)),
    ("admin", "editor", "owner", (403, "grant_too_high")), ("admin", "admin", "owner", (403, "grant_too_high")),
    ("admin", "owner", "viewer", (403, "grant_too_high")), ("editor", "viewer", "editor", (403, "role_too_low")),
    ("editor", "editor", "admin", (403, "role_too_low")), ("viewer", "viewer", "owner", (403, "role_too_low")),
    ("owner", "owner", "viewer", (409, "owner_protected")), ("other_owner", "owner", "viewer", None),
    ("outsider", "viewer", "owner", (403, "not_a_member")), ("owner", "outsider", "viewer", (404, "member_not_found")),
])
async def test_nobody_grants_or_changes_more_than_they_hold(
    house: House, by: str, of: str, role: str, expected: tuple[int, str | None] | None
) -> None:
    people = {name: await house.person(name) for name in
              ("owner", "admin", "other_admin", "editor", "viewer", "outsider", "other_owner")}
    place = await house.shared(people["owner"], **{
        name: (people[name], Role(name.removeprefix("other_")))
        for name in ("admin", "other_admin", "editor", "viewer", *(["other_owner"] if by == "other_owner" else []))
    })

    answer = await patch(house, people[by], place, people[of], role)

    assert problem(answer) == (expected or (409, "owner_protected"))


async def test_unknown_role_is_refused(house: House) -> None:
    owner = await house.person()

    assert (await patch(house, owner, owner.home, owner, "root")).status_code == 422


async def test_demotion_and_removal_count_from_the_next_request(house: House) -> None:
    owner, eve = await house.person("owner"), await house.person("eve")
    place = await house.shared(owner, eve=(eve, Role.EDITOR))

    before = (await house.client.get("/probe/editor", headers=eve.at(place))).status_code
    await patch(house, owner, place, eve, "viewer")
    demoted = await house.client.get("/probe/editor", headers=eve.at(place))
    assert (await remove(house, owner, place, eve)).status_code == 204
    removed = await house.client.get("/probe/viewer", headers=eve.at(place))

    assert before == 200
    assert problem(demoted) == (403, "role_too_low")
    assert problem(removed) == (403, "not_a_member")
    assert await house.audit(place) == [
        (owner.email, "workspace.created"), (owner.email, "member.role_changed"), (owner.email, "member.removed"),
    ]


async def test_keys_end_with_the_role_or_membership_of_who_made_them(house: House) -> None:
    owner, boss = await house.person("owner"), await house.person("boss")
    place = await house.shared(owner, boss=(boss, Role.ADMIN))
    strong, weak = await house.key(boss, place, role="admin"), await house.key(boss, place, role="viewer")
    child = (await house.client.post("/api/api-keys", json={"name": "child"},
                                     headers={"X-API-Key": strong["key"]})).json()

    async def alive() -> list[int]:
        return [(await house.client.get("/probe/viewer", headers={"X-API-Key": each["key"]})).status_code
                for each in (strong, weak, child)]

    first = await alive()
    await patch(house, owner, place, boss, "editor")
    demoted = await alive()
    await remove(house, owner, place, boss)

    assert (first, demoted, await alive()) == ([200, 200, 200], [401, 200, 200], [401, 401, 401])


async def test_members_may_leave_and_the_last_owner_may_not(house: House) -> None:
    owner, eve = await house.person("owner"), await house.person("eve")
    place = await house.shared(owner, eve=(eve, Role.VIEWER))

    assert problem(await remove(house, eve, place, owner)) == (403, "grant_too_high")
    assert problem(await remove(house, owner, place, owner)) == (409, "owner_protected")
    assert (await remove(house, eve, place, eve)).status_code == 204
    assert problem(await remove(house, owner, place, eve)) == (404, "member_not_found")


async def test_two_owners_leaving_at_once_leave_one_behind(house: House) -> None:
    first, second = await house.person("first"), await house.person("second")
    place = await house.shared(first, second=(second, Role.OWNER))

    answers = await asyncio.gather(remove(house, first, place, first), remove(house, second, place, second))

    assert sorted(answer.status_code for answer in answers) == [204, 409]


async def test_key_cannot_raise_anybody_above_itself(house: House) -> None:
    owner, eve = await house.person("owner"), await house.person("eve")
    place = await house.shared(owner, eve=(eve, Role.VIEWER))
    key = {"X-API-Key": (await house.key(owner, place, role="admin"))["key"]}

    raised = await house.client.patch(f"/api/workspaces/{place}/members/{eve.id}", json={"role": "owner"}, headers=key)
    removed = await house.client.delete(f"/api/workspaces/{place}/members/{owner.id}", headers=key)

    assert problem(raised) == problem(removed) == (403, "grant_too_high")
