"""Who administers the whole server, and what that opens: the same for every way to carry a credential."""

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web
from pydantic import SecretStr
from sqlalchemy import text

from automatos.workspaces import admins
from automatos.workspaces.errors import AccountNotFound, LastAdmin
from automatos.workspaces.setup import setup_token
from tests.fakes.issuer import Issuer
from tests.workspaces.conftest import Build, House, problem

ME = "/api/auth/me"
OPERATOR = "s3cret-of-the-operator"
EVERYWHERE = {"X-Workspace-ID": "__all__"}
READ_ACROSS = ["/api/agents/stats", "/api/audit", "/api/runs", "/api/usage/summary",
               "/api/workflow-recipes"]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


CARRIED: dict[str, Any] = {
    "operator by X-API-Key": {"X-API-Key": OPERATOR},
    "operator by ApiKey": {"Authorization": f"ApiKey {OPERATOR}"},
    "operator by Bearer": {"Authorization": f"Bearer {OPERATOR}"},
}


@pytest.fixture
def house(build: Build, issuer: Issuer) -> House:
    """A server of an identity provider, with an operator's key."""
    return build(platform_api_key=SecretStr(OPERATOR), jwks_url=issuer.jwks_url, jwt_issuer=issuer.url)


async def credentials(house: House, issuer: Issuer, *, system_role: str) -> dict[str, dict[str, str]]:
    """Return headers of a person in this role on the server, once for each way to carry a credential."""
    person = await house.person("root", system_role=system_role)
    token = bearer(issuer.token(sub=f"user_{uuid4().hex}"))
    me = (await house.client.get(ME, headers=token)).json()
    if system_role == "admin":
        await admins.grant_admin(house.database, house.settings, str(me["user"]["id"]))
    key = (await house.key(person, person.home, role="owner"))["key"]
    return {"session": person.cookie, "token": token, "key": {"X-API-Key": key}}


@pytest.mark.capability("S155")
@pytest.mark.capability("S159")
@pytest.mark.capability("S180")
@pytest.mark.parametrize("carrier", ["session", "token", *CARRIED])
async def test_system_admins_read_statistics_and_across_workspaces(
    house: House, issuer: Issuer, carrier: str
) -> None:
    headers = CARRIED.get(carrier) or (await credentials(house, issuer, system_role="admin"))[carrier]
    eve = await house.person("eve")
    await house.key(eve, eve.home)

    assert (await house.client.get(ME, headers=headers)).json()["is_system_admin"] is True
    assert (await house.client.get("/api/health/endpoints", headers=headers)).status_code == 200
    for path in READ_ACROSS:
        by_header = await house.client.get(path, headers=headers | EVERYWHERE)
        by_query = await house.client.get(f"{path}?workspace_id=__all__", headers=headers)
        assert (by_header.status_code, by_query.status_code) == (200, 200), path
    log = (await house.client.get("/api/audit?limit=200", headers=headers | EVERYWHERE)).json()["items"]
    assert str(eve.home) in {entry["workspace_id"] for entry in log}
    assert "workspaces.read_across" in {entry["action"] for entry in log}


@pytest.mark.capability("S159")
@pytest.mark.parametrize("carrier", ["session", "token", "key"])
async def test_others_read_neither(house: House, issuer: Issuer, carrier: str) -> None:
    headers = (await credentials(house, issuer, system_role="user"))[carrier]

    refused = await house.client.get("/api/health/endpoints", headers=headers)
    assert problem(refused) == (403, "system_admin_required")
    for path in READ_ACROSS:
        assert problem(await house.client.get(path, headers=headers | EVERYWHERE)) == (403, "all_workspaces_refused")


