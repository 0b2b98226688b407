"""Every way in, with sign-in on and off, under our own and under foreign hosts and origins."""

from uuid import UUID

import pytest

from automatos.workspaces.types import Role
from tests.workspaces.conftest import Build, House, problem

OWN, EVIL = "http://localhost:8000", "http://evil.example:8000"
PROBE = "/probe/viewer"
CARRIERS = ["cookie", "bearer", "apikey", "x-api-key", "nothing"]


async def carried(house: House, carrier: str) -> dict[str, str]:
    """Return the headers of an owner who comes by this carrier; a cookie without any proof of its page."""
    ada = await house.person()
    if carrier == "nothing":
        return {}
    if carrier == "cookie":
        return {"Cookie": ada.cookie["Cookie"]}
    key = (await house.key(ada, ada.home, role=Role.OWNER))["key"]
    return {"bearer": {"Authorization": f"Bearer {key}"}, "apikey": {"Authorization": f"ApiKey {key}"},
            "x-api-key": {"X-API-Key": key}}[carrier]


@pytest.mark.parametrize("require_auth", [True, False])
@pytest.mark.parametrize("carrier", CARRIERS)
async def test_a_foreign_host_opens_nothing_to_anybody(build: Build, require_auth: bool, carrier: str) -> None:
    credential = await carried(build(), carrier)
    house = build(require_auth=require_auth)

    for headers in (
        {"Host": "evil.example:8000", "Origin": EVIL}, {"Host": "evil.example"}, {"Host": "localhost.evil.example:80"},
        {"Host": "127.0.0.1.evil.example"}, {"Host": "evil@localhost:8000"}, {"Host": ""}, {"Host": "10.0.0.7:8000"},
        {"Host": "evil.example:8000", "X-Requested-With": "automatos", "X-Forwarded-Host": "localhost:8000"},
    ):
        for method in ("GET", "POST"):
            answer = await house.client.request(method, PROBE, headers=credential | headers)
            assert problem(answer) == (400, "untrusted_host"), (method, headers)
            assert "AUTOMATOS_TRUSTED_HOSTS" in answer.json()["detail"]
            assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("require_auth", [True, False])
@pytest.mark.parametrize("carrier", CARRIERS)
async def test_a_foreign_origin_changes_nothing_by_cookie_or_without_sign_in(
    build: Build, require_auth: bool, carrier: str
) -> None:
    credential = await carried(build(), carrier)
    house = build(require_auth=require_auth)

    for proof in ({}, {"X-Requested-With": "automatos"}, {"Sec-Fetch-Site": "same-origin"}):
        for origin in (EVIL, "null", "http://localhost.evil.example:8000", "http://localhost:3001"):
            refused = await house.client.post(PROBE, headers=credential | proof | {"Origin": origin})
            if carrier in {"cookie", "nothing"}:
                assert problem(refused) == (403, "same_origin_required"), (proof, origin)
            else:  # no browser adds a key by itself
                assert refused.status_code == 200
        own = await house.client.post(PROBE, headers=credential | proof | {"Origin": OWN})
        if carrier == "nothing" and require_auth:
            assert problem(own) == (401, "not_signed_in")
        else:
            assert own.status_code == 200
            assert UUID(own.json()["workspace_id"])


async def test_a_page_that_rebinds_its_name_makes_no_key_of_a_server_without_sign_in(build: Build) -> None:
    house = build(require_auth=False)
    rebound = {"Host": "evil.example:8000", "Origin": EVIL, "Sec-Fetch-Site": "same-origin"}

    made = await house.client.post("/api/api-keys", json={"name": "mine", "role": "owner"}, headers=rebound)
    read = await house.client.get("/api/auth/me", headers=rebound)

    assert problem(made) == problem(read) == (400, "untrusted_host")


@pytest.mark.parametrize(("origin", "status"), [
    ("https://automatos.example", 200), ("http://automatos.example:8000", 200), ("https://automatos.example:8443", 403),
    ("https://public.example", 200), ("http://public.example:81", 403), ("https://other.example", 403),
])
async def test_origins_are_judged_by_the_list_and_not_by_the_host_that_a_proxy_sends(
    build: Build, origin: str, status: int
) -> None:
    house = build(trusted_hosts=("automatos.example", "*"), public_url="https://public.example/")
    ada = await house.person()

    answer = await house.client.post(PROBE, headers={"Cookie": ada.cookie["Cookie"], "Origin": origin,
                                                     "Host": "127.0.0.1:8000"})

    assert answer.status_code == status
