"""Asking a model: retries, deadline, fallback, cancelling."""

import asyncio
import sys
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from uuid import UUID

import pytest

from automatos.credentials.service import Keyring
from automatos.kernel.config import Settings
from automatos.kernel.db import Database
from automatos.kernel.http import Http
from automatos.kernel.ids import new_id
from automatos.llm.errors import (
    AddressWrong,
    CredentialMissing,
    CredentialRefused,
    ModelAnswerInvalid,
    ModelAnswerTooLong,
    ModelNotFound,
    ModelRefused,
    ModelTimeout,
    ModelUnavailable,
    QuotaExhausted,
    RateLimited,
)
from automatos.llm.service import ModelClient
from automatos.llm.types import CallContext, ModelChoice, ToolSpec
from tests.fakes.model_server import ModelServer, Reply
from tests.llm.conftest import CHOICE, Asker

CLAUDE = ModelChoice("anthropic", "claude-haiku-4-5")
CALCULATOR = ToolSpec("calculator", "Adds.", {"type": "object", "properties": {"expression": {"type": "string"}}})


@pytest.mark.capability("S036")
@pytest.mark.parametrize("choice", [CHOICE, CLAUDE], ids=["openai", "anthropic"])
async def test_streams_a_text_whose_pieces_add_up_to_the_answer(ask: Asker, choice: ModelChoice) -> None:
    pieces: list[str] = []

    completion = await ask("What is 2 + 2?", choice=choice, on_delta=pieces.append)

    assert completion.text == f"{choice.model_id} answers: What is 2 + 2?"
    assert "".join(pieces) == completion.text
    assert len(pieces) > 1
    assert (completion.status, completion.finish_reason) == ("success", "stop")
    assert completion.usage.input_tokens > 0 < completion.usage.output_tokens


@pytest.mark.capability("S036")
@pytest.mark.parametrize("choice", [CHOICE, CLAUDE], ids=["openai", "anthropic"])
async def test_reads_tool_calls_made_in_parallel(ask: Asker, model_server: ModelServer, choice: ModelChoice) -> None:
    model_server.script(Reply(text="Let me see.", tool_calls=[("calculator", {"expression": "1+1"}),
                                                              ("calculator", {"expression": "2+2"})]))

    completion = await ask(choice=choice, tools=[CALCULATOR])

    assert completion.text == "Let me see."
    assert [call.arguments for call in completion.tool_calls] == ['{"expression":"1+1"}', '{"expression":"2+2"}']
    assert len({call.id for call in completion.tool_calls}) == 2
    assert completion.finish_reason == "tool_calls"


async def test_the_same_turn_is_asked_with_the_same_idempotency_key(ask: Asker, model_server: ModelServer) -> None:
    model_server.script(Reply(status=503))

    await ask()

    expected = f"{ask.context.run_id}:1"
    assert [call.idempotency_key for call in model_server.calls] == [expected, expected]


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 529])
async def test_asks_again_after_a_refusal_that_passes(ask: Asker, model_server: ModelServer, status: int) -> None:
    model_server.script(Reply(status=status, headers={"Retry-After": "0"}))

    completion = await ask()

    assert completion.status == "success"
    assert len(model_server.calls) == 2


@pytest.mark.parametrize(("reply", "kind"), [
    (Reply(status=400, message="'messages' is too short"), ModelRefused),
    (Reply(status=401, message="Incorrect API key provided: sk-platform-openai-0001"), CredentialRefused),
    (Reply(status=403), CredentialRefused),
    (Reply(status=404, code="model_not_found"), ModelNotFound),
    (Reply(status=400, message="The model `x` does not exist"), ModelNotFound),
    (Reply(status=402), QuotaExhausted),
    (Reply(status=429, code="insufficient_quota", message="You exceeded your current quota"), QuotaExhausted),
    (Reply(status=307, headers={"Location": "http://127.0.0.1:1/"}), AddressWrong),
])
async def test_says_what_a_refusal_means(ask: Asker, model_server: ModelServer, reply: Reply, kind: type) -> None:
    model_server.script(reply, repeat=True)

    with pytest.raises(kind) as caught:
        await ask(retries=0)

    assert type(caught.value) is kind
    assert caught.value.provider_status == reply.status
    assert caught.value.next_step in caught.value.detail
    assert len(model_server.calls) == 1


