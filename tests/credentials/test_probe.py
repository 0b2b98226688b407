"""Trying a key at its provider."""

import asyncio

import pytest
from aiohttp import web

from automatos.credentials import probe as probe_module
from automatos.credentials.probe import probe
from automatos.credentials.service import get_provider
from automatos.credentials.types import ProviderAccess
from automatos.kernel.http import Http
from automatos.kernel.secret import Secret
from tests.fakes.model_server import ModelServer


def secret_of(
    base_url: str, provider: str = "custom", value: str = "good-key", *, allow_private: bool = True
) -> ProviderAccess:
    return ProviderAccess(get_provider(provider), Secret(value), base_url, "workspace", allow_private=allow_private)


async def test_a_good_key_passes_and_names_models(outgoing: Http, model_server: ModelServer) -> None:
    openai = await probe(outgoing, secret_of(model_server.base_url))
    anthropic = await probe(outgoing, secret_of(model_server.url, "anthropic"))

    assert (openai.status, anthropic.status) == ("passed", "passed")
    assert "fake-model" in openai.models
    assert "fake-model" in anthropic.models


async def test_a_bad_key_fails_without_being_repeated(outgoing: Http, model_server: ModelServer) -> None:
    result = await probe(outgoing, secret_of(model_server.base_url, value="bad-key-12345"))

    assert result.status == "failed"
    assert "does not accept this key (401)" in result.message
    assert "bad-key" not in result.message


async def test_a_private_address_is_refused_at_the_connection(outgoing: Http, model_server: ModelServer) -> None:
    result = await probe(outgoing, secret_of(model_server.base_url, "openai", allow_private=False))

    assert (result.status, "private address" in result.message) == ("failed", True)


async def test_a_name_that_leads_to_a_private_address_is_refused_too(outgoing: Http, model_server: ModelServer) -> None:
    url = model_server.base_url.replace("127.0.0.1", "localhost")

    assert "private address" in (await probe(outgoing, secret_of(url, "openai", allow_private=False))).message


async def test_nobody_there_is_said_so(outgoing: Http, model_server: ModelServer) -> None:
    await model_server.stop()

    assert "cannot be reached" in (await probe(outgoing, secret_of(model_server.base_url))).message


@pytest.mark.parametrize(("path", "words"), [
    ("/redirect", "redirect (302), which is not followed"), ("/html", "not a model API"), ("/hang", "did not answer"),
    ("/drip", "did not answer"), ("/missing", "(404)"), ("/busy", "(429)"), ("/list", "offers 1 models"),
])
async def test_every_odd_answer_is_explained_and_none_is_waited_for_without_end(
    outgoing: Http, monkeypatch: pytest.MonkeyPatch, path: str, words: str
) -> None:
    monkeypatch.setattr(probe_module, "DEADLINE_S", 0.5)

    async with odd_server() as url:
        result = await probe(outgoing, secret_of(url + path))

    assert words in result.message


@pytest.mark.parametrize(("path", "names"), [
    ("/list", ["one"]), ("/names", ["one", "two"]), ("/ollama", ["one:8b"]), ("/google", ["one"]), ("/null", []),
    ("/mixed", ["one"]),
])
async def test_lists_of_models_are_read_in_every_shape(outgoing: Http, path: str, names: list[str]) -> None:
    async with odd_server() as url:
        assert (await probe(outgoing, secret_of(url + path))).models == names
        assert "not a model API" in (await probe(outgoing, secret_of(url + "/other"))).message


@pytest.mark.parametrize("is_public", [True, False])
async def test_a_list_that_everybody_may_see_proves_no_key(
    outgoing: Http, model_server: ModelServer, is_public: bool
) -> None:
    model_server.keeps_models = not is_public
    result = await probe(outgoing, secret_of(model_server.base_url, "openrouter"))

    assert result.status == "passed"
    assert ("only a call to a model proves the key" in result.message) is is_public
    assert ("accepted the key" in result.message) is not is_public


FORBIDDEN: dict[str, tuple[object, str]] = {
    "place": ({"error": {"message": "Country, region, or territory not supported",
                         "code": "unsupported_country_region_territory"}}, "country or region"),
    "moderated": ({"error": {"message": "Input was flagged by moderation"}}, "says nothing against the key"),
    "rights": ({"error": {"message": "Your organization must be verified"}}, "look at the rights"),
    "scope": ({"message": "Missing permissions: the scope api.model.read is needed"}, "look at the rights"),
    "page": ("<html><title>Blocked</title></html>", "web page"),
}


@pytest.mark.parametrize(("body", "words"), FORBIDDEN.values(), ids=FORBIDDEN)
async def test_what_else_is_forbidden_is_not_told_as_a_bad_key(outgoing: Http, body: object, words: str) -> None:
    async with odd_server(body) as url:
        result = await probe(outgoing, secret_of(url + "/forbidden"))

    assert result.status == "failed"
    assert words in result.message
    assert "does not accept this key" not in result.message


@pytest.mark.parametrize("body", [{"error": {"message": "Invalid API key provided"}}, {"detail": "no such token"}, ""])
async def test_a_forbidden_key_is_told_as_one(outgoing: Http, body: object) -> None:
    async with odd_server(body) as url:
        result = await probe(outgoing, secret_of(url + "/forbidden"))

    assert "does not accept this key (403)" in result.message


class odd_server:  # noqa: N801
    """A server that answers oddly, one way per path; `forbidden` is what it says with a 403."""

    def __init__(self, forbidden: object = "") -> None:
        self.forbidden = forbidden

    async def __aenter__(self) -> str:
        app = web.Application()
        app.router.add_get("/{way}/models", self.answer)
        self.runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self.runner.addresses[0][1]}"

    async def __aexit__(self, *_: object) -> None:
        await self.runner.cleanup()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        way = request.match_info["way"]
        if way == "forbidden":
            said = self.forbidden
            return web.Response(status=403, text=said) if isinstance(said, str) else web.json_response(said, status=403)
        if way == "hang":
            await asyncio.sleep(60)
        if way == "drip":
            response = web.StreamResponse()
            await response.prepare(request)
            while True:
                await response.write(b" ")
                await asyncio.sleep(0.1)
        answers = {
            "redirect": web.Response(status=302, headers={"Location": "http://169.254.169.254/"}),
            "html": web.Response(text="<html>", content_type="text/html"), "busy": web.Response(status=429),
            "list": web.json_response([{"id": "one"}]), "names": web.json_response({"models": ["one", "two"]}),
            "ollama": web.json_response({"models": [{"name": "one:8b", "model": "one:8b"}]}),
            "google": web.json_response({"models": [{"name": "models/one"}]}),
            "null": web.json_response({"data": None}),
            "other": web.json_response({"items": []}), "mixed": web.json_response({"data": [None, 5, {"id": "one"}]}),
        }
        return answers.get(way) or web.Response(status=404)
