"""API keys and the audit log."""

from uuid import UUID, uuid4

import pytest

from automatos.kernel.db import Scope
from automatos.workspaces.types import Role
from tests.workspaces.conftest import House, problem


async def test_key_is_shown_once_and_only_its_digest_is_stored(house: House) -> None:
    ada = await house.person()
    made = await house.key(ada, ada.home)

    listed = await house.client.get("/api/api-keys", headers=ada.cookie)
    async with house.database.recording(None, Scope.AUTH) as connection:
        row = await connection.fetchrow("SELECT * FROM api_keys WHERE id = $1", UUID(made["id"]))

    assert made["key"].startswith("ak_srv_")
    assert made["key"].startswith(made["key_prefix"])
    assert made["role"] == "editor"
    assert [item["id"] for item in listed.json()["items"]] == [made["id"]]
    assert made["key"] not in listed.text + str(dict(row))
    assert made["key"] not in str(await house.client.get("/api/audit", headers=ada.cookie))
    assert [action for _, action in await house.audit(ada.home)] == ["api_key.created"]


async def test_use_of_a_key_is_noted(house: House) -> None:
    ada = await house.person()
    made = await house.key(ada, ada.home)
    await house.client.get("/probe/viewer", headers={"X-API-Key": made["key"]})

    listed = (await house.client.get("/api/api-keys", headers=ada.cookie)).json()

    assert (made["last_used_at"], listed["items"][0]["last_used_at"] is not None) == (None, True)


@pytest.mark.parametrize(("by", "body", "expected"), [
    (Role.ADMIN, {"role": "admin"}, (201, None)), (Role.ADMIN, {"role": "owner"}, (403, "grant_too_high")),
    (Role.EDITOR, {"role": "viewer"}, (403, "role_too_low")),
    (Role.OWNER, {"key_type": "public"}, (201, None)),
    (Role.OWNER, {"key_type": "public", "role": "editor"}, (403, "grant_too_high")),
    (Role.OWNER, {"key_type": "platform"}, (422, "invalid_request")),
    (Role.OWNER, {"workspace_id": str(uuid4())}, (422, "invalid_request")),
    (Role.OWNER, {"expires_at": "2030-01-01T00:00:00"}, (422, "invalid_request")),
])
async def test_key_never_holds_more_than_its_maker(
    house: House, by: Role, body: dict[str, str], expected: tuple[int, str | None]
) -> None:
    owner, eve = await house.person("owner"), await house.person("eve")
    place = await house.shared(owner, eve=(eve, by))

    answer = await house.client.post("/api/api-keys", json={"name": "robot", **body}, headers=eve.at(place))

    assert problem(answer) == expected
    if body.get("key_type") == "public" and answer.status_code == 201:
        assert (answer.json()["key"][:7], answer.json()["role"]) == ("ak_pub_", "viewer")


async def test_key_that_is_foreign_absent_or_revoked_answers_alike(house: House) -> None:
    ada, eve = await house.person("ada"), await house.person("eve")
    foreign, own = await house.key(ada, ada.home), await house.key(eve, eve.home)
    first = await house.client.delete(f"/api/api-keys/{own['id']}", headers=eve.cookie)

    answers = [await house.client.delete(f"/api/api-keys/{each}", headers=eve.cookie)
               for each in (foreign["id"], uuid4(), own["id"])]

    assert first.status_code == 204
    assert {problem(answer) for answer in answers} == {(404, "api_key_not_found")}
    assert len({answer.json()["detail"] for answer in answers}) == 1


async def test_admin_cannot_revoke_a_key_of_an_owner(house: House) -> None:
    owner, boss = await house.person("owner"), await house.person("boss")
    place = await house.shared(owner, boss=(boss, Role.ADMIN))
    key = await house.key(owner, place, role="owner")

    answer = await house.client.delete(f"/api/api-keys/{key['id']}", headers=boss.at(place))

    assert problem(answer) == (403, "grant_too_high")


