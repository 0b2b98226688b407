"""Reasoning that a local model writes into its text: `<think> ... </think>` at the very beginning, or the like."""

import re
from enum import Enum, auto

ENDS_OF = {
    "<think>": "</think>", "<thinking>": "</thinking>", "<thought>": "</thought>", "<reasoning>": "</reasoning>",
    "<seed:think>": "</seed:think>", "[think]": "[/think]", "\u25c1think\u25b7": "\u25c1/think\u25b7",
    "<|start_thinking|>": "<|end_thinking|>", "<|begin_of_thought|>": "<|end_of_thought|>",
    "<|channel|>analysis<|message|>": "<|end|>",
}
"""What reasoning begins and ends with, by the families of models; in small letters."""
_TAG = "|".join(map(re.escape, ENDS_OF))
_OPENING = re.compile(rf"\s*+({_TAG})", re.IGNORECASE)
_OPENED = re.compile(_TAG, re.IGNORECASE)
MOST_BEFORE, MOST_THOUGHTS = 1_000, 16
"""A text that begins with more white space begins with no tag; after so many thoughts the rest is the answer."""
_ANSWER_MARK = re.compile(r"\s*(?:<\|start\|>assistant)?<\|channel\|>final<\|message\|>", re.IGNORECASE)
_MARKS = ("<|start|>assistant<|channel|>final<|message|>", "<|channel|>final<|message|>")
_UNOPENED = re.compile(r"(?:\A|\n)[ \t]*</(think|thinking)>[ \t]*(?:\n|\Z)")


def part_unopened(text: str) -> tuple[str, str]:
    """Return the reasoning and the answer of a text whose opening tag stood in the prompt, as some templates have it.

    The closing tag must stand on a line of its own, outside of code, with no opening one before it.
    """
    found = _UNOPENED.search(text)
    if found is None or _OPENED.search(text, 0, found.start()) or text.count("```", 0, found.start()) % 2:
        return "", text
    return text[:found.start()].strip(), text[found.end():].lstrip()


class _State(Enum):
    BEGINNING = auto()
    REASONING = auto()
    ANSWER = auto()


class ThinkTags:
    """Parts streamed text into reasoning and answer; a tag may be cut anywhere, and one that never closes holds all.

    With `is_on` False every text passes. Tags later in the text are part of the answer.
    """

    __slots__ = ("_closing", "_held", "_reasoning", "_state", "_thoughts", "_told", "is_on")

    def __init__(self, *, is_on: bool) -> None:
        self.is_on = is_on
        self._state = _State.BEGINNING if is_on else _State.ANSWER
        self._held = ""
        self._closing = ""
        self._reasoning: list[str] = []
        self._told = self._thoughts = 0

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
        while self._has_moved():
            pass
        return self._release() if self._is_answering() else ""

    def close(self) -> str:
        """Return what was held back when the text ended; what follows a tag that is still open was reasoning."""
        if self._state is _State.REASONING:
            self._reasoning.append(self._release())
        return self._release()

    def part(self, text: str) -> tuple[str, str]:
        """Return the reasoning and the answer of a whole text; `text` is what `feed` and `close` returned."""
        if not self.is_on or self._reasoning:
            return self.reasoning, text
        return part_unopened(text)

    def _is_answering(self) -> bool:
        return self._state is _State.ANSWER

    def _release(self) -> str:
        held, self._held = self._held, ""
        return held

    def _has_moved(self) -> bool:
        """Read what is held, and say whether another look is of use."""
        state = self._state
        if state is _State.BEGINNING:
            return self._found_opening()
        return state is _State.REASONING and self._found_closing()

    def _found_opening(self) -> bool:
        """Find the beginning of reasoning, or of the answer; blanks between the two are dropped."""
        if self._thoughts == MOST_THOUGHTS:
            self._state = _State.ANSWER
            return False
        if found := _OPENING.match(self._held):
            self._thoughts += 1
            self._state, self._closing = _State.REASONING, ENDS_OF[found[1].lower()]
            self._held = self._held[found.end():]
            return True
        if self._closing:
            self._held = self._held.lstrip()
        if mark := _ANSWER_MARK.match(self._held):
            self._state, self._held = _State.ANSWER, self._held[mark.end():]
            return False
        begun = self._held.lstrip().lower()
        if len(self._held) > MOST_BEFORE or not any(tag.startswith(begun) for tag in (*ENDS_OF, *_MARKS)):
            self._state = _State.ANSWER
        return False

    def _found_closing(self) -> bool:
        """Move reasoning out of what is held, all but an ending that may be the beginning of the closing tag."""
        at = self._held.lower().find(self._closing)
        if at >= 0:
            thought, self._held = self._held[:at], self._held[at + len(self._closing):]
            self._state = _State.BEGINNING
        else:
            lowered = self._held[-len(self._closing):].lower()
            kept = next((n for n in range(len(self._closing) - 1, 0, -1) if lowered.endswith(self._closing[:n])), 0)
            thought, self._held = self._held[:len(self._held) - kept], self._held[len(self._held) - kept:]
        self._reasoning.append(thought)
        return at >= 0
