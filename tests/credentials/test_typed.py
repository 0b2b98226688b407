"""Typed credentials over HTTP: checked by their schema, sealed as one document, shown only where a type allows it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from automatos.credentials import service
from automatos.credentials.contents import seal_context
from automatos.kernel.clock import now
from automatos.kernel.config import Settings
from automatos.kernel.crypto import Vault
from automatos.kernel.db import Database, Scope
from tests.surface import Answer, Client, add_key

PASSWORD = "correct-horse-battery"
POSTGRES = {"host": "db.example.com", "database": "shop", "username": "reader", "password": PASSWORD}


async def create(client: Client, credential_type: str = "postgres_credentials", data: dict[str, Any] | None = None,
                 **more: Any) -> Answer:
    return await client.post("/api/credentials", json={
        "name": "Shop", "credential_type": credential_type, "data": POSTGRES if data is None else data} | more)


@pytest.mark.capability("S040")
async def test_a_secret_field_is_said_to_be_set_and_the_others_are_shown_with_their_defaults(client: Client) -> None:
    created = await create(client, environment="staging", description="Orders", tags=["Shop", "shop", " EU "])
    read = await client.get(f"/api/credentials/{created.json()['id']}")

    assert created.status == 201, created.body
    assert created.json() == read.json()
    fields = created.json()["fields"]
    assert fields["password"] == {"is_secret": True, "is_set": True, "value": None, "hint": "…tery"}
    assert fields["host"] == {"is_secret": False, "is_set": True, "value": "db.example.com", "hint": ""}
    assert (fields["port"]["value"], fields["ssl_mode"]["value"]) == (5432, "prefer")
    assert PASSWORD.encode() not in created.body
    assert (created.json()["provider"], created.json()["tags"]) == (None, ["shop", "eu"])
    assert (created.json()["environment"], created.json()["description"]) == ("staging", "Orders")


@pytest.mark.capability("S040")
async def test_what_is_stored_is_sealed_as_a_whole(client: Client, database: Database) -> None:
    credential_id = (await create(client)).json()["id"]

    async with database.recording(client.workspace_id, Scope.ADMIN) as connection:
        row = await connection.fetchrow("SELECT * FROM credentials WHERE id = $1", UUID(credential_id))
    stored = f"{dict(row)}"
    assert not any(word in stored for word in (PASSWORD, "db.example.com", "reader"))


@pytest.mark.capability("S040")
@pytest.mark.parametrize(("change", "fields"), [
    ({"password": 5}, {"data.password"}), ({"port": "5432"}, {"data.port"}), ({"port": 70000}, {"data.port"}),
    ({"host": None}, {"data.host"}), ({"host": None, "username": None}, {"data.host", "data.username"}),
    ({"host": "a b"}, {"data.host"}), ({"ssl_mode": PASSWORD}, {"data.ssl_mode"}), ({PASSWORD: "x"}, {"data"}),
    ({"password": PASSWORD * 100}, {"data.password"}), ({"database": ""}, {"data.database"}),
])
async def test_every_field_that_does_not_fit_is_named_and_nothing_of_it_repeated(
    client: Client, change: dict[str, Any], fields: set[str]
) -> None:
    answer = await create(client, data=POSTGRES | change)

    assert (answer.status, answer.code) == (422, "credential_invalid")
    assert {error["field"] for error in answer.json()["errors"]} == fields
    assert PASSWORD.encode() not in answer.body
    assert (await client.get("/api/credentials")).json()["total"] == 0


@pytest.mark.parametrize(("credential_type", "data", "field"), [
    ("openai_api", {}, "data.api_key"), ("openai_api", {"api_key": "two words"}, "data.api_key"),
    ("openai_api", {"api_key": "k" * 20, "base_url": "http://10.0.0.1/v1"}, "data.base_url"),
    ("azure_openai", {"api_key": "k" * 20}, "data.base_url"), ("smtp_credentials", {"host": "m", "username": "u"},
                                                               "data.password"),
    ("http_header_auth", {"header_name": "X-Key:", "header_value": "v"}, "data.header_name"),
    ("http_header_auth", {"header_value": "a\nb"}, "data.header_value"),
])
async def test_each_type_has_its_own_rules(client: Client, credential_type: str, data: Any, field: str) -> None:
    answer = await create(client, credential_type, data)

    assert (answer.status, answer.json()["field"]) == (422, field)


@pytest.mark.parametrize("body", [
    {"name": "A"}, {"name": "A", "provider": "openai", "credential_type": "openai_api"},
    {"name": "A", "credential_type": "openai_api", "value": "k"}, {"name": "A", "provider": "openai", "data": {}},
    {"name": "A", "credential_type": "openai_api", "data": {"api_key": "k"}, "environment": "moon"},
    {"name": "A", "credential_type": "openai_api", "data": {"api_key": "k"}, "expires_at": "2030-01-01T00:00:00"},
    {"name": "A", "credential_type": "openai_api", "data": {"api_key": "a\u0000b"}},
])
async def test_one_form_is_given_whole(client: Client, body: dict[str, Any]) -> None:
    answer = await client.post("/api/credentials", json=body)

    assert (answer.status, answer.code) == (422, "invalid_request")


async def test_the_typed_and_the_short_form_make_the_same_credential(client: Client) -> None:
    short = await client.post("/api/credentials", json={"name": "A", "provider": "openai", "value": " sk-" + "k" * 20})
    typed = await create(client, "openai_api", {"api_key": "sk-" + "k" * 20 + " "}, name="B")

    same = ("credential_type", "provider", "base_url", "environment", "fields", "hint")
    assert {name: short.json()[name] for name in same} == {name: typed.json()[name] for name in same}


async def test_a_change_replaces_the_fields_it_names_and_keeps_the_others_sealed(
    client: Client, database: Database
) -> None:
    path = f"/api/credentials/{(await create(client)).json()['id']}"

    changed = await client.put(path, json={"data": {"database": "new", "ssl_mode": None}, "description": "New"})

    fields = changed.json()["fields"]
    assert (fields["database"]["value"], fields["ssl_mode"]["value"]) == ("new", "prefer")
    assert (fields["password"]["hint"], changed.json()["description"]) == ("…tery", "New")
    async with database.recording(client.workspace_id) as connection:
        audit = await connection.fetchrow("SELECT * FROM audit_log WHERE action = 'credential.updated'")
    assert audit["detail"]["fields"] == ["database", "ssl_mode"]


async def test_a_stored_secret_is_not_sent_to_a_new_address_unless_it_is_given_again(client: Client) -> None:
    path = f"/api/credentials/{(await create(client)).json()['id']}"

    alone = await client.put(path, json={"data": {"host": "evil.example.com"}})
    before = (await client.get(path)).json()["fields"]["host"]["value"]
    together = await client.put(path, json={"data": {"host": "new.example.com", "password": "correct battery"}})

    assert (alone.status, alone.code, alone.json()["field"]) == (422, "credential_invalid", "host")
    assert "password" in alone.json()["detail"]
    assert before != "evil.example.com"
    assert together.json()["fields"]["host"]["value"] == "new.example.com"


@pytest.mark.parametrize(("change", "status", "code"), [
    ({"data": {"port": -1}}, 422, "credential_invalid"), ({"name": None}, 422, "credential_invalid"),
    ({"expires_at": "2020-01-01T00:00:00Z"}, 422, "credential_invalid"),
    ({"name": "Other"}, 409, "credential_name_taken"),
    ({"credential_type": "openai_api"}, 422, "read_only_field"), ({"data": {"host": None}}, 422, "credential_invalid"),
])
async def test_a_change_that_does_not_fit_changes_nothing(
    client: Client, change: dict[str, Any], status: int, code: str
) -> None:
    await create(client, name="Other")
    created = (await create(client)).json()

    answer = await client.put(f"/api/credentials/{created['id']}", json=change)

    assert (answer.status, answer.code) == (status, code)
    assert (await client.get(f"/api/credentials/{created['id']}")).json() == created


async def test_switched_off_or_expired_it_is_kept_and_says_so(client: Client, database: Database) -> None:
    created = (await create(client, expires_at=(now() + timedelta(days=1)).isoformat())).json()
    path = f"/api/credentials/{created['id']}"
    async with database.recording(client.workspace_id) as connection:
        await connection.execute("UPDATE credentials SET expires_at = now() - interval '1 hour'")

    expired = (await client.get(path)).json()
    renamed = await client.put(path, json={"name": "Renamed", "is_active": False})
    revived = (await client.put(path, json={"expires_at": None, "is_active": True})).json()

    assert (created["is_expired"], expired["is_expired"]) == (False, True)
    assert (renamed.status, renamed.json()["is_active"], renamed.json()["is_expired"]) == (200, False, True)
    assert (revived["expires_at"], revived["is_active"]) == (None, True)


async def test_credentials_from_before_there_were_types_are_read_as_before(
    client: Client, database: Database, services: Any
) -> None:
    body = {"name": "Old", "provider": "openai", "value": "x" * 20}
    created = (await client.post("/api/credentials", json=body)).json()
    vault: Vault = services.vault
    sealed = vault.seal(b"sk-bare-key-of-old-1234", seal_context(client.workspace_id, UUID(created["id"])))
    async with database.recording(client.workspace_id) as connection:
        await connection.execute("UPDATE credentials SET sealed = $1, base_url = 'https://old.example.com'", sealed)
    services.keyring.forget(client.workspace_id)

    shown = (await client.get("/api/credentials")).json()["items"][0]["fields"]
    secret = await services.keyring.find_access(client.workspace_id, "openai")
    kept = (await client.put(f"/api/credentials/{created['id']}", json={"data": {"base_url": None}})).json()

    assert (shown["api_key"]["hint"], shown["base_url"]["value"]) == ("…1234", "https://old.example.com")
    assert (secret.key.reveal(), secret.base_url) == ("sk-bare-key-of-old-1234", "https://old.example.com")
    assert (kept["fields"]["api_key"]["hint"], kept["base_url"]) == ("…1234", None)


@pytest.mark.parametrize(("role", "reads", "writes"), [("viewer", 403, 403), ("editor", 200, 403), ("admin", 200, 200)])
async def test_editors_look_and_admins_change(
    client: Client, database: Database, role: str, reads: int, writes: int
) -> None:
    path = f"/api/credentials/{(await create(client)).json()['id']}"
    caller = Client(client.http, client.workspace_id, {"X-API-Key": await add_key(database, client.workspace_id, role)})

    assert (await caller.get(path)).status == reads
    assert (await caller.get("/api/credentials/resolve?provider=openai")).status == reads
    assert (await caller.put(path, json={"description": "x"})).status == writes
    assert (await caller.get("/api/credentials/types")).status == 200


async def test_foreign_and_absent_answer_alike(client: Client, stranger: Client) -> None:
    foreign = (await create(client)).json()["id"]

    for credential_id in (foreign, "00000000-0000-7000-8000-000000000000"):
        path = f"/api/credentials/{credential_id}"
        for answer in (await stranger.get(path), await stranger.put(path, json={"name": "Mine"}),
                       await stranger.get(f"{path}/audit")):
            assert (answer.status, answer.code) == (404, "credential_not_found")


async def test_there_is_an_end_to_how_many_a_workspace_holds(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MAX_CREDENTIALS", 1)
    await store(name="One", provider="openai", value="k" * 20)

    with pytest.raises(service.CredentialLimitReached):
        await store(name="Two", provider="openai", value="k" * 20)


async def test_one_that_no_key_opens_is_listed_with_what_to_do_and_takes_its_fields_again(
    client: Client, database: Database, tmp_path: Any
) -> None:
    created = (await create(client)).json()
    path = f"/api/credentials/{created['id']}"
    lost = Vault(Settings(home=tmp_path)).seal(b"{}", b"")
    async with database.recording(client.workspace_id) as connection:
        await connection.execute("UPDATE credentials SET sealed = $1", lost)

    listed = (await client.get("/api/credentials")).json()["items"][0]
    tested = await client.post(f"{path}/test")
    partly = await client.put(path, json={"data": {"password": "new"}})
    whole = await client.put(path, json={"data": POSTGRES})

    assert (listed["is_readable"], listed["fields"]["password"]["is_set"]) == (False, False)
    assert tested.code == "credential_unreadable"
    assert "keys/" in tested.json()["detail"]
    assert "again" in tested.json()["detail"]
    assert (partly.status, whole.status, whole.json()["is_readable"]) == (422, 200, True)