@pytest.mark.capability("S159")
async def test_a_key_that_an_admin_made_does_not_administer_the_server(house: House, issuer: Issuer) -> None:
    headers = (await credentials(house, issuer, system_role="admin"))["key"]

    assert (await house.client.get(ME, headers=headers)).json()["is_system_admin"] is False
    assert problem(await house.client.get("/api/health/endpoints", headers=headers))[0] == 403
    assert problem(await house.client.get("/api/audit", headers=headers | EVERYWHERE))[0] == 403


@pytest.mark.capability("S159")
@pytest.mark.parametrize("carrier", ["session", "token", *CARRIED])
async def test_admins_write_nowhere_across_and_read_across_only_where_it_is_offered(
    house: House, issuer: Issuer, carrier: str
) -> None:
    headers = CARRIED.get(carrier) or (await credentials(house, issuer, system_role="admin"))[carrier]

    for method, path in (("POST", "/api/agents"), ("POST", "/api/api-keys"), ("GET", ME), ("GET", "/api/api-keys")):
        answer = await house.client.request(method, path, headers=headers | EVERYWHERE, json={"name": "x"})
        assert problem(answer) == (403, "all_workspaces_refused"), (method, path)


async def test_the_operator_works_in_the_default_workspace_and_in_no_other(house: House) -> None:
    ada = await house.person()
    headers = {"X-API-Key": OPERATOR}

    me = (await house.client.get(ME, headers=headers)).json()
    elsewhere = await house.client.get(ME, headers=headers | {"X-Workspace-ID": str(ada.home)})
    by_cookie = await house.client.get(ME, headers={"Cookie": f"automatos_session={OPERATOR}"})
    setting = await house.client.put(
        "/api/settings/orchestrator_llm/llm_model", json={"value": "m", "scope": "system"}, headers=headers)

    assert (me["role"], me["auth_method"]) == ("owner", "platform_key")
    assert me["workspace_id"] == str(house.settings.default_tenant_id)
    assert problem(elsewhere) == (403, "not_a_member")
    assert problem(by_cookie) == (401, "invalid_credential")
    assert problem(await house.client.get(ME, headers={"X-API-Key": OPERATOR.upper()}))[0] == 401
    assert setting.status_code == 200, setting.text


async def test_a_workspaces_key_in_the_operators_variable_is_no_more_than_that(build: Build, house: House) -> None:
    ada = await house.person()
    key = (await house.key(ada, ada.home))["key"]
    confused = build(platform_api_key=SecretStr(key))

    me = (await confused.client.get(ME, headers={"X-API-Key": key})).json()

    assert (me["auth_method"], me["workspace_id"], me["is_system_admin"]) == ("api_key", str(ada.home), False)


@pytest.mark.capability("S164")
@pytest.mark.parametrize(("insists", "session_status"), [(True, 403), (False, 200)])
async def test_metrics_insist_on_an_api_key_elsewhere(build: Build, insists: bool, session_status: int) -> None:
    house = build(peer="203.0.113.9", platform_api_key=SecretStr(OPERATOR), require_api_key=insists)
    root, ada = await house.person("root", system_role="admin"), await house.person()
    key = {"X-API-Key": (await house.key(ada, ada.home))["key"]}

    by_session = await house.client.get("/metrics", headers=root.cookie)

    assert by_session.status_code == session_status
    assert "api_key_required" in by_session.text or not insists
    assert (await house.client.get("/metrics", headers={"X-API-Key": OPERATOR})).status_code == 200
    assert problem(await house.client.get("/metrics")) == (401, "not_signed_in")
    assert problem(await house.client.get("/metrics", headers=key)) == (403, "system_admin_required")


async def test_metrics_are_not_open_to_everybody_behind_a_proxy_on_this_machine(build: Build) -> None:
    house = build()

    assert (await house.client.get("/metrics")).status_code == 200
    for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
        assert problem(await house.client.get("/metrics", headers={header: "203.0.113.9"}))[0] == 401


