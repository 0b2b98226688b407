"""Who asks: each carrier alone, an invalid credential never falling through, browsers' changes proven to be ours."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr

from automatos.kernel.db import Scope
from automatos.workspaces.types import Carrier, Presented, Role
from tests.workspaces.conftest import Build, House, problem

PROBE = "/api/auth/me"
CHANGE = "/probe/viewer"


async def carried(house: House, carrier: str) -> dict[str, str]:
    """Return headers that carry a good editor's credential in this way."""
    ada = await house.person()
    if carrier == "cookie":
        return ada.cookie
    key = (await house.key(ada, ada.home))["key"]
    return {"bearer": {"Authorization": f"Bearer {key}"}, "x-api-key": {"X-API-Key": key},
            "apikey": {"Authorization": f"ApiKey {key}"}}[carrier]


CARRIERS = pytest.mark.parametrize("carrier", ["cookie", "bearer", "x-api-key", "apikey"])


@CARRIERS
@pytest.mark.capability("S155")
@pytest.mark.capability("S163")
async def test_each_carrier_is_accepted(house: House, carrier: str) -> None:
    answer = await house.client.get(PROBE, headers=await carried(house, carrier))

    assert answer.status_code == 200
    assert answer.json()["role"] == ("owner" if carrier == "cookie" else "editor")
    assert answer.json()["auth_method"] == ("session" if carrier == "cookie" else "api_key")


@pytest.mark.capability("S155")
async def test_nothing_is_refused_while_auth_is_required(house: House) -> None:
    answer = await house.client.get(PROBE)

    assert problem(answer) == (401, "not_signed_in")
    assert answer.headers["www-authenticate"].startswith("Bearer")


BAD = [
    {"Authorization": "Bearer ak_srv_unknown"}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Bearer"},
    {"Authorization": ""}, {"Authorization": "Basic YTpi"}, {"Authorization": "ApiKey "}, {"X-API-Key": ""},
    {"X-API-Key": "null"}, {"X-API-Key": "ak_srv_unknown"}, {"Cookie": "automatos_session=unknown"},
    {"X-API-Key": "a" * 9000},
]


@pytest.mark.parametrize("require_auth", [True, False])
@pytest.mark.parametrize("bad", BAD, ids=str)
async def test_bad_credential_never_falls_through(build: Build, bad: dict[str, str], require_auth: bool) -> None:
    house = build(require_auth=require_auth)

    assert problem(await house.client.get(PROBE, headers=bad)) == (401, "invalid_credential")


async def test_bad_authorization_is_not_rescued_by_a_good_key_or_cookie(house: House) -> None:
    ada = await house.person()
    key = (await house.key(ada, ada.home))["key"]

    rescued = {"Authorization": "Bearer x.y.z", "X-API-Key": key, **ada.cookie}

    assert problem(await house.client.get(PROBE, headers=rescued)) == (401, "invalid_credential")
    assert problem(await house.client.get(PROBE, headers={"X-API-Key": "ak_srv_x", **ada.cookie}))[0] == 401


async def test_credential_sent_twice_is_refused(house: House) -> None:
    ada = await house.person()
    key = (await house.key(ada, ada.home))["key"]

    answer = await house.client.get(PROBE, headers=[("X-API-Key", key), ("X-API-Key", key)])

    assert problem(answer) == (400, "ambiguous_credential")


async def test_dead_cookie_is_taken_back(house: House) -> None:
    answer = await house.client.get(PROBE, headers={"Cookie": "automatos_session=unknown"})

    assert 'automatos_session=""' in answer.headers["set-cookie"]
    assert "Max-Age=0" in answer.headers["set-cookie"]


@pytest.mark.parametrize(("extra", "status"), [
    ({}, 403), ({"X-Requested-With": "automatos"}, 200), ({"X-Requested-With": "XMLHttpRequest"}, 403),
    ({"Origin": "http://localhost:8000"}, 200), ({"Origin": "http://localhost:8000.evil.example"}, 403),
    ({"Origin": "http://evil.example"}, 403), ({"Origin": "null"}, 403), ({"Origin": ""}, 403),
    ({"Sec-Fetch-Site": "same-origin"}, 200), ({"Sec-Fetch-Site": "same-site"}, 403),
    ({"Sec-Fetch-Site": "cross-site"}, 403), ({"Sec-Fetch-Site": "none"}, 403),
    ({"Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"}, 403),
    ({"Origin": "http://evil.example", "X-Requested-With": "automatos"}, 403),
    ({"Origin": "http://127.0.0.1:8000"}, 200), ({"Origin": "http://localhost:9999"}, 403),
    ({"Origin": "http://localhost"}, 403), ({"Origin": "http://[::1]:8000"}, 200),
], ids=str)
async def test_change_by_cookie_must_come_from_our_own_pages(house: House, extra: dict[str, str], status: int) -> None:
    ada = await house.person()
    cookie = {"Cookie": ada.cookie["Cookie"]}

    assert (await house.client.post(CHANGE, headers=cookie | extra)).status_code == status
    assert (await house.client.get(PROBE, headers=cookie | extra)).status_code == 200


async def test_public_address_counts_as_our_own_origin(build: Build) -> None:
    house = build(public_url="https://recipes.example.org/")
    ada = await house.person()
    headers = {"Cookie": ada.cookie["Cookie"], "Origin": "https://recipes.example.org"}

    assert (await house.client.post(CHANGE, headers=headers)).status_code == 200


async def test_key_needs_no_proof_of_origin(house: House) -> None:
    headers = await carried(house, "x-api-key")

    assert (await house.client.post(CHANGE, headers=headers | {"Origin": "http://evil.example"})).status_code == 200


