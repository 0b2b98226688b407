"""What a credential was used for: each call names it, and its changes stand beside its uses."""

from typing import Any
from uuid import UUID

import pytest

from automatos.credentials.seed import seed_credential_types
from automatos.kernel.db import Database
from automatos.kernel.ids import new_id
from automatos.llm.types import CallContext, Cost, Usage, UsageRow
from automatos.llm.usage import UsageRecorder
from tests.fakes.model_server import ModelServer, Reply
from tests.surface import Client, Make, add_key


@pytest.fixture
def model_server(shared_model_server: ModelServer) -> ModelServer:
    """The model server that the running application asks."""
    shared_model_server.reset()
    return shared_model_server


@pytest.fixture(autouse=True)
async def _types(database: Database) -> None:
    await seed_credential_types(database)


async def make_key(client: Client, url: str = "https://e.example/v1") -> str:
    made = await client.post("/api/credentials", json={
        "name": "Key", "provider": "custom", "value": "k" * 20, "base_url": url})
    assert made.status == 201, made.body
    return made.json()["id"]


@pytest.mark.capability("S041")
@pytest.mark.capability("S151")
async def test_every_call_to_a_model_names_the_credential_it_used(
    client: Client, make: Make, model_server: ModelServer, services: Any
) -> None:
    credential_id = await make_key(client, model_server.base_url)
    agent = await make.agent(model_config={"provider": "custom", "model_id": "fake-model"})
    recipe = await make.recipe({"prompt_template": "Hello", "agent_id": agent["id"]})
    model_server.script(Reply(status=500, headers={"Retry-After": "0"}), Reply(text="Hi", usage=(10, 5)))
    run = await client.cooked(recipe["template_id"])
    await services.models.flush_usage()

    audit = (await client.get(f"/api/credentials/{credential_id}/audit")).json()

    uses = [each for each in audit["items"] if each["kind"] == "use"]
    assert [(use["succeeded"], use["total_tokens"]) for use in uses] == [(True, 15), (False, 0)]
    assert {(use["agent_id"], use["run_id"], use["provider"], use["model_id"]) for use in uses} == {
        (agent["id"], run["id"], "custom", "fake-model")}
    changes = [each["action"] for each in audit["items"] if each["kind"] == "change"]
    assert changes == ["credential.created"]


@pytest.mark.capability("S041")
async def test_changes_and_tests_stand_there_with_who_made_them(client: Client, model_server: ModelServer) -> None:
    credential_id = await make_key(client, model_server.base_url)
    path = f"/api/credentials/{credential_id}"
    await client.put(path, json={"description": "Mine"})
    await client.post(f"{path}/test")
    await client.put(path, json={"data": {"api_key": "bad-key"}})
    await client.post(f"{path}/test")

    items = (await client.get(f"{path}/audit")).json()["items"]

    assert [(each["action"], each["succeeded"]) for each in items] == [
        ("credential.tested", False), ("credential.updated", True), ("credential.tested", True),
        ("credential.updated", True), ("credential.created", True)]
    assert all(each["actor"] for each in items)


async def test_pages_join_without_gap_or_repetition(client: Client, database: Database) -> None:
    credential_id = await make_key(client)
    recorder = UsageRecorder(database)
    for turn in range(1, 8):
        recorder.record(UsageRow(CallContext(client.workspace_id, run_id=new_id(), turn=turn), "custom", "m", 1,
                                 "success", Usage(1, 1), Cost(1, 1), credential_id=UUID(credential_id)))
        await recorder.flush()
        if turn % 2:
            await client.put(f"/api/credentials/{credential_id}", json={"description": f"{turn}"})
    path = f"/api/credentials/{credential_id}/audit"

    whole = (await client.get(path)).json()
    pages: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await client.get(path, params={"limit": "3"} | ({"cursor": cursor} if cursor else {}))).json()
        pages += page["items"]
        cursor = page["next_cursor"]

    assert (len(whole["items"]), whole["next_cursor"]) == (12, None)
    assert pages == whole["items"]
    assert [each["at"] for each in pages] == sorted((each["at"] for each in pages), reverse=True)


@pytest.mark.parametrize("cursor", ["x", "!!!!", "fHw", "MjAyNnx8", "w6Q=", "OTk5OXwxfDE=", "fDF8MQ==" * 12])
async def test_a_cursor_of_somebody_elses_making_is_refused_or_harmless(client: Client, cursor: str) -> None:
    credential_id = await make_key(client)

    answer = await client.get(f"/api/credentials/{credential_id}/audit", params={"cursor": cursor})

    assert answer.status in {200, 422}, answer.body


async def test_only_admins_of_the_workspace_read_it(client: Client, stranger: Client, database: Database) -> None:
    path = f"/api/credentials/{await make_key(client)}/audit"
    editor = Client(client.http, client.workspace_id,
                    {"X-API-Key": await add_key(database, client.workspace_id, "editor")})

    assert (await editor.get(path)).status == 403
    assert (await stranger.get(path)).code == "credential_not_found"