@pytest.mark.usefixtures("nobody")
async def test_the_first_person_takes_the_server_over_with_the_printed_token(build: Build, issuer: Issuer) -> None:
    house = build(peer="203.0.113.9", clerk_publishable_key="pk_test_Y2xlcmsuZXhhbXBsZS5jb20k",
                  jwks_url=issuer.jwks_url, jwt_issuer=issuer.url)
    ada, eve = [bearer(issuer.token(sub=name)) for name in ("ada", "eve")]
    where = str(house.settings.default_tenant_id)
    config = (await house.client.get("/api/auth/config")).json()

    assert (config["mode"], config["needs_setup"], config["needs_admin"]) == ("clerk", False, True)
    assert problem(await house.client.post("/api/setup/admin", json={}, headers=eve)) == (403, "setup_refused")
    wrong = await house.client.post("/api/setup/admin", json={"token": "guess"}, headers=eve)
    assert problem(wrong) == (403, "setup_refused")
    token = setup_token(house.settings)
    taken = await house.client.post("/api/setup/admin", json={"token": token}, headers=ada)
    again = await house.client.post("/api/setup/admin", json={"token": token}, headers=eve)

    assert taken.status_code == 200, taken.text
    assert taken.json()["is_system_admin"] is True
    assert where in {each["id"] for each in taken.json()["workspaces"]}
    assert problem(again)[0] in {403, 409}
    assert (await house.client.get(ME, headers=ada)).json()["is_system_admin"] is True
    assert (await house.client.get(ME, headers=ada | {"X-Workspace-ID": where})).json()["role"] == "owner"
    assert (await house.client.get(ME, headers=eve)).json()["is_system_admin"] is False
    assert (await house.client.get("/api/auth/config")).json()["needs_admin"] is False
    assert "admin.granted" in {action for _, action in await house.audit(house.settings.default_tenant_id)}


@pytest.mark.usefixtures("nobody")
async def test_a_key_takes_nothing_over(build: Build) -> None:
    house = build(platform_api_key=SecretStr(OPERATOR))

    answer = await house.client.post("/api/setup/admin", json={}, headers={"X-API-Key": OPERATOR})

    assert problem(answer) == (403, "person_required")


@pytest.mark.parametrize(("named", "claims", "is_admin"), [
    ("Ada@Example.org", {"email": "ada@example.org", "email_verified": True}, True),
    ("ada@example.org", {"email": "ada@example.org", "email_verified": False}, False),
    ("ada@example.org", {"email": "ada@example.org"}, False),
    ("ada@example.org", {"email": "eve@example.org", "email_verified": True}, False),
    ("user_ada", {"sub": "user_ada"}, True),
    ("user_ada", {"sub": "user_adam"}, False),
    ("ada@example.org", {"sub": "ada@example.org"}, False),
])
@pytest.mark.usefixtures("nobody")
async def test_the_setting_names_admins_by_verified_email_or_id(
    build: Build, issuer: Issuer, named: str, claims: dict[str, Any], is_admin: bool
) -> None:
    house = build(jwks_url=issuer.jwks_url, jwt_issuer=issuer.url, admins=("root@example.org", named))
    token = bearer(issuer.token(**{"sub": "somebody"} | claims))

    for _ in range(2):
        assert (await house.client.get(ME, headers=token)).json()["is_system_admin"] is is_admin

    granted = [action for _, action in await house.audit(house.settings.default_tenant_id)] if is_admin else []
    assert granted == ["admin.granted"] * is_admin


@pytest.mark.usefixtures("nobody")
async def test_an_account_with_a_password_is_no_admin_by_its_typed_address(build: Build) -> None:
    house = build(admins=("ada@example.org",))
    ada = await house.person()
    async with house.database.session(None, None) as session:
        await session.execute(text("UPDATE users SET email = 'ada@example.org' WHERE id = :id"), {"id": ada.id})

    assert (await house.client.get(ME, headers=ada.cookie)).json()["is_system_admin"] is False


