"""Every way to ask a model, by the name that the tables of providers and models use; the right one of OpenAI's two.

Addresses that serve only one of those are asked over the other instead. That, and which features a model refused, is
remembered for an hour in each process.
"""

import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

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
MAX_FEATURES = 40
"""More than this of one model are no features any more but a server that refuses whatever it is sent."""
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


class RefusedFeatures:
    """The features that were refused lately; what is oldest is forgotten first."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: OrderedDict[tuple[str, str], tuple[frozenset[str], float]] = OrderedDict()

    def of(self, account: str, model_id: str) -> frozenset[str]:
        """Return what a model does not take for an account: the credential's id, or an address where there is none."""
        found = self._known.get((account, model_id))
        if found is None:
            return frozenset()
        if found[1] <= self._clock():
            del self._known[account, model_id]
            return frozenset()
        return found[0]

    def add(self, account: str, model_id: str, features: frozenset[str]) -> frozenset[str]:
        """Remember more of a model, and return all that is known of it."""
        known = self.of(account, model_id) | features
        self._known[account, model_id] = known, self._clock() + REMEMBERED_S
        self._known.move_to_end((account, model_id))
        while len(self._known) > MAX_REMEMBERED:
            self._known.popitem(last=False)
        return known


@dataclass(frozen=True, slots=True)
class Wires:
    """The wires of this process by name; those of `reading` also read calls out of a text, and may be none."""

    plain: Mapping[str, ModelProvider]
    reading: Mapping[str, ModelProvider]

    def choose(self, call: ProviderCall) -> ModelProvider:
        """Return over which wire a model is asked: as the credential says, else the catalogue, else the provider.

        Models of a provider's own address over Responses or Messages call natively: their text stays as it is.
        """
        provider = call.provider
        name = provider.wire if provider.is_wire_chosen else call.traits.wire or provider.wire
        if provider.is_wire_chosen and name != "anthropic":
            name = f"only {name}"
        if name in self.reading and call.tools and call.may_call_tools and not call.is_at_home:
            return self.reading[name]
        return self.plain[name]


def open_wires(settings: Settings) -> Wires:
    """Return the wires of this process."""
    tags = settings.think_tags
    chat, responses = OpenAIProvider(reads_think_tags=tags), ResponsesProvider(reads_think_tags=tags)
    wires: dict[str, ModelProvider] = {
        "openai": SwitchingProvider(chat, responses, wants_responses),
        "responses": SwitchingProvider(responses, chat, lacks_responses),
        "anthropic": AnthropicProvider(reads_think_tags=tags), "only openai": chat, "only responses": responses,
    }
    reading = {name: WrittenCallsProvider(wire) for name, wire in wires.items()} if settings.written_tool_calls else {}
    return Wires(wires | {"demo": DemoProvider(settings.demo_delay_ms)}, reading)