async def test_no_error_ever_holds_the_key(ask: Asker, model_server: ModelServer) -> None:
    leak = "Bad key sk-platform-openai-0001, also Bearer abcdefghij " + "x" * 900
    model_server.script(Reply(status=401, message=leak))

    with pytest.raises(CredentialRefused) as caught:
        await ask()

    assert "platform-openai" not in caught.value.detail
    assert "abcdefghij" not in caught.value.detail
    assert len(caught.value.provider_message) <= 300


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that this package asks for, in seconds; none is waited for. A server beside sleeps as ever."""
    asked: list[float] = []
    sleep = asyncio.sleep

    def pass_at_once(delay_s: float, *more: Any) -> Coroutine[Any, Any, Any]:
        if not sys._getframe(1).f_globals["__name__"].startswith("automatos.llm."):
            return sleep(delay_s, *more)
        if delay_s:
            asked.append(delay_s)
        return sleep(0)

    monkeypatch.setattr(asyncio, "sleep", pass_at_once)
    return asked


async def test_waits_as_long_as_the_provider_asks_in_seconds(
    ask: Asker, model_server: ModelServer, pauses: list[float]
) -> None:
    model_server.script(Reply(status=429, headers={"Retry-After": "7"}))

    await ask(deadline_s=60)

    assert 7.0 in pauses


async def test_waits_as_long_as_the_provider_asks_with_a_date(
    ask: Asker, model_server: ModelServer, pauses: list[float]
) -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(minutes=30), usegmt=True)
    model_server.script(Reply(status=429, headers={"Retry-After": at}))

    await ask(deadline_s=3600)

    assert 60.0 in pauses, "as long as it is asked, up to a minute"


async def test_gives_up_without_a_pause_when_it_would_pass_the_deadline(
    ask: Asker, model_server: ModelServer, pauses: list[float]
) -> None:
    model_server.script(Reply(status=429, headers={"Retry-After": "86400"}))

    with pytest.raises(RateLimited) as caught:
        await ask(deadline_s=30)

    assert [pause_s for pause_s in pauses if pause_s >= 1] == []
    assert len(model_server.calls) == 1
    assert caught.value.retry_after_s == 86400


@pytest.mark.parametrize("reply", [
    Reply(hang=True), Reply(text="slow " * 40, chunks=40, chunk_delay_s=0.2),
    Reply(status=500, headers={"Retry-After": "0"}, delay_s=0.2),
], ids=["hang", "drip", "endless 500"])
async def test_the_deadline_bounds_the_whole_call(ask: Asker, model_server: ModelServer, reply: Reply) -> None:
    model_server.script(reply, repeat=True)

    with pytest.raises(ModelTimeout):
        await ask(deadline_s=0.7, retries=1000)


@pytest.mark.parametrize("reply", [
    Reply(text="Half of a text that never ends", truncate=True),
    Reply(html=True),
    Reply(empty_choices=True),
    Reply(body=b'{"id": "x", "choi', content_type="application/json"),
    Reply(body=b"data: {not json}\n\n", content_type="text/event-stream"),
    Reply(body=b'data: {"choices": [3]}\n\n', content_type="text/event-stream"),
    Reply(body=b'data: {"choices":[{"delta":{"content":"Half"}}]}\n\n', content_type="text/event-stream"),
    Reply(body=b"[]", content_type="application/json"),
    Reply(body=b"", content_type="text/event-stream"),
], ids=["truncated", "html", "empty choices", "cut json", "no json", "other json", "no end", "list", "nothing"])
async def test_half_an_answer_is_never_an_answer(ask: Asker, model_server: ModelServer, reply: Reply) -> None:
    model_server.script(reply, repeat=True)

    with pytest.raises(ModelAnswerInvalid):
        await ask(retries=0)


async def test_an_anthropic_stream_without_its_end_is_not_an_answer(ask: Asker, model_server: ModelServer) -> None:
    model_server.script(Reply(text="Half of it", truncate=True))

    with pytest.raises(ModelAnswerInvalid):
        await ask(choice=CLAUDE, retries=0)


async def test_an_answer_beyond_the_limit_is_stopped(ask: Asker, model_server: ModelServer) -> None:
    model_server.script(Reply(text="0123456789" * 1024 * 1024, chunks=200))

    with pytest.raises(ModelAnswerTooLong):
        await ask()

    assert len(model_server.calls) == 1


async def test_reads_an_answer_that_came_in_one_piece(ask: Asker, model_server: ModelServer) -> None:
    model_server.script(Reply(body=b'{"choices":[{"message":{"content":"Whole.","tool_calls":[{"id":"a","function":'
                                   b'{"name":"f","arguments":"{}"}}]},"finish_reason":"tool_calls"}],'
                                   b'"usage":{"prompt_tokens":3,"completion_tokens":2}}'))

    completion = await ask()

    assert (completion.text, completion.tool_calls[0].name, completion.usage.total_tokens) == ("Whole.", "f", 5)


async def test_an_error_inside_the_stream_is_classified(ask: Asker, model_server: ModelServer) -> None:
    model_server.script(Reply(body=b'data: {"error":{"message":"Too many requests","code":429}}\n\n',
                              content_type="text/event-stream"))

    with pytest.raises(RateLimited):
        await ask(retries=0)


async def test_nothing_is_asked_again_once_text_was_handed_over(ask: Asker, model_server: ModelServer) -> None:
    model_server.script(Reply(text="Half of a text that never ends", truncate=True))

    with pytest.raises(ModelAnswerInvalid):
        await ask(on_delta=lambda _: None)

    assert len(model_server.calls) == 1


async def test_a_reader_that_can_start_over_is_told_before_the_second_try(
    ask: Asker, model_server: ModelServer
) -> None:
    model_server.script(Reply(text="Half of a text that never ends", truncate=True), Reply(text="The whole text."))
    told: list[str] = []

    completion = await ask(on_delta=told.append, on_restart=told.clear)

    assert "".join(told) == completion.text == "The whole text."


@pytest.mark.capability("S036")
@pytest.mark.parametrize("reply", [
    Reply(status=404, code="model_not_found"), Reply(status=429, headers={"Retry-After": "3600"}), Reply(hang=True),
    Reply(status=429, code="insufficient_quota"),
], ids=["dead", "limited", "slow", "no credit"])
async def test_the_fallback_model_answers_for_a_model_that_cannot(
    ask: Asker, model_server: ModelServer, reply: Reply
) -> None:
    model_server.script(reply, match=lambda call: call.model == "gpt-old", repeat=True)

    completion = await ask(choice=ModelChoice("openai", "gpt-old", fallback_model_id="gpt-4o-mini"), deadline_s=6)

    assert (completion.status, completion.model_id) == ("fallback", "gpt-4o-mini")
    assert completion.text.startswith("gpt-4o-mini answers")


async def test_the_fallback_may_be_of_another_provider(ask: Asker, model_server: ModelServer) -> None:
    model_server.script(Reply(status=404, code="model_not_found"))

    completion = await ask(choice=ModelChoice("openai", "gpt-old", fallback_model_id="anthropic:claude-haiku-4-5"))

    assert (completion.provider, completion.model_id) == ("anthropic", "claude-haiku-4-5")


async def test_a_refused_request_does_not_reach_the_fallback(ask: Asker, model_server: ModelServer) -> None:
    model_server.script(Reply(status=400, message="messages: at least one is wanted"))

    with pytest.raises(ModelRefused):
        await ask(choice=ModelChoice("openai", "gpt-4o", fallback_model_id="gpt-4o-mini"))

    assert len(model_server.calls) == 1


async def test_a_model_without_sampling_settings_is_asked_without_them(ask: Asker, model_server: ModelServer) -> None:
    refusal = Reply(status=400, message="Unsupported value: 'temperature' does not support 0.2 with this model.")
    model_server.script(refusal, match=lambda call: "temperature" in call.body, repeat=True)

    first = await ask(retries=0)
    await ask(retries=0)

    assert first.status == "success"
    assert ["temperature" in call.body for call in model_server.calls] == [True, False, False]


@pytest.mark.parametrize("reply", [Reply(hang=True), Reply(text="a b c d e f g h", chunks=8, chunk_delay_s=1.0)],
                         ids=["before the answer", "during the answer"])
async def test_cancelling_closes_the_socket(ask: Asker, model_server: ModelServer, ledger, reply: Reply) -> None:
    model_server.script(reply)
    task = asyncio.create_task(ask())
    await model_server.wait_for_calls(1)
    await asyncio.sleep(0.1)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    await model_server.wait_for(lambda: model_server.calls[0].disconnected)
    assert [row["status"] for row in await ledger()] == ["cancelled"]


async def test_a_server_that_is_not_there_is_unavailable(ask: Asker, model_server: ModelServer) -> None:
    await model_server.stop()

    with pytest.raises(ModelUnavailable) as caught:
        await ask(retries=1)

    assert "cannot be reached at 127.0.0.1" in caught.value.detail


async def test_a_provider_without_a_key_says_where_to_add_one(ask: Asker, model_server: ModelServer) -> None:
    with pytest.raises(CredentialMissing) as caught:
        await ask(choice=ModelChoice("mistral", "mistral-small-latest"))

    assert "Settings, Credentials" in caught.value.detail
    assert model_server.calls == []


async def test_hundreds_of_calls_share_the_connections_and_stay_apart(ask: Asker, model_server: ModelServer) -> None:
    answers = await asyncio.gather(*(ask(f"Number {n}") for n in range(200)))

    assert [a.text for a in answers] == [f"gpt-4o-mini answers: Number {n}" for n in range(200)]


async def test_nothing_is_asked_before_this_process_may_do_its_work_and_the_wait_is_not_the_models(
    database: Database, wired: Settings, outgoing: Http, keyring: Keyring, model_server: ModelServer, workspace_id: UUID
) -> None:
    may = asyncio.Event()
    client = ModelClient.open(database, wired, outgoing, keyring, may.wait)
    ask = Asker(client, CallContext(workspace_id, run_id=new_id(), turn=1))
    asking = asyncio.create_task(ask("Hello", deadline_s=5))
    await asyncio.sleep(0.05)
    assert (asking.done(), model_server.calls) == (False, [])

    may.set()
    assert (await asking).text
    may.clear()
    dropped = asyncio.create_task(ask("Hello"))
    await asyncio.sleep(0.05)
    dropped.cancel()
    await asyncio.wait([dropped])
    await client.close()

    assert len(model_server.calls) == 1
    async with database.recording(workspace_id) as connection:
        rows = await connection.fetch("SELECT status FROM llm_usage WHERE workspace_id = $1", workspace_id)
    assert [row["status"] for row in rows] == ["success"], "what was not asked stands in no ledger"
