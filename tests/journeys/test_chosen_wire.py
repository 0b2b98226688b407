"""What a credential says that its address speaks is what is asked there, and nothing else is tried."""

import pytest

from automatos.credentials.seed import seed_credential_types
from automatos.kernel.db import Database
from tests.fakes.model_server import ModelServer, Reply
from tests.surface import Client

PATHS = {"chat": "/v1/chat/completions", "responses": "/v1/responses", "messages": "/v1/messages"}


@pytest.fixture(autouse=True)
async def types(database: Database) -> None:
    await seed_credential_types(database)


async def stored(client: Client, server: ModelServer, provider: str, wire: str | None) -> str:
    body = {"name": "Gateway", "provider": provider, "value": "sk-gateway", "base_url": server.base_url}
    answer = await client.post("/api/credentials", json=body | ({"wire": wire} if wire else {}))
    assert answer.status == 201, answer.json()
    return answer.json()["id"]


@pytest.mark.parametrize("provider", ["custom", "ollama", "vllm"])
@pytest.mark.parametrize("wire", PATHS)
async def test_the_chosen_wire_is_asked_and_tested(
    client: Client, model_server: ModelServer, provider: str, wire: str
) -> None:
    model_server.serves_responses = True
    credential = await stored(client, model_server, provider, wire)
    model_server.script(Reply(text="ready"))

    tried = (await client.post(f"/api/credentials/{credential}/test")).json()
    told = (await client.post("/api/models/test", json={"provider": provider, "model_id": "m"})).json()

    assert (tried["status"], told["ok"]) == ("passed", True), (tried, told)
    assert [call.path for call in model_server.calls] == [PATHS[wire]]
    key = model_server.calls[0].headers["x-api-key" if wire == "messages" else "authorization"]
    assert key.endswith("sk-gateway")


@pytest.mark.parametrize("wire", [None, "auto"])
async def test_without_a_choice_the_provider_and_its_address_decide(
    client: Client, model_server: ModelServer, wire: str | None
) -> None:
    await stored(client, model_server, "custom", wire)

    told = (await client.post("/api/models/test", json={"provider": "custom", "model_id": "m"})).json()

    assert told["ok"] is True
    assert [call.path for call in model_server.calls] == [PATHS["chat"]]


async def test_a_chosen_wire_that_is_not_served_fails_and_no_other_is_tried(
    client: Client, model_server: ModelServer
) -> None:
    await stored(client, model_server, "custom", "responses")

    told = (await client.post("/api/models/test", json={"provider": "custom", "model_id": "m"})).json()

    assert (told["ok"], told["problem"]["code"]) == (False, "model_address_wrong")
    assert model_server.calls == []


async def test_the_choice_is_shown_and_can_be_changed(client: Client, model_server: ModelServer) -> None:
    credential = await stored(client, model_server, "custom", "messages")
    before = (await client.get(f"/api/credentials/{credential}")).json()

    await client.put(f"/api/credentials/{credential}", json={"data": {"wire": "chat"}})
    after = (await client.get(f"/api/credentials/{credential}")).json()
    told = (await client.post("/api/models/test", json={"provider": "custom", "model_id": "m"})).json()

    assert (before["fields"]["wire"]["value"], before["base_url"]) == ("messages", model_server.url)
    assert (after["fields"]["wire"]["value"], after["base_url"]) == ("chat", model_server.base_url)
    assert told["ok"] is True
    assert model_server.calls[0].path == PATHS["chat"]


@pytest.mark.parametrize(("body", "field"), [
    ({"provider": "custom", "wire": "grpc"}, "wire"), ({"provider": "anthropic", "wire": "chat"}, "wire"),
], ids=["unknown", "not for this provider"])
async def test_a_wire_that_cannot_be_is_refused(
    client: Client, model_server: ModelServer, body: dict[str, object], field: str
) -> None:
    filled = {"name": "Odd", "value": "sk-x", "base_url": model_server.base_url}

    refused = await client.post("/api/credentials", json=filled | body)

    assert refused.status == 422
    assert field in str(refused.json())
