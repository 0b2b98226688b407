"""Why somebody may enter: it stands on the session and the key, and is asked by every carrier alike."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
import pytest

from automatos.kernel.db import Scope
from automatos.workspaces.claims import LEEWAY_S
from automatos.workspaces.sessions import open_lasting_session
from automatos.workspaces.types import Role
from tests.fakes.issuer import Issuer
from tests.workspaces.conftest import BROWSER, Build, House, problem

ME, PROBE = "/api/auth/me", "/probe/viewer"


@pytest.fixture
def trusting(build: Build, issuer: Issuer) -> House:
    return build(jwks_url=issuer.jwks_url, jwt_issuer=issuer.url)


class Organisation:
    """An organisation at the issuer, with people in it."""

    def __init__(self, house: House, issuer: Issuer) -> None:
        self.house, self.issuer, self.id = house, issuer, f"org_{uuid4().hex}"

    def token(self, sub: str, role: str | None = "admin") -> dict[str, str]:
        claims = {"o": {"id": self.id, "rol": role, "slg": "acme"}} if role else {}
        return {"Authorization": f"Bearer {self.issuer.token(sub=sub, **claims)}"}

    async def enter(self, sub: str, role: str = "admin") -> UUID:
        answer = await self.house.client.get(ME, headers=self.token(sub, role))
        assert answer.status_code == 200, answer.text
        return UUID(answer.json()["workspace_id"])

    async def cookie(self, headers: dict[str, str]) -> dict[str, str]:
        answer = await self.house.client.post("/api/auth/session", headers=headers)
        assert answer.status_code == 200, answer.text
        self.house.client.cookies.clear()
        return {"Cookie": answer.headers["set-cookie"].partition(";")[0], **BROWSER}

    async def id_of(self, sub: str) -> int:
        return (await self.house.client.get(ME, headers=self.token(sub, None))).json()["user"]["id"]

    async def forget_what_is_vouched(self) -> None:
        """Let the time pass in which the last tokens vouch."""
        async with self.house.database.recording(None, Scope.AUTH) as connection:
            place = await connection.fetchval("SELECT id FROM workspaces WHERE external_org_id = $1", self.id)
            await connection.execute("UPDATE user_sessions SET organisation_until = now() - interval '1 minute' "
                                     "WHERE organisation = $1", self.id)
        async with self.house.database.recording(place) as connection:
            await connection.execute("UPDATE workspace_members SET vouched_until = now() - interval '1 minute'")


@pytest.fixture
def acme(trusting: House, issuer: Issuer) -> Organisation:
    return Organisation(trusting, issuer)


async def test_a_cookie_traded_for_a_personal_token_does_not_reach_the_organisation(
    acme: Organisation, trusting: House
) -> None:
    place = await acme.enter("ada")
    at = {"X-Workspace-ID": str(place)}
    personal = acme.token("ada", None)
    cookie = await acme.cookie(personal)

    for headers in (personal, cookie):
        assert problem(await trusting.client.get(PROBE, headers=headers | at)) == (403, "not_a_member")
        made = await trusting.client.post("/api/api-keys", json={"name": "mine", "role": "admin"}, headers=headers | at)
        assert problem(made) == (403, "not_a_member")
        listed = (await trusting.client.get("/api/workspaces", headers=headers)).json()
        assert str(place) not in {each["id"] for each in listed["items"]}


async def test_a_cookie_and_a_key_reach_the_organisation_as_long_as_a_token_vouches(
    acme: Organisation, trusting: House
) -> None:
    place = await acme.enter("ada")
    at = {"X-Workspace-ID": str(place)}
    cookie = await acme.cookie(acme.token("ada"))
    made = {}
    for owner in ("person", "workspace"):
        answer = await trusting.client.post(
            "/api/api-keys", json={"name": owner, "belongs_to": owner}, headers=acme.token("ada"))
        assert answer.json()["belongs_to"] == owner
        made[owner] = {"X-API-Key": answer.json()["key"]}

    for headers in (cookie | at, made["person"], made["workspace"]):
        assert (await trusting.client.get(PROBE, headers=headers)).status_code == 200
    await acme.forget_what_is_vouched()
    assert problem(await trusting.client.get(PROBE, headers=cookie | at)) == (403, "not_a_member")
    assert problem(await trusting.client.get(PROBE, headers=made["person"])) == (401, "invalid_credential")
    assert (await trusting.client.get(PROBE, headers=made["workspace"])).status_code == 200
    await acme.enter("ada")
    assert (await trusting.client.get(PROBE, headers=made["person"])).status_code == 200


async def test_a_key_does_no_more_than_its_maker_may_today(acme: Organisation, trusting: House) -> None:
    await acme.enter("boss")
    await acme.enter("ada")
    made = await trusting.client.post("/api/api-keys", json={"name": "k", "role": "admin"}, headers=acme.token("ada"))
    key = {"X-API-Key": made.json()["key"]}
    assert (await trusting.client.get("/probe/admin", headers=key)).status_code == 200

    await acme.enter("ada", "viewer")

    assert (await trusting.client.get(PROBE, headers=key)).json()["role"] == "viewer"
    assert problem(await trusting.client.get("/probe/admin", headers=key)) == (403, "role_too_low")


async def test_an_admin_puts_somebody_out_whoever_manages_them_and_they_stay_out(
    acme: Organisation, trusting: House
) -> None:
    place = await acme.enter("boss")
    await acme.enter("eve", "member")
    eve, cookie = await acme.id_of("eve"), await acme.cookie(acme.token("eve", "member"))
    members, at = f"/api/workspaces/{place}/members", {"X-Workspace-ID": str(place)}

    removed = await trusting.client.delete(f"{members}/{eve}", headers=acme.token("boss"))

    assert removed.status_code == 204
    for headers in (cookie, acme.token("eve", "member")):
        assert problem(await trusting.client.get(PROBE, headers=headers | at)) == (403, "not_a_member")
    listed = (await trusting.client.get(members, headers=acme.token("boss"))).json()
    assert (listed["barred_user_ids"], [each["user_id"] for each in listed["barred"]]) == ([eve], [eve])
    back = await trusting.client.post(f"{members}/{eve}/readmit", headers=acme.token("boss"))
    assert back.status_code == 204
    assert (await trusting.client.get(PROBE, headers=acme.token("eve", "member") | at)).status_code == 200


async def test_a_key_ends_with_the_membership_of_its_maker_and_only_owners_make_one_for_the_workspace(
    house: House
) -> None:
    ada, eve = await house.person("ada"), await house.person("eve")
    place = await house.shared(ada, eve=(eve, Role.ADMIN))
    key = {"X-API-Key": (await house.key(eve, place))["key"]}
    refused = await house.client.post(
        "/api/api-keys", json={"name": "k", "belongs_to": "workspace"}, headers=eve.at(place))
    assert problem(refused) == (403, "grant_too_high")
    assert (await house.client.get(PROBE, headers=key)).status_code == 200

    async with house.database.recording(place) as connection:  # gone without anybody asking for it here
        await connection.execute("DELETE FROM workspace_members WHERE user_id = $1", eve.id)

    assert problem(await house.client.get(PROBE, headers=key)) == (401, "invalid_credential")


async def test_signing_out_everywhere_ends_every_session_of_that_person_and_no_key(house: House) -> None:
    ada, bob = await house.person(), await house.person("bob")
    elsewhere = [await house.browser(ada.id) for _ in range(2)]
    key = {"X-API-Key": (await house.key(ada, ada.home))["key"]}

    ended = await house.client.post("/api/auth/sign-out-everywhere", headers=ada.cookie)

    assert ended.json() == {"sessions_ended": 3}
    for cookie in (ada.cookie, *elsewhere):
        assert problem(await house.client.get(PROBE, headers=cookie)) == (401, "invalid_credential")
    for headers in (key, bob.cookie):
        assert (await house.client.get(PROBE, headers=headers)).status_code == 200
    assert problem(await house.client.post("/api/auth/sign-out-everywhere", headers=key)) == (403, "person_required")


@pytest.mark.usefixtures("nobody")
async def test_a_changed_password_ends_the_other_sessions_of_that_person(house: House) -> None:
    owner = {"email": "ada@example.org", "name": "Ada", "password": "correct horse"}
    first = await house.client.post("/api/setup", json=owner)
    cookie = {"Cookie": first.headers["set-cookie"].partition(";")[0], **BROWSER}
    house.client.cookies.clear()
    elsewhere, bob = await house.browser(first.json()["user"]["id"]), await house.person("bob")
    change = {"current_password": "correct horse", "new_password": "battery staple"}

    wrong = await house.client.put("/api/auth/password", json=change | {"current_password": "x"}, headers=cookie)
    assert problem(wrong) == (422, "wrong_password")
    assert (await house.client.get(PROBE, headers=elsewhere)).status_code == 200
    changed = await house.client.put("/api/auth/password", json=change, headers=cookie)

    fresh = {"Cookie": changed.headers["set-cookie"].partition(";")[0], **BROWSER}
    house.client.cookies.clear()
    for ended in (cookie, elsewhere):
        assert problem(await house.client.get(PROBE, headers=ended)) == (401, "invalid_credential")
    for headers in (fresh, bob.cookie):
        assert (await house.client.get(PROBE, headers=headers)).status_code == 200
    sign_in = {"email": "ada@example.org", "password": "correct horse"}
    assert problem(await house.client.post("/api/auth/sign-in", json=sign_in))[0] == 401
    again = await house.client.post("/api/auth/sign-in", json=sign_in | {"password": "battery staple"})
    assert again.status_code == 200


async def test_an_audit_entry_says_who_it_was_apart_from_the_name_they_chose(house: House) -> None:
    ada = await house.person("platform key")
    key = await house.key(ada, ada.home, role="admin")
    await house.client.delete(f"/api/api-keys/{key['id']}", headers={"X-API-Key": key["key"]})

    page = (await house.client.get("/api/audit?action=api_key", headers=ada.cookie)).json()["items"]

    assert [(each["user_id"], each["api_key_id"], each["carrier"]) for each in page] == [
        (None, key["id"], "api_key"), (ada.id, None, "cookie")]
    assert all(each["client_address"] == "127.0.0.1" for each in page)


@pytest.mark.parametrize("statement", ["UPDATE audit_log SET actor = 'somebody else'", "DELETE FROM audit_log",
                                       "TRUNCATE audit_log"])
async def test_the_application_may_not_change_what_the_audit_log_says(house: House, statement: str) -> None:
    ada = await house.person()
    await house.key(ada, ada.home)
    async with house.database.recording(ada.home) as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)


@pytest.mark.parametrize("life_s", [60, 300, 3600])
async def test_what_an_organisation_vouches_for_ends_with_the_token_by_every_carrier(
    acme: Organisation, trusting: House, issuer: Issuer, life_s: int
) -> None:
    """Who left at the issuer gets no new token: the last one's end is the end for the cookie and the key."""
    ends = issuer.claims()["iat"] + life_s
    claims = {"sub": "ada", "exp": ends, "o": {"id": acme.id, "rol": "admin", "slg": "acme"}}
    token = {"Authorization": f"Bearer {issuer.token(**claims)}"}
    place = UUID((await trusting.client.get(ME, headers=token)).json()["workspace_id"])
    await acme.cookie(token)
    identity = await trusting.app.state.services.authenticator._verifier.verify(token["Authorization"].split()[1])
    await open_lasting_session(trusting.database, trusting.settings, await acme.id_of("ada"), "", identity)

    async with trusting.database.recording(place, Scope.AUTH) as connection:
        sessions = await connection.fetch(
            "SELECT origin, organisation_until FROM user_sessions WHERE organisation = $1", acme.id)
        vouched = await connection.fetchval(
            "SELECT vouched_until FROM workspace_members WHERE workspace_id = $1", place)

    last = datetime.fromtimestamp(ends + LEEWAY_S, UTC)
    assert {each["origin"]: each["organisation_until"] for each in sessions} == {"token": last, "provider": last}
    assert vouched == last, "what a person's keys stand on"
