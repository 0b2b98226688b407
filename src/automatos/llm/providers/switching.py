"""Addresses that serve only one of OpenAI's two wires: the other one is asked instead, and that is remembered."""

import re
import time
from collections.abc import Callable

import structlog

from automatos.llm.errors import ModelProblem, ModelRefused
from automatos.llm.providers import ModelProvider, OnText, ProviderCall
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
