"""Credentials over HTTP: a secret goes in and never comes out."""

import asyncio

import aiohttp
import pytest

from automatos.kernel.db import Database
from tests.fakes.model_server import ModelServer
from tests.surface import Client, add_key

SECRET = "sk-live-1234567890-wxyz"
BODY = {"name": "Main", "provider": "custom", "value": SECRET}


@pytest.fixture
def body(model_server: ModelServer) -> dict[str, str]:
    return BODY | {"base_url": model_server.base_url}


async def with_role(client: Client, database: Database, role: str) -> Client:
    return Client(client.http, client.workspace_id,
                  {"X-API-Key": await add_key(database, client.workspace_id, role)})


async def test_a_stored_credential_is_listed_by_its_hint_and_tested(client: Client, body: dict[str, str]) -> None:
    created = await client.post("/api/credentials", json=body)
    credential_id = created.json()["id"]
    tested = await client.post(f"/api/credentials/{credential_id}/test")
    listed = await client.get("/api/credentials")

    assert created.status == 201
    assert created.json()["hint"] == "…wxyz"
    assert tested.json()["status"] == "passed"
    assert "fake-model" in tested.json()["models"]
    (row,) = listed.json()["items"]
    assert (row["test_status"], listed.json()["total"]) == ("passed", 1)
    assert row["last_tested_at"]
    assert not any(SECRET.encode() in answer.body for answer in (created, tested, listed))


async def test_a_key_is_tried_before_it_is_saved_and_nothing_is_stored(client: Client, body: dict[str, str]) -> None:
    tried = {name: value for name, value in body.items() if name != "name"}

    good = await client.post("/api/credentials/test", json=tried)
    bad = await client.post("/api/credentials/test", json=tried | {"value": "bad-key"})

    assert (good.json()["status"], bad.json()["status"]) == ("passed", "failed")
    assert (await client.get("/api/credentials")).json()["total"] == 0


async def test_it_is_used_from_the_next_call_on_until_it_is_deleted(client: Client, body: dict[str, str]) -> None:
    async def is_configured() -> bool:
        providers = (await client.get("/api/models/providers")).json()["items"]
        return next(p["configured"] for p in providers if p["name"] == "custom")

    assert not await is_configured()
    created = await client.post("/api/credentials", json=body)
    assert await is_configured()
    deleted = await client.delete(f"/api/credentials/{created.json()['id']}")
    assert deleted.status == 204
    assert not await is_configured()


async def test_foreign_and_absent_credentials_answer_alike(
    client: Client, stranger: Client, body: dict[str, str]
) -> None:
    credential_id = (await client.post("/api/credentials", json=body)).json()["id"]

    for path in (f"/api/credentials/{credential_id}", "/api/credentials/00000000-0000-7000-8000-000000000000"):
        deleted, tested = await stranger.delete(path), await stranger.post(f"{path}/test")
        assert (deleted.status, deleted.code) == (tested.status, tested.code) == (404, "credential_not_found")
    assert (await stranger.get("/api/credentials")).json()["items"] == []
    assert (await client.get("/api/credentials")).json()["total"] == 1


@pytest.mark.parametrize(("role", "reads", "writes"), [("viewer", 403, 403), ("editor", 200, 403), ("admin", 200, 201)])
async def test_editors_see_that_credentials_exist_and_admins_change_them(
    client: Client, database: Database, body: dict[str, str], role: str, reads: int, writes: int
) -> None:
    caller = await with_role(client, database, role)

    assert (await caller.get("/api/credentials")).status == reads
    assert (await caller.post("/api/credentials", json=body)).status == writes
    tried = {name: value for name, value in body.items() if name != "name"}
    assert (await caller.post("/api/credentials/test", json=tried)).status == (200 if writes == 201 else 403)


@pytest.mark.parametrize(("change", "status", "code"), [
    ({"provider": "opnai"}, 422, "unknown_provider"), ({"base_url": "file:///etc/passwd"}, 422, "credential_invalid"),
    ({"base_url": "http://10.0.0.5/v1"}, 422, "credential_invalid"),  # a private address that nobody listed
    ({"name": ""}, 422, "invalid_request"), ({"value": "x" * 5000}, 422, "invalid_request"),
    ({"workspace_id": "00000000-0000-0000-0000-000000000000"}, 422, "invalid_request"),
    ({"value": "a\u0000b"}, 422, "invalid_request"),
])
async def test_what_is_wrong_is_named_without_repeating_the_secret(
    client: Client, body: dict[str, str], change: dict[str, str], status: int, code: str
) -> None:
    answer = await client.post("/api/credentials", json=body | change)

    assert (answer.status, answer.code) == (status, code)
    assert SECRET.encode() not in answer.body


async def test_of_many_creations_with_one_name_one_wins(client: Client, body: dict[str, str]) -> None:
    answers = await asyncio.gather(*(client.post("/api/credentials", json=body) for _ in range(5)))

    assert sorted(answer.status for answer in answers) == [201, 409, 409, 409, 409]
    assert {answer.code for answer in answers if answer.status == 409} == {"credential_name_taken"}


async def test_nobody_without_a_key_gets_in(http: aiohttp.ClientSession) -> None:
    async with http.get("/api/credentials") as response:
        assert response.status == 401
