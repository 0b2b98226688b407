"""Every way to ask a model, by the name that the tables of providers and models use; the right one of OpenAI's two.

Addresses that serve only one of those are asked over the other instead, and that is remembered.
"""

import re
import time
from collections.abc import Callable, Mapping

import structlog

from automatos.kernel.config import Settings
from automatos.llm.errors import ModelProblem, ModelRefused
from automatos.llm.providers import ModelProvider, OnText, ProviderCall
from automatos.llm.providers.anthropic import AnthropicProvider
from automatos.llm.providers.demo import DemoProvider
from automatos.llm.providers.openai import OpenAIProvider
from automatos.llm.providers.responses import ResponsesProvider
from automatos.llm.providers.written import WrittenCallsProvider
from automatos.llm.types import Answer

REMEMBERED_S = 3600.0
MAX_REMEMBERED = 1000
NO_SUCH_PATH = frozenset({404, 405, 501})
_NAMES_RESPONSES = re.compile(r"(?i)/responses\b|\bresponses api\b")

log = structlog.get_logger(__name__)
Place = tuple[str, str]


class SwitchingProvider:
    """Asks over one wire; where the answer says that this address or model wants the other, over that one.

    `find_place` returns what to remember of a problem (base URL and model, or base URL alone), None for any other
    problem.
    """

    def __init__(self, first: ModelProvider, other: ModelProvider,
                 find_place: Callable[[ProviderCall, ModelProblem], Place | None]) -> None:
        self._first = first
        self._other = other
        self._find_place = find_place
        self._until: dict[Place, float] = {}

    async def stream(self, call: ProviderCall, on_text: OnText) -> Answer:
        """Ask once, or twice where the first wire is not served; see `ModelProvider`."""
        if self._is_remembered(call):
            return await self._other.stream(call, on_text)
        try:
            return await self._first.stream(call, on_text)
        except ModelRefused as problem:
            place = self._find_place(call, problem)
            if place is None:
                raise
        answer = await self._other.stream(call, on_text)
        self._remember(place)
        return answer

    def _is_remembered(self, call: ProviderCall) -> bool:
        now = time.monotonic()
        places = ((call.base_url, ""), (call.base_url, call.choice.model_id))
        return any(self._until.get(place, 0.0) > now for place in places)

    def _remember(self, place: Place) -> None:
        if len(self._until) >= MAX_REMEMBERED:
            self._until.clear()
        self._until[place] = time.monotonic() + REMEMBERED_S
        log.info("llm.other_wire_is_asked", model_id=place[1] or None)


def lacks_responses(call: ProviderCall, problem: ModelProblem) -> Place | None:
    """Recognise an address that has no `/responses`; the provider's own has it, so there 404 means something else."""
    if problem.provider_status not in NO_SUCH_PATH or call.base_url == call.provider.base_url:
        return None
    return None if "model" in problem.provider_message.lower() else (call.base_url, "")


def wants_responses(call: ProviderCall, problem: ModelProblem) -> Place | None:
    """Recognise a model that refuses a chat completion and names `/responses` instead."""
    named = _NAMES_RESPONSES.search(problem.provider_message)
    return (call.base_url, call.choice.model_id) if named else None


def open_wires(settings: Settings) -> Mapping[str, ModelProvider]:
    """Return the wires of this process."""
    tags = settings.think_tags
    chat, responses = OpenAIProvider(reads_think_tags=tags), ResponsesProvider(reads_think_tags=tags)
    wires: dict[str, ModelProvider] = {
        "openai": SwitchingProvider(chat, responses, wants_responses),
        "responses": SwitchingProvider(responses, chat, lacks_responses),
        "anthropic": AnthropicProvider(reads_think_tags=tags), "only openai": chat, "only responses": responses,
    }
    if settings.written_tool_calls:
        wires = {name: WrittenCallsProvider(wire) for name, wire in wires.items()}
    return wires | {"demo": DemoProvider(settings.demo_delay_ms)}


def wire_for(call: ProviderCall) -> str:
    """Return over which wire a model is asked: as the credential says, else the catalogue, else the provider."""
    provider = call.provider
    if provider.is_wire_chosen and provider.wire != "anthropic":
        return f"only {provider.wire}"
    return provider.wire if provider.is_wire_chosen else call.traits.wire or provider.wire
