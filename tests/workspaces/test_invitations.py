"""Invitations: shown once, for one address, counted against the limit, never a way to more than the inviter holds."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from automatos.kernel.db import Scope
from automatos.kernel.ids import new_id
from automatos.workspaces.types import Role
from tests.workspaces.conftest import House, Person, problem


async def invite(house: House, by: Person, place: UUID, email: str, **body: Any):
    return await house.client.post(f"/api/workspaces/{place}/members/invite", json={"email": email, **body},
                                   headers=by.cookie)


async def accept(house: House, by: Person, token: str):
    return await house.client.post("/api/invitations/accept", json={"token": token}, headers=by.cookie)


async def sign_up(house: House, token: str, **body: Any):
    house.client.cookies.clear()
    account = {"token": token, "name": "Nia", "password": "correct horse", **body}
    answer = await house.client.post("/api/invitations/sign-up", json=account)
    house.client.cookies.clear()
    return answer


async def test_invited_person_accepts_and_is_editor_unless_said(house: House) -> None:
    owner, eve = await house.person("owner"), await house.person("eve")
    place = await house.shared(owner)

    sent = (await invite(house, owner, place, eve.email.upper())).json()
    seen = (await house.client.get(f"/api/workspaces/{place}/members", headers=owner.cookie)).json()
    accepted = await accept(house, eve, sent["token"])

    assert sent["url"].endswith(f"#token={sent['token']}")
    assert [each["email"] for each in seen["invitations"]] == [eve.email]
    assert sent["token"] not in str(seen)
    assert accepted.json() == {"workspace_id": str(place)}
    assert (await house.client.get("/probe/editor", headers=eve.at(place))).status_code == 200
    assert problem(await accept(house, eve, sent["token"])) == (404, "invitation_invalid")
    assert [action for _, action in await house.audit(place)][1:] == ["member.invited", "member.joined"]


async def test_link_is_worth_nothing_to_another_person(house: House) -> None:
    owner, eve = await house.person("owner"), await house.person("eve")
    place = await house.shared(owner)
    sent = (await invite(house, owner, place, "somebody@example.org")).json()

    assert problem(await accept(house, eve, sent["token"])) == (404, "invitation_invalid")
    assert problem(await accept(house, eve, "guess")) == (404, "invitation_invalid")


async def test_new_person_signs_up_through_the_link(house: House) -> None:
    owner = await house.person("owner")
    place = await house.shared(owner)
    email = f"nia-{new_id().hex}@example.org"
    sent = (await invite(house, owner, place, email, role="viewer")).json()

    answer = await sign_up(house, sent["token"])
    signed_in = await house.client.post("/api/auth/sign-in", json={"email": email, "password": "correct horse"})
    house.client.cookies.clear()

    me = answer.json()
    assert answer.status_code == 201
    assert (me["user"]["email"], me["user"]["system_role"]) == (email, "user")
    assert [(each["is_personal"], each["role"]) for each in me["workspaces"]] == [(True, "owner"), (False, "viewer")]
    assert signed_in.status_code == 200
    assert problem(await sign_up(house, sent["token"])) == (404, "invitation_invalid")


async def test_address_with_an_account_signs_in_instead(house: House) -> None:
    owner, eve = await house.person("owner"), await house.person("eve")
    sent = (await invite(house, owner, await house.shared(owner), eve.email)).json()

    assert problem(await sign_up(house, sent["token"])) == (409, "email_taken")


@pytest.mark.parametrize(("by", "role", "expected"), [
    (Role.ADMIN, "admin", (201, None)), (Role.ADMIN, "owner", (403, "grant_too_high")),
    (Role.EDITOR, "viewer", (403, "role_too_low")), (Role.VIEWER, "viewer", (403, "role_too_low")),
])
async def test_nobody_invites_to_more_than_they_hold(
    house: House, by: Role, role: str, expected: tuple[int, str | None]
) -> None:
    owner, eve = await house.person("owner"), await house.person("eve")
    place = await house.shared(owner, eve=(eve, by))

    assert problem(await invite(house, eve, place, "x@example.org", role=role)) == expected


async def test_pending_invitations_count_against_the_limit_also_at_once(house: House) -> None:
    ada = await house.person()

    answers = await asyncio.gather(*(invite(house, ada, ada.home, f"{n}@example.org") for n in range(6)))

    assert sorted(answer.status_code for answer in answers) == [201] * 4 + [409] * 2
    assert {problem(answer)[1] for answer in answers if answer.status_code == 409} == {"plan_limit_reached"}


async def test_one_open_invitation_per_address_and_none_for_members(house: House) -> None:
    owner, eve = await house.person("owner"), await house.person("eve")
    place = await house.shared(owner, eve=(eve, Role.VIEWER))
    sent = (await invite(house, owner, place, "x@example.org")).json()

    assert problem(await invite(house, owner, place, "X@example.org")) == (409, "invitation_pending")
    assert problem(await invite(house, owner, place, eve.email)) == (409, "already_member")
    withdrawn = await house.client.delete(f"/api/workspaces/{place}/invitations/{sent['id']}", headers=owner.cookie)
    again = await house.client.delete(f"/api/workspaces/{place}/invitations/{sent['id']}", headers=owner.cookie)
    assert (withdrawn.status_code, problem(again)) == (204, (404, "invitation_invalid"))
    assert (await invite(house, owner, place, "x@example.org")).status_code == 201
    assert problem(await sign_up(house, sent["token"])) == (404, "invitation_invalid")


async def test_expired_invitation_is_refused_and_can_be_sent_anew(house: House) -> None:
    owner, eve = await house.person("owner"), await house.person("eve")
    place = await house.shared(owner)
    sent = (await invite(house, owner, place, eve.email)).json()
    async with house.database.recording(place) as connection:
        await connection.execute("UPDATE workspace_invitations SET expires_at = now() WHERE workspace_id = $1", place)

    assert problem(await accept(house, eve, sent["token"])) == (404, "invitation_invalid")
    assert (await invite(house, owner, place, eve.email)).status_code == 201


async def test_only_a_digest_of_the_token_is_stored(house: House) -> None:
    owner = await house.person("owner")
    place = await house.shared(owner)
    sent = (await invite(house, owner, place, "x@example.org")).json()

    async with house.database.recording(None, Scope.AUTH) as connection:
        row = await connection.fetchrow("SELECT * FROM workspace_invitations WHERE id = $1", UUID(sent["id"]))

    assert sent["token"] not in str(dict(row))


async def test_keys_are_not_invited(house: House) -> None:
    owner = await house.person("owner")
    key = (await house.key(owner, owner.home))["key"]

    answer = await house.client.post("/api/invitations/accept", json={"token": "x"}, headers={"X-API-Key": key})

    assert problem(answer) == (403, "person_required")


async def test_editors_do_not_see_invitations(house: House) -> None:
    owner, eve = await house.person("owner"), await house.person("eve")
    place = await house.shared(owner, eve=(eve, Role.EDITOR))
    await invite(house, owner, place, "x@example.org")

    assert (await house.client.get(f"/api/workspaces/{place}/members", headers=eve.cookie)).json()["invitations"] == []
