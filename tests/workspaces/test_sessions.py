"""Where somebody is signed in: listed with why and until when, ended one by one."""

from uuid import uuid4

import pytest

from automatos.kernel.db import Scope
from automatos.workspaces.sessions import TRADED_LIFETIME
from tests.fakes.issuer import Issuer
from tests.workspaces.conftest import BROWSER, Build, House, problem

ME, SESSIONS = "/api/auth/me", "/api/auth/sessions"
OWNER = {"email": "ada@example.org", "name": "Ada", "password": "correct horse"}


def cookie_of(answer: object) -> dict[str, str]:
    return {"Cookie": answer.headers["set-cookie"].partition(";")[0], **BROWSER}  # type: ignore[attr-defined]


@pytest.mark.usefixtures("nobody")
async def test_everybody_sees_their_own_sessions_and_ends_one_of_them(house: House) -> None:
    first = cookie_of(await house.client.post("/api/setup", json=OWNER, headers={"User-Agent": "Browser at work"}))
    house.client.cookies.clear()
    sign_in = {name: OWNER[name] for name in ("email", "password")}
    second = cookie_of(await house.client.post(
        "/api/auth/sign-in", json=sign_in, headers={"User-Agent": "Phone of Ada"}))
    house.client.cookies.clear()
    bob = await house.person("bob")

    page = (await house.client.get(SESSIONS, headers=first)).json()

    assert page["total"] == 2
    by_browser = {each["user_agent"].split()[0]: each for each in page["items"]}
    assert [by_browser[name]["is_current"] for name in ("Browser", "Phone")] == [True, False]
    assert {(each["origin"], each["issuer"], each["organisation_until"]) for each in page["items"]} == {
        ("password", None, None)}
    assert all(each["created_at"] <= each["last_used_at"] < each["expires_at"] for each in page["items"])
    assert "token_hash" not in page["items"][0]
    phone = f"{SESSIONS}/{by_browser['Phone']['id']}"
    assert problem(await house.client.delete(phone, headers=bob.cookie)) == (404, "session_not_found")
    assert (await house.client.delete(phone, headers=first)).status_code == 204
    assert problem(await house.client.delete(phone, headers=first)) == (404, "session_not_found")
    assert problem(await house.client.get(ME, headers=second)) == (401, "invalid_credential")
    assert (await house.client.get(ME, headers=first)).status_code == 200
    entry = (await house.client.get("/api/audit?action=account", headers=first)).json()["items"][0]
    assert (entry["action"], entry["actor_kind"], entry["carrier"]) == ("account.session_ended", "person", "cookie")
    assert entry["detail"] == {"browser": "Phone of Ada"}


async def test_a_key_has_no_sessions(house: House) -> None:
    ada = await house.person()
    key = {"X-API-Key": (await house.key(ada, ada.home))["key"]}

    assert problem(await house.client.get(SESSIONS, headers=key)) == (403, "person_required")
    assert problem(await house.client.delete(f"{SESSIONS}/{uuid4()}", headers=key)) == (403, "person_required")


async def test_a_session_says_which_token_it_was_traded_for(build: Build, issuer: Issuer) -> None:
    house = build(jwks_url=issuer.jwks_url, jwt_issuer=issuer.url)
    token = {"Authorization": f"Bearer {issuer.token(sub=f'ada_{uuid4().hex}', o={'id': uuid4().hex, 'rol': 'admin'})}"}
    cookie = cookie_of(await house.client.post("/api/auth/session", headers=token))
    house.client.cookies.clear()

    for headers in (cookie, token):
        [session] = (await house.client.get(SESSIONS, headers=headers)).json()["items"]
        assert (session["origin"], session["issuer"], session["is_current"]) == ("token", issuer.url, headers is cookie)
        assert session["created_at"] < session["organisation_until"] < session["expires_at"]
    assert TRADED_LIFETIME.total_seconds() == 3600


async def test_the_last_use_of_a_session_is_noted_every_few_minutes_and_not_each_time(house: House) -> None:
    ada = await house.person()

    async def used() -> str:
        return (await house.client.get(SESSIONS, headers=ada.cookie)).json()["items"][0]["last_used_at"]

    first = await used()
    assert await used() == first
    async with house.database.recording(None, Scope.AUTH) as connection:
        await connection.execute(
            "UPDATE user_sessions SET last_used_at = now() - interval '6 minutes' WHERE user_id = $1", ada.id)
    await house.client.get(ME, headers=ada.cookie)
    assert await used() >= first