@pytest.mark.usefixtures("nobody")
async def test_admins_are_granted_and_revoked_by_name_and_the_last_one_stays(house: House, issuer: Issuer) -> None:
    token = bearer(issuer.token(sub="user_1", email="ada@example.org", email_verified=True))
    await house.client.get(ME, headers=token)
    bob = await house.person("bob")
    do = (house.database, house.settings)

    await admins.grant_admin(*do, "ADA@example.org")
    with pytest.raises(LastAdmin):
        await admins.revoke_admin(*do, "user_1")
    await admins.grant_admin(*do, bob.email)
    await admins.revoke_admin(*do, "user_1")
    with pytest.raises(AccountNotFound):
        await admins.grant_admin(*do, "nobody@example.org")

    assert [user.email for user in await admins.list_admins(house.database)] == [bob.email]
    assert len(await admins.list_admins(house.database, everybody=True)) == 2
    assert (await house.client.get(ME, headers=token)).json()["is_system_admin"] is False
    assert (await house.client.get(ME, headers=bob.cookie)).json()["is_system_admin"] is True


class Clerk:
    """Clerk's backend API as far as it is asked: one person, and how often."""

    def __init__(self) -> None:
        self.people: dict[str, Any] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append((request.path, request.headers.get("Authorization")))
        person = self.people.get(request.match_info["id"])
        if person is None:
            return web.json_response({"errors": [{"code": "resource_not_found"}]}, status=404)
        return web.Response(text=json.dumps(person), content_type="application/json")


@pytest.fixture
async def clerk() -> AsyncIterator[Clerk]:
    fake = Clerk()
    app = web.Application()
    app.router.add_get("/v1/users/{id}", fake.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield fake
    await runner.cleanup()


def clerk_person(user_id: str, *, status: str = "verified") -> dict[str, Any]:
    return {
        "id": user_id, "first_name": "Ada", "last_name": "Lovelace", "primary_email_address_id": "idn_2",
        "email_addresses": [
            {"id": "idn_1", "email_address": "old@example.org", "verification": {"status": "verified"}},
            {"id": "idn_2", "email_address": "Ada@Example.org", "verification": {"status": status}},
        ],
    }


@pytest.mark.capability("S183")
@pytest.mark.parametrize(("status", "email"), [("verified", "ada@example.org"), ("unverified", None)])
@pytest.mark.usefixtures("nobody")
async def test_clerks_secret_key_fetches_the_address_that_session_tokens_leave_out(
    build: Build, issuer: Issuer, clerk: Clerk, status: str, email: str | None
) -> None:
    clerk.people["user_2x"] = clerk_person("user_2x", status=status)
    house = build(jwks_url=issuer.jwks_url, jwt_issuer=issuer.url, clerk_secret_key=SecretStr("sk_test_9"),
                  clerk_api_url=clerk.url, admins=("ada@example.org",))

    for _ in range(2):
        me = (await house.client.get(ME, headers=bearer(issuer.token(sub="user_2x")))).json()

    assert (me["user"]["email"], me["user"]["name"]) == (email, "Ada Lovelace")
    assert me["is_system_admin"] is (email is not None)
    assert clerk.asked == [("/v1/users/user_2x", "Bearer sk_test_9")]


@pytest.mark.usefixtures("nobody")
async def test_clerk_being_away_or_odd_costs_the_address_and_not_the_sign_in(
    build: Build, issuer: Issuer, clerk: Clerk
) -> None:
    house = build(jwks_url=issuer.jwks_url, jwt_issuer=issuer.url, clerk_secret_key=SecretStr("sk_test_9"),
                  clerk_api_url=clerk.url)
    clerk.people |= {"odd": ["?"], "other": clerk_person("somebody else"), "bare": {"id": "bare"}}

    for sub in ("gone", "odd", "other", "bare"):
        answer = await house.client.get(ME, headers=bearer(issuer.token(sub=sub)))
        assert (answer.status_code, answer.json()["user"]["email"]) == (200, None), sub