async def test_without_auth_anybody_here_is_the_owner_but_foreign_pages_are_not(build: Build) -> None:
    house = build(require_auth=False)

    me = (await house.client.get("/api/auth/me")).json()

    assert (me["user"], me["role"], me["auth_method"]) == (None, "owner", "none")
    assert me["workspace_id"] == str(house.settings.default_tenant_id)
    assert (await house.client.get("/api/auth/config")).json()["mode"] == "none"
    assert (await house.client.post(CHANGE)).status_code == 200
    assert problem(await house.client.post(CHANGE, headers={"Origin": "http://evil.example"}))[0] == 403
    assert problem(await house.client.post(CHANGE, headers={"Sec-Fetch-Site": "cross-site"}))[0] == 403
    assert problem(await house.client.get(PROBE, headers={"X-Workspace-ID": str(uuid4())})) == (403, "not_a_member")


@pytest.mark.parametrize(("role", "allowed"), [
    (Role.VIEWER, ["viewer"]), (Role.EDITOR, ["viewer", "editor"]), (Role.ADMIN, ["viewer", "editor", "admin"]),
    (Role.OWNER, ["viewer", "editor", "admin", "owner"]),
])
@pytest.mark.parametrize("carrier", ["cookie", "x-api-key"])
async def test_each_policy_lets_in_its_role_and_those_above(
    house: House, role: Role, allowed: list[str], carrier: str
) -> None:
    owner, member = await house.person("owner"), await house.person("member")
    place = await house.shared(owner, member=(member, role))
    key = (await house.key(owner, place, role=role))["key"]
    headers = member.at(place) if carrier == "cookie" else {"X-API-Key": key}

    answers = {name: await house.client.get(f"/probe/{name}", headers=headers) for name in Role}

    assert [name for name, answer in answers.items() if answer.status_code == 200] == allowed
    assert all(problem(answer) == (403, "role_too_low") for name, answer in answers.items() if name not in allowed)
    assert problem(await house.client.get("/probe/system", headers=headers)) == (403, "system_admin_required")


async def test_expired_session_is_refused(house: House) -> None:
    ada = await house.person()
    async with house.database.recording(None, Scope.AUTH) as connection:
        await connection.execute("UPDATE user_sessions SET expires_at = now() WHERE user_id = $1", ada.id)

    assert problem(await house.client.get(PROBE, headers=ada.cookie)) == (401, "invalid_credential")


async def test_switched_off_account_is_refused(house: House) -> None:
    ada = await house.person()
    async with house.database.recording(None, Scope.AUTH) as connection:
        await connection.execute("UPDATE users SET is_active = false WHERE id = $1", ada.id)

    assert problem(await house.client.get(PROBE, headers=ada.cookie)) == (401, "invalid_credential")


async def test_expired_and_revoked_keys_are_refused(house: House) -> None:
    ada = await house.person()
    kept = await house.key(ada, ada.home)
    soon = await house.key(ada, ada.home, expires_at=(datetime.now(UTC) + timedelta(hours=1)).isoformat())
    async with house.database.recording(ada.home) as connection:
        await connection.execute("UPDATE api_keys SET expires_at = now() WHERE id = $1", UUID(soon["id"]))
    before = (await house.client.get(PROBE, headers={"X-API-Key": kept["key"]})).status_code
    await house.client.delete(f"/api/api-keys/{kept['id']}", headers=ada.cookie)

    assert before == 200
    for key in (kept, soon):
        assert problem(await house.client.get(PROBE, headers={"X-API-Key": key["key"]})) == (401, "invalid_credential")


@pytest.mark.parametrize("empty", ["", " "])
async def test_empty_platform_key_matches_nothing(build: Build, empty: str) -> None:
    house = build(platform_api_key=SecretStr(empty.strip()))

    assert problem(await house.client.get(PROBE, headers={"X-API-Key": empty}))[0] == 401


@CARRIERS
async def test_open_streams_can_ask_whether_their_caller_is_still_allowed(house: House, carrier: str) -> None:
    owner, member = await house.person("owner"), await house.person("member")
    place = await house.shared(owner, member=(member, Role.EDITOR))
    key = await house.key(owner, place)
    headers = member.at(place) if carrier == "cookie" else {
        "bearer": {"Authorization": f"Bearer {key['key']}"}, "x-api-key": {"X-API-Key": key["key"]},
        "apikey": {"Authorization": f"ApiKey {key['key']}"}}[carrier]
    asks = house.app.state.services.authenticator
    caller = await asks.authenticate(present(headers, place))

    first = await asks.is_still_allowed(caller)
    if carrier == "cookie":
        await house.join(place, member, Role.VIEWER)
    else:
        await house.client.delete(f"/api/api-keys/{key['id']}", headers=owner.at(place))

    assert (await house.client.get("/probe/still", headers=owner.at(place))).json() is True
    assert first is True
    assert await asks.is_still_allowed(caller) is False


def present(headers: dict[str, str], workspace_id: UUID) -> Presented:
    if cookie := headers.get("Cookie"):
        return Presented(Carrier.COOKIE, cookie.partition("=")[2], workspace_id)
    secret = headers.get("X-API-Key") or headers["Authorization"].split()[1]
    return Presented(Carrier.API_KEY, secret, workspace_id)


async def test_a_request_costs_one_statement(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = await house.person()
    key = (await house.key(ada, ada.home))["key"]
    await house.client.get(PROBE, headers={"X-API-Key": key})
    async with house.database.recording(None, Scope.AUTH) as connection:
        said: list[str] = []
        connection.add_query_logger(lambda record: said.append(record.query))

    for headers in (ada.cookie, {"X-API-Key": key}):
        said.clear()
        assert (await house.client.get(PROBE, headers=headers)).status_code == 200
        assert len([query for query in said if not query.startswith("SET ")]) == 1
