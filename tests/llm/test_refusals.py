"""What a provider's error means, whatever status and words it comes with, and how long to wait."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from automatos.kernel.http import Http
from automatos.llm.errors import (
    AccessRefused,
    ContextTooLong,
    ModelProblem,
    ModelRefused,
    ModelUnavailable,
    QuotaExhausted,
    RateLimited,
    scrub,
)
from automatos.llm.providers.anthropic import AnthropicProvider
from automatos.llm.providers.openai import OpenAIProvider
from automatos.llm.providers.own_choices import KEPT_REASONING
from automatos.llm.providers.replay import family_of
from automatos.llm.types import Message, ModelChoice, ProviderItems, ToolCall
from tests.fakes.model_server import ModelServer, Reply
from tests.llm.conftest import Asker
from tests.llm.wire_calls import call_to

QUOTA = "You exceeded your current quota, please check your plan and billing details."
RETRY_INFO = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34s"}]


async def refused(outgoing: Http, server: ModelServer, reply: Reply) -> ModelProblem:
    server.script(reply)
    with pytest.raises(ModelProblem) as caught:
        await OpenAIProvider().stream(call_to(outgoing, server, "custom", "m"), lambda _: None)
    return caught.value


def error(**fields: Any) -> bytes:
    return orjson.dumps({"error": fields})


@pytest.mark.parametrize("status", [421, 424, 498, 499, 520, 522, 529])
async def test_statuses_of_gateways_are_outages(outgoing: Http, model_server: ModelServer, status: int) -> None:
    problem = await refused(outgoing, model_server, Reply(status=status, message="flex tier capacity exceeded"))

    assert type(problem) is ModelUnavailable


@pytest.mark.parametrize("body", [
    error(message="The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
          code="content_filter"),
    error(message="Content Exists Risk"), error(message="The request was rejected because it was considered high risk"),
    error(message="Input data may contain inappropriate content.", code="data_inspection_failed"),
    error(message="Your request was rejected as a result of our safety system."),
    error(message="Invalid prompt: your prompt was flagged as potentially violating our usage policy."),
])
async def test_moderation_is_told_as_such_under_any_status(
    outgoing: Http, model_server: ModelServer, body: bytes
) -> None:
    problem = await refused(outgoing, model_server, Reply(status=400, body=body))

    assert isinstance(problem, ModelRefused)
    assert "moderation stopped it" in problem.next_step


@pytest.mark.parametrize("reply", [
    Reply(status=400, message="User location is not supported for the API use."),
    Reply(status=451, message="no"), Reply(status=400, message="This model is not available in your region."),
])
async def test_a_place_that_is_not_served_is_told_as_such(
    outgoing: Http, model_server: ModelServer, reply: Reply
) -> None:
    problem = await refused(outgoing, model_server, reply)

    assert type(problem) is AccessRefused
    assert "country or region" in problem.next_step


@pytest.mark.parametrize("words", [
    "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens.",
    "prompt is too long: 210000 tokens > 200000 maximum", "Please reduce the length of the messages or completion.",
    "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000",
    "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096.", "总长度超过模型最大长度",
    "the request exceeds the available context size, try increasing it", "Input is too long for requested model.",
    "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
    "Range of input length should be [1, 30720]", "Your request exceeded model token limit: 8192",
    "Prompt contains 40000 tokens, too large for model with 32768 maximum context length",
])
@pytest.mark.parametrize("status", [400, 413, 500])
async def test_a_request_that_is_too_long_is_told_as_such(
    outgoing: Http, model_server: ModelServer, status: int, words: str
) -> None:
    problem = await refused(outgoing, model_server, Reply(status=status, message=words))

    assert type(problem) is ContextTooLong
    assert not problem.is_retryable
    assert "larger window" in problem.detail


async def test_a_fallback_with_more_room_answers_what_is_too_long(ask: Asker, model_server: ModelServer) -> None:
    model_server.script(Reply(status=400, message="prompt is too long"), Reply(text="Read it."))

    completion = await ask(choice=ModelChoice("openai", "gpt-4o-mini", fallback_model_id="gpt-4o"))

    assert (completion.text, completion.model_id) == ("Read it.", "gpt-4o")


@pytest.mark.parametrize(("reply", "kind", "pause_s"), [
    (Reply(status=429, body=error(message=QUOTA, details=RETRY_INFO)), RateLimited, 34.0),
    (Reply(status=429, message=f"{QUOTA} Please retry in 2.5s."), RateLimited, 2.5),
    (Reply(status=429, message=QUOTA), QuotaExhausted, None),
    (Reply(status=429, message="Please try again in 250ms.", headers={"retry-after": "9"}), RateLimited, 9.0),
    (Reply(status=503, body=b'{"error":"Model x is currently loading","estimated_time":20.0}'), ModelUnavailable, 20.0),
    (Reply(body=b'data: {"error":{"code":429,"message":"Rate limit. Try again in 3s"}}\n\n'), RateLimited, 3.0),
])
async def test_a_pause_that_is_asked_for_is_taken(
    outgoing: Http, model_server: ModelServer, reply: Reply, kind: type, pause_s: float | None
) -> None:
    problem = await refused(outgoing, model_server, reply)

    assert (type(problem), problem.retry_after_s) == (kind, pause_s)


@pytest.mark.parametrize(("body", "kind"), [
    (b'data: {"error":"engine crashed"}\n\n', ModelUnavailable),
    (b'event: error\ndata: {"message":"upstream died"}\n\n', ModelUnavailable),
    (b'data: {"error":{"message":"connection reset by peer"}}\n\n', ModelUnavailable),
    (b'data: {"error":{"message":"n must be 1","type":"invalid_request_error"}}\n\n', ModelRefused),
    (b'data: {"error":{"message":"prompt is too long"}}\n\n', ContextTooLong),
])
async def test_an_error_in_the_middle_is_an_outage_unless_it_is_about_the_request(
    outgoing: Http, model_server: ModelServer, body: bytes, kind: type
) -> None:
    problem = await refused(outgoing, model_server, Reply(body=body, content_type="text/event-stream"))

    assert type(problem) is kind


def test_a_word_that_stands_for_no_key_is_left_in_the_providers_words() -> None:
    assert scrub("ollama is not none", "none") == "ollama is not none"
    assert scrub("bad key 12345678-abc", "12345678-abc") == "bad key ***"


@pytest.mark.parametrize(("words", "room"), [
    ("max_tokens: 8192 > 4096, which is the maximum allowed number of output tokens for m", 4096),
    ("'max_tokens' is too large", 4096), ("max_tokens must be at most 1,024", 1024),
    ("max_tokens is too large: 8192. This model's maximum context length is 9000 tokens", 4096),
])
async def test_room_that_nobody_asked_for_shrinks_until_it_fits(
    outgoing: Http, model_server: ModelServer, words: str, room: int
) -> None:
    call = call_to(outgoing, model_server, "anthropic", "local-model")
    model_server.script(Reply(status=400, message=words), Reply(text="Hi"))

    with pytest.raises(ModelRefused) as caught:
        await AnthropicProvider().stream(call, lambda _: None)
    answer = await AnthropicProvider().stream(replace(call, refused=caught.value.features), lambda _: None)

    assert answer.text == "Hi"
    assert model_server.calls[-1].body["max_tokens"] == room


async def test_a_limit_that_people_chose_is_theirs_to_change(outgoing: Http, model_server: ModelServer) -> None:
    call = call_to(outgoing, model_server, "anthropic", "local-model", max_tokens=9000)
    model_server.script(Reply(status=400, message="max_tokens: 9000 > 4096"))

    with pytest.raises(ModelRefused) as caught:
        await AnthropicProvider().stream(call, lambda _: None)

    assert not hasattr(caught.value, "features")


@pytest.mark.parametrize("words", [
    "The encrypted content for item rs_1 could not be verified.", "Corrupted thought signature.",
    "messages.1.content.0: Invalid `signature` in `thinking` block",
    "Item 'rs_1' of type 'reasoning' was provided without its required following item.",
])
async def test_reasoning_that_a_provider_cannot_read_any_more_is_left_out_for_this_conversation_alone(
    ask: Asker, model_server: ModelServer, words: str
) -> None:
    choice = ModelChoice("anthropic", "claude-sonnet-4-5")
    kept = ProviderItems("anthropic", "anthropic", family_of(choice.model_id), (
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "tool_use", "id": "a", "name": "weather", "input": {}}))
    said = [Message("user", "Weather?"), Message("assistant", "", (ToolCall("a", "weather", "{}"),), items=kept),
            Message("tool", "Sunny", tool_call_id="a", name="weather")]

    async def talk() -> tuple[str, ...]:
        done = await ask.client.complete(choice, said, [], ask.context, on_delta=None, deadline_s=10, retries=0)
        return done.left_out

    model_server.script(Reply(status=400, message=words), Reply(text="Sunny."), Reply(text="Sunny."))
    assert await talk() == (KEPT_REASONING,)
    assert await talk() == ()

    held = [[block["type"] for block in call.body["messages"][1]["content"]] for call in model_server.calls]
    assert held == [["thinking", "tool_use"], ["tool_use"], ["thinking", "tool_use"]]
