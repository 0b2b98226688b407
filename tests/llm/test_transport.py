# ruff: noqa: E501, ISC004, PT018
"""Answers as servers send them: what the body is decides, and what went wrong reaches people in the provider's words."""

import asyncio

import orjson
import pytest

from automatos.kernel.config import Settings
from automatos.llm.errors import (
    AccessRefused,
    AddressWrong,
    AnswerRefused,
    CredentialRefused,
    ModelAnswerEmpty,
    ModelAnswerInvalid,
    ModelNotFound,
    ModelProblem,
    ModelRefused,
    QuotaExhausted,
)
from automatos.llm.types import ModelChoice
from tests.fakes.model_server import ModelServer, Reply
from tests.llm.conftest import Asker

CLAUDE = ModelChoice("anthropic", "claude-haiku-4-5")


def chunk(text: str = "", finish: str | None = None) -> bytes:
    return orjson.dumps({"object": "chat.completion.chunk", "choices": [
        {"index": 0, "delta": {"content": text} if text else {}, "finish_reason": finish}]})


def stream(*events: bytes, end: bytes = b"\n\n") -> bytes:
    return b"".join(b"data: " + event + end for event in events)


GOOD = (chunk("Hel"), chunk("lo"), chunk(finish="stop"), b"[DONE]")
WHOLE = b'{"choices":[{"message":{"content":"Hello"},"finish_reason":"stop"}]}'


@pytest.mark.parametrize("label", ["text/plain", "application/octet-stream", "application/json",
                                   "text/event-stream", "text/html", "application/x-ndjson"])
@pytest.mark.parametrize("body", [
    stream(*GOOD), stream(*GOOD, end=b"\r\r"), stream(*GOOD, end=b"\n"), stream(*GOOD, end=b"\r\n\r\n"),
    b"\xef\xbb\xbf" + stream(*GOOD), b"\n\n" + stream(*GOOD), b": hello\n\nevent: ping\ndata: {}\n\n" + stream(*GOOD),
    b"data: ping\n\nevent: start\ndata: who knows\n\n" + stream(*GOOD), WHOLE, b"  \r\n" + WHOLE,
    b"\n".join(GOOD[:3]),
], ids=["stream", "CR", "single ends", "CRLF", "BOM", "blank first", "comment and ping", "unknown events", "document",
        "document after blanks", "a document a line"])
async def test_the_body_decides_what_an_answer_is(
    ask: Asker, model_server: ModelServer, label: str, body: bytes
) -> None:
    model_server.script(Reply(body=body, content_type=label))

    completion = await ask(retries=0)

    assert completion.text == "Hello"
    assert len(model_server.calls) == 1


@pytest.mark.parametrize("body", [
    stream(b'{"object":"error","message":"context is 4096 tokens","type":"BadRequestError","code":400}', b"[DONE]"),
    stream(chunk("Half"), b'{"object":"error","message":"context is 4096 tokens"}', b"[DONE]"),
    stream(b'{"detail":"context is 4096 tokens","status":503}', b"[DONE]"),
    b"event: error\ndata: context is 4096 tokens\n\n",
    b'event: error\ndata: {"message": "context is 4096 tokens"}\n\n',
    b'[{"error":{"code":400,"message":"context is 4096 tokens"}}]',
    b'{"error":"context is 4096 tokens"}',
    b'{"errors":[{"message":"context is 4096 tokens"}]}',
    b'{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"{\\"error\\":{\\"message\\":\\"context is '
    b'4096 tokens\\"}}"}}}',
    b'{"base_resp":{"status_code":1013,"status_msg":"context is 4096 tokens"}}',
    b"context is 4096 tokens\x00",
    b'{"error":{"message":"context is 4096 tokens"}}\n{"choices":[]}',
    stream(b"context is 4096 tokens"),
    b"<!doctype html><html><head><title>context is 4096 tokens</title></head></html>",
], ids=[str(n) for n in range(14)])
async def test_the_providers_words_reach_people_whatever_shape_an_error_under_200_has(
    ask: Asker, model_server: ModelServer, body: bytes
) -> None:
    for choice in (ModelChoice("openai", "gpt-4o"), CLAUDE)[: 1 if b"Half" in body else 2]:
        model_server.script(Reply(body=body))

        with pytest.raises(ModelProblem) as caught:
            await ask(choice=choice, retries=0)

        assert "context is 4096 tokens" in caught.value.detail
        assert "\x00" not in caught.value.detail


@pytest.mark.parametrize("body", [
    b'{"detail":[{"loc":["body","x"],"msg":"the reason"}]}', b'{"message":"the reason"}', b'"the reason"',
    b'{"error":{"message":{"detail":"the reason"}}}', b"the reason", b"[\"the reason\"]", b'{"error_description":"the reason"}',
    "{\"error\":{\"message\":\"the reason, 不\"}}".encode("gb18030"),
])
async def test_the_providers_words_reach_people_whatever_shape_a_refusal_has(
    ask: Asker, model_server: ModelServer, body: bytes
) -> None:
    model_server.script(Reply(status=418, body=body))

    with pytest.raises(ModelRefused) as caught:
        await ask(retries=0)

    assert "the reason" in caught.value.detail


async def test_a_character_that_is_cut_in_two_pieces_is_whole(ask: Asker, model_server: ModelServer) -> None:
    halves = [b'{"choices":[{"index":0,"delta":{"content":"a \\ud83d"}}]}',
              b'{"choices":[{"index":0,"delta":{"content":"\\ude00 b"}}]}', chunk("\u00e9", "stop"), b"[DONE]"]
    model_server.script(Reply(body=stream(*halves), content_type="text/event-stream"))
    pieces: list[str] = []

    completion = await ask(on_delta=pieces.append, retries=0)

    assert completion.text == "".join(pieces) == "a \U0001f600 b\u00e9"


