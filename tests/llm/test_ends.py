"""How an answer ended: each wire has a closed table, and a word that is not in it is never a success."""

import orjson
import pytest

from automatos.kernel.http import Http
from automatos.llm.errors import ModelAnswerInvalid, ModelProblem, ModelRefused, ModelUnavailable
from automatos.llm.providers.anthropic import AnthropicProvider
from automatos.llm.providers.openai import OpenAIProvider
from automatos.llm.types import Answer, AnswerEnd
from tests.fakes.model_server import ModelServer, Reply
from tests.llm.test_wires import ASKED, call_of

TOOLS = [("weather", {"city": "Rome"})]


async def chat(outgoing: Http, server: ModelServer, word: str, *, text: str = "Half", tools=()) -> Answer:
    server.script(Reply(text=text, tool_calls=list(tools), finish_reason=word))
    return await OpenAIProvider().stream(call_of(outgoing, server, "custom", ASKED), lambda _: None)


async def messages(outgoing: Http, server: ModelServer, word: str, *, text: str = "Half", tools=()) -> Answer:
    server.script(Reply(text=text, tool_calls=list(tools), finish_reason=word))
    return await AnthropicProvider().stream(call_of(outgoing, server, "anthropic", ASKED), lambda _: None)


@pytest.mark.parametrize(("word", "end"), [
    ("stop", AnswerEnd.COMPLETE), ("STOP", AnswerEnd.COMPLETE), ("eos", AnswerEnd.COMPLETE),
    ("length", AnswerEnd.CUT_OFF), ("MAX_TOKENS", AnswerEnd.CUT_OFF), ("model_length", AnswerEnd.CUT_OFF),
    ("content_filter", AnswerEnd.REFUSED), ("SAFETY", AnswerEnd.REFUSED), ("tool_calls", AnswerEnd.COMPLETE),
])
async def test_the_words_of_chat_completions(outgoing: Http, model_server: ModelServer, word: str,
                                             end: AnswerEnd) -> None:
    assert (await chat(outgoing, model_server, word)).end is end


@pytest.mark.parametrize(("word", "end"), [
    ("end_turn", AnswerEnd.COMPLETE), ("stop_sequence", AnswerEnd.COMPLETE), ("max_tokens", AnswerEnd.CUT_OFF),
    ("model_context_window_exceeded", AnswerEnd.CUT_OFF), ("pause_turn", AnswerEnd.CUT_OFF),
    ("refusal", AnswerEnd.REFUSED),
])
async def test_the_words_of_messages(outgoing: Http, model_server: ModelServer, word: str, end: AnswerEnd) -> None:
    assert (await messages(outgoing, model_server, word)).end is end


@pytest.mark.parametrize("wire", [chat, messages])
@pytest.mark.parametrize(("word", "kind"), [
    ("error", ModelUnavailable), ("network_error", ModelUnavailable), ("aborted", ModelUnavailable),
    ("insufficient_system_resource", ModelUnavailable), ("went_for_lunch", ModelAnswerInvalid),
])
async def test_an_answer_that_broke_off_is_none_and_may_be_asked_for_again(
    outgoing: Http, model_server: ModelServer, wire, word: str, kind: type[ModelProblem]
) -> None:
    with pytest.raises(kind, match=word) as caught:
        await wire(outgoing, model_server, word)

    assert caught.value.is_retryable


@pytest.mark.parametrize("wire", [chat, messages])
async def test_calls_of_tools_count_as_calls_unless_the_answer_was_cut_off(
    outgoing: Http, model_server: ModelServer, wire
) -> None:
    assert (await wire(outgoing, model_server, "stop", text="", tools=TOOLS)).end is AnswerEnd.TOOL_CALLS
    assert (await wire(outgoing, model_server, "length", text="", tools=TOOLS)).end is AnswerEnd.CUT_OFF
    assert (await wire(outgoing, model_server, "content_filter", text="x", tools=TOOLS)).end is AnswerEnd.REFUSED


async def test_an_end_without_anything_to_use_says_why(outgoing: Http, model_server: ModelServer) -> None:
    with pytest.raises(ModelRefused, match="declined"):
        await chat(outgoing, model_server, "content_filter", text="")
    with pytest.raises(ModelAnswerInvalid, match="used up its limit"):
        await chat(outgoing, model_server, "length", text="")
    model_server.script(Reply(body=b"data: " + orjson.dumps(
        {"choices": [{"delta": {}, "finish_reason": "tool_calls"}]}) + b"\n\n", content_type="text/event-stream"))
    with pytest.raises(ModelAnswerInvalid, match="named none"):
        await OpenAIProvider().stream(call_of(outgoing, model_server, "custom", ASKED), lambda _: None)
