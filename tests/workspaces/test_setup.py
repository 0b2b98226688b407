"""First start: exactly one first account, only from here or with the printed token."""

import asyncio

import pytest

from automatos.entrypoints.startup import OpenServerRefused, refuse_open_server
from automatos.kernel.db import Scope
from automatos.workspaces.service import get_or_create_default_workspace, setup_token
from tests.workspaces.conftest import Build, House, problem

pytestmark = pytest.mark.usefixtures("nobody")
OWNER = {"email": "Owner@Example.org ", "name": "Ada", "password": "correct horse"}


async def test_first_account_becomes_system_admin_and_owner_and_is_signed_in(house: House) -> None:
    before = (await house.client.get("/api/auth/config")).json()
    response = await house.client.post("/api/setup", json=OWNER)

    me = response.json()
    assert before["needs_setup"] is True
    assert before["mode"] == "local"
    assert response.status_code == 201
    assert me["user"] | {"id": 0} == {
        "id": 0, "email": "owner@example.org", "name": "Ada", "system_role": "admin"
    }
    assert (me["role"], me["auth_method"], me["is_system_admin"]) == ("owner", "session", True)
    assert [place["id"] for place in me["workspaces"]] == [me["workspace_id"]]
    cookie = response.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie
    assert (await house.client.get("/api/auth/me")).json() == me
    assert (await house.client.get("/api/auth/config")).json()["needs_setup"] is False
    assert ("owner@example.org", "server.set_up") in await house.audit(me["workspace_id"])


async def test_set_up_closes_for_good(house: House) -> None:
    await house.client.post("/api/setup", json=OWNER)

    again = await house.client.post("/api/setup", json=OWNER | {"email": "second@example.org"})

    assert problem(again) == (409, "already_set_up")


async def test_of_two_set_ups_at_once_exactly_one_succeeds(house: House) -> None:
    answers = await asyncio.gather(*(
        house.client.post("/api/setup", json=OWNER | {"email": f"{n}@example.org"}) for n in range(2)
    ))

    assert sorted(answer.status_code for answer in answers) == [201, 409]
    async with house.database.recording(None, Scope.AUTH) as connection:
        assert await connection.fetchval("SELECT count(*) FROM users") == 1
        assert await connection.fetchval("SELECT count(*) FROM workspaces") == 1


async def test_from_another_machine_only_with_the_printed_token(build: Build) -> None:
    house = build(peer="203.0.113.9", base_url="http://automatos.example:8000", trusted_hosts=("automatos.example",))
    token = setup_token(house.settings)
    file = house.settings.home / "setup-token"

    without = await house.client.post("/api/setup", json=OWNER)
    wrong = await house.client.post("/api/setup", json=OWNER | {"token": "guess"})
    assert file.stat().st_mode & 0o777 == 0o600
    right = await house.client.post("/api/setup", json=OWNER | {"token": token})

    assert problem(without) == problem(wrong) == (403, "setup_refused")
    assert right.status_code == 201
    assert not file.exists()


@pytest.mark.parametrize("headers", [
    {"X-Forwarded-For": "127.0.0.1"}, {"Forwarded": "for=127.0.0.1"}, {"X-Forwarded-Proto": "https"}, {"Via": "1.1 a"},
], ids=str)
async def test_loopback_peer_does_not_count_behind_a_proxy(house: House, headers: dict[str, str]) -> None:
    assert problem(await house.client.post("/api/setup", json=OWNER, headers=headers)) == (403, "setup_refused")


async def test_nobody_counts_as_near_under_a_foreign_name(build: Build) -> None:
    house = build(base_url="http://evil.example:8000")

    assert problem(await house.client.post("/api/setup", json=OWNER)) == (400, "untrusted_host")


@pytest.mark.parametrize("outside", [
    {"public_url": "https://automatos.example"}, {"trusted_hosts": ("automatos.example", "127.0.0.1")},
], ids=str)
async def test_a_server_that_is_known_elsewhere_is_set_up_with_the_token_only(
    build: Build, outside: dict[str, object]
) -> None:
    house = build(**outside)

    assert problem(await house.client.post("/api/setup", json=OWNER)) == (403, "setup_refused")
    assert problem(await house.client.get("/metrics")) == (401, "not_signed_in")
    body = OWNER | {"token": setup_token(house.settings)}
    assert (await house.client.post("/api/setup", json=body)).status_code == 201


async def test_wrong_token_is_refused_even_here(house: House) -> None:
    for token in ("guess", " "):
        refused = await house.client.post("/api/setup", json=OWNER | {"token": token})
        assert problem(refused) == (403, "setup_refused")


async def test_setup_token_stays_the_same_until_it_is_used(house: House) -> None:
    assert setup_token(house.settings) == setup_token(house.settings) != ""


async def test_owner_takes_over_what_single_user_mode_made(build: Build) -> None:
    open_house = build(require_auth=False)
    alone = (await open_house.client.get("/api/auth/me")).json()
    house = build()

    me = (await house.client.post("/api/setup", json=OWNER)).json()

    assert me["workspace_id"] == alone["workspace_id"] == str(house.settings.default_tenant_id)


async def test_default_workspace_is_made_once(house: House) -> None:
    made = await asyncio.gather(*(get_or_create_default_workspace(house.database, house.settings) for _ in range(3)))

    assert set(made) == {house.settings.default_tenant_id}


@pytest.mark.parametrize("body", [
    OWNER | {"password": "short"}, OWNER | {"email": "nobody"}, OWNER | {"name": ""}, OWNER | {"system_role": "admin"},
    OWNER | {"name": "a\x00b"}, {"email": "a@b.c"},
])
async def test_refuses_bad_accounts(house: House, body: dict[str, str]) -> None:
    assert (await house.client.post("/api/setup", json=body)).status_code == 422


async def test_open_server_is_refused_on_an_address_that_others_reach(house: House) -> None:
    refuse_open_server(house.settings.model_copy(update={"require_auth": False, "host": "127.0.0.1"}))
    refuse_open_server(house.settings.model_copy(update={"require_auth": True, "host": "0.0.0.0"}))
    with pytest.raises(OpenServerRefused, match=r"0\.0\.0\.0"):
        refuse_open_server(house.settings.model_copy(update={"require_auth": False, "host": "0.0.0.0"}))