async def test_reading_stops_at_the_end_mark_while_the_socket_stays_open(ask: Asker, wired: Settings) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + stream(*GOOD))
        await writer.drain()
        await reader.read()  # until the other side closes

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        wired.openai_base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"

        completion = await asyncio.wait_for(ask(retries=0), 10)

    assert completion.text == "Hello"


@pytest.mark.parametrize(("reply", "kind", "words"), [
    (Reply(status=404, body=b'{"detail":"Not Found"}'), AddressWrong, "/v1/chat/completions"),
    (Reply(status=404, body=b"404 page not found"), AddressWrong, "/v1/chat/completions"),
    (Reply(status=404, html=True), AddressWrong, "base URL"),
    (Reply(status=405, body=b'{"detail":"Method Not Allowed"}'), AddressWrong, "does not take requests there"),
    (Reply(status=301, headers={"Location": "https://elsewhere.example/v1?key=1"}), AddressWrong,
     "https://elsewhere.example/v1 "),
    (Reply(status=404, body=b'{"error":"model \'x\' not found, try pulling it first"}'), ModelNotFound, "pulling"),
    (Reply(status=404, message="The API deployment for this resource does not exist.", code="DeploymentNotFound"),
     ModelNotFound, "deployment"),
    (Reply(status=403, message="Your prompt was flagged by the moderation filter"), ModelRefused, "moderation"),
    (Reply(status=403, message="Country, region, or territory not supported", code="unsupported_country_region_territory"),
     AccessRefused, "The key is right"),
    (Reply(status=403, message="Project proj_x does not have access to model gpt-9"), AccessRefused, "access to this model"),
    (Reply(status=403, message="Invalid API key"), CredentialRefused, "Replace the key"),
    (Reply(status=403, html=True), AccessRefused, "web page"),
    (Reply(status=400, message="API key not valid. Please pass a valid API key."), CredentialRefused, "Replace the key"),
    (Reply(status=400, message="Insufficient balance"), QuotaExhausted, "credit"),
], ids=[str(n) for n in range(14)])
async def test_advice_fits_what_is_wrong(
    ask: Asker, model_server: ModelServer, reply: Reply, kind: type[ModelProblem], words: str
) -> None:
    model_server.script(reply)

    with pytest.raises(kind) as caught:
        await ask(retries=0)

    assert type(caught.value) is kind
    assert words in caught.value.detail
    assert "key=1" not in caught.value.detail


@pytest.mark.parametrize("body", [
    stream(chunk("  \n"), chunk(finish="stop"), b"[DONE]"), stream(chunk(finish="stop"), b"[DONE]"),
    b'{"choices":[{"message":{"content":""},"finish_reason":"stop"}]}',
], ids=["blanks", "nothing", "whole"])
async def test_an_answer_of_nothing_is_no_success(ask: Asker, model_server: ModelServer, body: bytes) -> None:
    model_server.script(Reply(body=body), repeat=True)

    with pytest.raises(ModelAnswerEmpty):
        await ask(retries=1, pause_s=lambda _: 0.0)

    assert len(model_server.calls) == 2


async def test_a_refused_answer_ends_with_its_own_code_and_counts(ask: Asker, model_server: ModelServer, ledger) -> None:
    model_server.script(Reply(text="I cannot help with that.", finish_reason="content_filter", usage=(9, 5)))

    with pytest.raises(AnswerRefused) as caught:
        await ask()

    assert caught.value.code == "answer_refused"
    assert "I cannot help" in caught.value.detail
    assert [(row["status"], row["total_tokens"]) for row in await ledger()] == [("error", 14)]
    assert len(model_server.calls) == 1


async def test_an_error_longer_than_anybody_reads_is_cut(ask: Asker, model_server: ModelServer) -> None:
    model_server.script(Reply(status=400, body=b'{"error":{"message":"' + b"no " * 200_000 + b'"}}'))

    with pytest.raises(ModelRefused) as caught:
        await ask(retries=0)

    assert len(caught.value.detail) < 1000
    assert isinstance(caught.value, ModelRefused) and not isinstance(caught.value, ModelAnswerInvalid)


CRUMBS = [{"index": place} for place in range(30_000)]


@pytest.mark.parametrize("body", [
    stream(orjson.dumps({"choices": [{"delta": {"reasoning_details": CRUMBS}}]}), *GOOD),
    stream(orjson.dumps({"choices": [{"delta": {"tool_calls": CRUMBS}}]}), *GOOD),
    stream(orjson.dumps({"choices": [{"delta": {"content": CRUMBS}}]}), *GOOD),
    stream(orjson.dumps({"choices": CRUMBS}), *GOOD),
    orjson.dumps({"choices": [{"message": {"content": "Hello", "details": CRUMBS}, "finish_reason": "stop"}]}),
], ids=["details", "calls", "content", "choices", "document"])
async def test_an_event_of_tens_of_thousands_of_parts_is_no_answer(
    ask: Asker, model_server: ModelServer, body: bytes
) -> None:
    model_server.script(Reply(body=body, content_type="text/event-stream"))

    with pytest.raises(ModelAnswerInvalid, match="not a model answer"):
        await ask(retries=0)


async def test_a_text_full_of_brackets_is_an_answer(ask: Asker, model_server: ModelServer) -> None:
    text = "{[" * 40_000
    model_server.script(Reply(body=stream(chunk(text), *GOOD), content_type="text/event-stream"))

    assert (await ask(retries=0)).text == f"{text}Hello"
