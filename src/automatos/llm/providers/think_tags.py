"""Reasoning that a local model writes into its text: `<think> ... </think>` at the very beginning."""

import re
from enum import Enum, auto

_OPENING = re.compile(r"\s*<(think|thinking|thought)>")
_TAGS = ("<think>", "<thinking>", "<thought>")


class _State(Enum):
    BEGINNING = auto()
    REASONING = auto()
    BETWEEN = auto()
    ANSWER = auto()


class ThinkTags:
    """Parts streamed text into reasoning and answer; a tag may be cut anywhere, and one that never closes holds all.

    With `is_on` False every text passes. Tags later in the text are part of the answer.
    """

    __slots__ = ("_closing", "_held", "_reasoning", "_state", "_told")

    def __init__(self, *, is_on: bool) -> None:
        self._state = _State.BEGINNING if is_on else _State.ANSWER
        self._held = ""
        self._closing = ""
        self._reasoning: list[str] = []
        self._told = 0

    @property
    def reasoning(self) -> str:
        """What was reasoning so far."""
        return "".join(self._reasoning).strip()

    @property
    def is_reasoning(self) -> bool:
        """Whether some of the text was reasoning that `fresh_reasoning` has not returned."""
        return len(self._reasoning) > self._told

    def fresh_reasoning(self) -> str:
        """Return the reasoning that came since it was asked for the last time."""
        fresh, self._told = "".join(self._reasoning[self._told:]), len(self._reasoning)
        return fresh

    def feed(self, text: str) -> str:
        """Take a piece and return what it adds to the answer."""
        if self._state is _State.ANSWER:
            return text
        self._held += text
        if self._state is _State.BEGINNING:
            self._look_for_opening()
        if self._state is _State.REASONING:
            self._look_for_closing()
        if self._state is _State.BETWEEN:
            self._held = self._held.lstrip()
            if self._held:
                self._state = _State.ANSWER
        return self._release() if self._state is _State.ANSWER else ""

    def close(self) -> str:
        """Return what was held back when the text ended; what follows a tag that is still open was reasoning."""
        if self._state is _State.REASONING:
            self._reasoning.append(self._release())
        return self._release()

    def _release(self) -> str:
        held, self._held = self._held, ""
        return held

    def _look_for_opening(self) -> None:
        if found := _OPENING.match(self._held):
            self._state, self._closing = _State.REASONING, f"</{found[1]}>"
            self._held = self._held[found.end():]
        elif not any(tag.startswith(self._held.lstrip()) for tag in _TAGS):
            self._state = _State.ANSWER

    def _look_for_closing(self) -> None:
        """Move reasoning out of what is held, all but an ending that may be the beginning of the closing tag."""
        thought, closing, rest = self._held.partition(self._closing)
        if closing:
            self._state, self._held = _State.BETWEEN, rest
        else:
            kept = next((n for n in range(len(self._closing) - 1, 0, -1) if thought.endswith(self._closing[:n])), 0)
            thought, self._held = thought[:len(thought) - kept], thought[len(thought) - kept:]
        self._reasoning.append(thought)
