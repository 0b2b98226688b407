"""One question to a model under a budget that other steps use, too: its prompt and its longest answer are reserved."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import orjson

from automatos.llm.types import Message, ModelChoice, ToolSpec
from automatos.runtime.errors import RunPaused
from automatos.runtime.types import Budget

LONGEST_ANSWER = 16_384
"""So many tokens are reserved for an answer where the agent does not say how long it may be."""
LEAST_ANSWER = 256
"""A request that has no room for an answer of so many tokens is not made."""
BYTES_PER_TOKEN = 3
"""Fewer than in texts of one language: code and numbers have shorter tokens, and too little must not be reserved."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 1.0


@dataclass
class BudgetedRequest:
    """A question with what it may use."""

    budget: Budget
    model: ModelChoice
    messages: Sequence[Message]
    tools: Sequence[ToolSpec]
    seconds: float
    is_paused: Callable[[], bool]
    reserved: int = field(default=0, init=False)

    async def choice(self) -> ModelChoice:
        """Reserve what the request may use and return the choice, its answer no longer than there is room for.

        Waits while other requests hold what is wanted: most of them use less and give it back. Raises RunPaused when
        the agent is paused meanwhile.
        """
        prompt, answer = tokens_at_most(self.messages, self.tools), self.model.max_tokens or LONGEST_ANSWER
        self.reserved = await self._reserve(prompt + answer, prompt + min(answer, LEAST_ANSWER))
        is_whole = self.reserved == prompt + answer  # then the agent's own setting holds, or the provider's
        return self.model if is_whole else replace(self.model, max_tokens=self.reserved - prompt)

    async def again(self) -> None:
        """Reserve as much once more, after a request that failed and whose use was recorded."""
        await self._reserve(self.reserved, self.reserved)

    async def _reserve(self, wanted: int, needed: int) -> int:
        pause_s = FIRST_PAUSE_S
        while (granted := await self.budget.reserve(wanted, needed, self.seconds)) is None:
            if self.is_paused():
                raise RunPaused
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
        return granted


def tokens_at_most(messages: Sequence[Message], tools: Sequence[ToolSpec]) -> int:
    """Return how many tokens a request's texts are at most, as far as that can be said before a model has counted."""
    texts = [part for one in messages for part in (one.content, *(call.arguments for call in one.tool_calls))]
    size = sum(len(text.encode("utf-8", "replace")) for text in texts)
    size += sum(len(orjson.dumps(tool.parameters)) + len(tool.name) + len(tool.description) for tool in tools)
    return -(-size // BYTES_PER_TOKEN)