async def test_audit_log_pages_filters_and_names_who_from_where(house: House) -> None:
    ada = await house.person()
    for name in ("one", "two", "three"):
        await house.key(ada, ada.home, name=name)
    await house.client.post(f"/api/workspaces/{ada.home}/members/invite", json={"email": "x@example.org"},
                            headers=ada.cookie)

    first = (await house.client.get("/api/audit?limit=2&action=api_key", headers=ada.cookie)).json()
    rest = (await house.client.get(f"/api/audit?limit=2&action=api_key&cursor={first['next_cursor']}",
                                   headers=ada.cookie)).json()
    other = (await house.client.get("/api/audit?action=member.invited", headers=ada.cookie)).json()

    assert [each["detail"]["name"] for each in first["items"] + rest["items"]] == ["three", "two", "one"]
    assert rest["next_cursor"] is None
    assert [each["action"] for each in other["items"]] == ["member.invited"]
    assert (first["items"][0]["actor"], first["items"][0]["client_address"]) == (ada.email, "127.0.0.1")


async def test_audit_log_is_narrowed_by_who_and_by_what(house: House) -> None:
    ada = await house.person()
    made = await house.key(ada, ada.home, name="one")
    await house.client.post(f"/api/workspaces/{ada.home}/members/invite", json={"email": "x@example.org"},
                            headers=ada.cookie)

    async def found(**wanted: str) -> list[str]:
        answer = await house.client.get("/api/audit", params=wanted, headers=ada.cookie)
        return [each["action"] for each in answer.json()["items"]]

    assert await found(actor=ada.email[:4].upper()) == await found()
    assert await found(actor="nobody") == await found(actor="%") == []
    assert await found(target_type="api_key") == await found(target_id=made["id"]) == ["api_key.created"]
    assert await found(target_type="api_key", target_id="another") == []
    refused = await house.client.get("/api/audit", params={"target_id": "a\x00b"}, headers=ada.cookie)
    assert refused.status_code == 422


async def test_audit_log_is_for_admins(house: House) -> None:
    owner, eve = await house.person("owner"), await house.person("eve")
    place = await house.shared(owner, eve=(eve, Role.EDITOR))

    assert problem(await house.client.get("/api/audit", headers=eve.at(place))) == (403, "role_too_low")
    assert problem(await house.client.get("/api/audit")) == (401, "not_signed_in")
    assert (await house.client.get("/api/audit?cursor=x", headers=owner.cookie)).status_code == 422


async def test_a_key_whose_maker_is_gone_is_listed_with_what_became_of_it(house: House) -> None:
    ada, eve = await house.person("ada"), await house.person("eve")
    place = await house.shared(ada, eve=(eve, Role.ADMIN))
    made = {"eve's": await house.key(eve, place, name="eve's"), "ada's": await house.key(ada, place, name="ada's"),
            "all's": await house.key(ada, place, name="all's", belongs_to="workspace"),
            "old": await house.key(ada, place, name="old", expires_at="2031-01-01T00:00:00Z")}
    assert made["eve's"]["made_by"] == eve.email
    async with house.database.recording(place) as connection:
        await connection.execute("DELETE FROM workspace_members WHERE user_id = $1", eve.id)
        await connection.execute("UPDATE api_keys SET expires_at = now() WHERE name = 'old'")

    listed = (await house.client.get("/api/api-keys", headers=ada.at(place))).json()["items"]

    assert {each["name"]: (each["belongs_to"], each["made_by"], each["state"]) for each in listed} == {
        "eve's": ("person", eve.email, "maker_left"), "ada's": ("person", ada.email, "works"),
        "all's": ("workspace", ada.email, "works"), "old": ("person", ada.email, "expired")}
    for each in listed:
        answer = await house.client.get("/probe/viewer", headers={"X-API-Key": made[each["name"]]["key"]})
        assert (answer.status_code == 200) == (each["state"] == "works"), "the list says what a request finds"
