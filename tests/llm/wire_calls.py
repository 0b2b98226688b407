"""One conversation over one wire, turn by turn, without a run around it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson

from automatos.credentials.service import get_provider
from automatos.kernel.http import Http
from automatos.llm.providers import ModelProvider, ProviderCall
from automatos.llm.types import Answer, Message, ModelChoice, ModelTraits, ToolSpec
from tests.fakes.model_server import ModelServer, Reply

WEATHER = ToolSpec("weather", "Tells the weather.", {"type": "object", "properties": {"city": {"type": "string"}}})
ASKED = (Message("system", "Be brief."), Message("user", "Weather in Rome?"))


def call_to(outgoing: Http, server: ModelServer, provider: str, model_id: str, *,
            messages: Sequence[Message] = ASKED, tools: Sequence[ToolSpec] = (WEATHER,),
            traits: ModelTraits | None = None, **choice: Any) -> ProviderCall:
    base_url = server.url if provider == "anthropic" else server.base_url
    return ProviderCall(outgoing.anywhere, get_provider(provider), base_url, "sk-test",
                        ModelChoice(provider, model_id, **choice), messages, tools, "run:1",
                        traits=traits or ModelTraits())


def next_call(call: ProviderCall, answer: Answer, *results: str, **choice: Any) -> ProviderCall:
    """The call that follows an answer, with a result for each of its calls; `choice` changes who is asked."""
    said = [*call.messages, Message("assistant", answer.text, answer.tool_calls, items=answer.items)]
    said += [Message("tool", result, tool_call_id=c.id, name=c.name)
             for c, result in zip(answer.tool_calls, results, strict=True)]
    provider = get_provider(choice.get("provider", call.provider.name))
    return replace(call, messages=said, choice=replace(call.choice, **choice), provider=provider)


def chunks(*deltas: dict[str, Any], finish: str = "tool_calls", **more: Any) -> Reply:
    """A streamed chat completion of exactly these deltas."""
    events = [{"choices": [{"delta": delta}]} for delta in deltas]
    events.append({"choices": [{"delta": {}, "finish_reason": finish} | more]})
    return streamed(*events)


def streamed(*events: dict[str, Any]) -> Reply:
    """A stream of exactly these events."""
    body = b"".join(b"data: " + orjson.dumps(event) + b"\n\n" for event in events) + b"data: [DONE]\n\n"
    return Reply(body=body, content_type="text/event-stream")


async def ask(wire: ModelProvider, call: ProviderCall, pieces: list[str] | None = None) -> Answer:
    return await wire.stream(call, (pieces if pieces is not None else []).append)
