"""What a provider itself lists can be chosen: asked with the workspace's own key, once, and never another's."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.surface import Client

NAMES = [f"house/model-{number}:latest" for number in range(22)]


class Listing:
    """An OpenAI-compatible server of which only the list of models matters; it counts who asks."""

    def __init__(self) -> None:
        self.url = ""
        self.keys: list[str] = []
        self.status = 200
        self.names = NAMES

    async def answer(self, request: web.Request) -> web.Response:
        self.keys.append(request.headers.get("Authorization", ""))
        return web.json_response({"data": [{"id": name} for name in self.names]}, status=self.status)


@pytest.fixture
async def listing() -> AsyncIterator[Listing]:
    made = Listing()
    app = web.Application()
    app.router.add_get("/v1/models", made.answer)
    async with TestServer(app) as server:
        made.url = str(server.make_url("/v1"))
        yield made


async def store(client: Client, listing: Listing, provider: str = "vllm", value: str = "sk-own", **fields: Any) -> str:
    answer = await client.post("/api/credentials", json={
        "name": f"{provider} {value}", "provider": provider, "value": value, "base_url": listing.url} | fields)
    assert answer.status == 201, answer.body
    return answer.json()["id"]


async def offered(client: Client, provider: str = "vllm") -> dict[str, Any]:
    answer = await client.get("/api/models/offered", params={"provider": provider})
    assert answer.status == 200, answer.body
    return answer.json()


@pytest.mark.parametrize("provider", ["vllm", "ollama", "custom"])
async def test_all_that_a_provider_lists_is_offered_and_asked_for_once(
    client: Client, listing: Listing, provider: str
) -> None:
    listing.names = [f"model-{number}" for number in range(351)]
    await store(client, listing, provider)

    first, second = await offered(client, provider), await offered(client, provider)

    assert first["items"] == second["items"] == listing.names
    assert (first["total"], first["problem"]) == (351, None)
    assert len(listing.keys) == 1


async def test_a_new_key_is_asked_anew(client: Client, listing: Listing) -> None:
    credential = await store(client, listing)
    await offered(client)

    assert (await client.delete(f"/api/credentials/{credential}")).status == 204
    await store(client, listing, value="sk-new")
    await offered(client)

    assert listing.keys == ["Bearer sk-own", "Bearer sk-new"]


async def test_a_refusal_is_told_in_words_and_no_model_is_invented(client: Client, listing: Listing) -> None:
    listing.status = 401
    await store(client, listing)

    found = await offered(client)

    assert found["items"] == []
    assert "does not accept this key (401)" in found["problem"]


async def test_without_a_key_nobody_is_asked(client: Client, stranger: Client, listing: Listing) -> None:
    await store(stranger, listing)

    found = await offered(client)

    assert found["items"] == []
    assert "no key" in found["problem"]
    assert listing.keys == []


async def test_an_unknown_provider_is_named(client: Client) -> None:
    answer = await client.get("/api/models/offered", params={"provider": "nonsense"})

    assert (answer.status, answer.code) == (422, "unknown_provider")
