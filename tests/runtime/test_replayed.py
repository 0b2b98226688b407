"""A provider's own items in a turn's body: read back as they were, never shown, bounded."""

from uuid import UUID

import pytest

from automatos.llm.types import ModelChoice, ProviderItems
from automatos.runtime.loop import messages_of
from automatos.runtime.transcript import items_of, items_to_json
from automatos.runtime.types import MAX_ITEMS_BYTES, RunInput, Turn

KEPT = ProviderItems("responses", "openai", "gpt-6", ({"type": "reasoning", "encrypted_content": "c2VjcmV0"},))


def model_turn(items: dict | None) -> Turn:
    body = {"text": "Hello", "tool_calls": [], "reasoning": "I greet."} | ({"items": items} if items else {})
    return Turn(UUID(int=1), 1, "model", body)


def test_items_come_back_as_they_were_stored() -> None:
    stored = items_to_json(KEPT)

    assert items_of(stored) == KEPT
    assert messages_of(RunInput("s", "p", ModelChoice("openai", "gpt-6"), ()), [model_turn(stored)])[-1].items == KEPT


def test_turns_without_items_and_those_recorded_before_there_were_any_are_read() -> None:
    (message,) = messages_of(RunInput("s", "p", ModelChoice("openai", "gpt-6"), ()), [model_turn(None)])[2:]

    assert (message.items, message.content) == (None, "Hello")


def test_what_people_are_shown_has_the_reasoning_and_not_the_items() -> None:
    shown = model_turn(items_to_json(KEPT)).shown_body

    assert shown == {"text": "Hello", "tool_calls": [], "reasoning": "I greet."}


@pytest.mark.parametrize("item", [
    {"data": "x" * MAX_ITEMS_BYTES}, {"text": "a\x00b"}, {"text": "a\ud800b"}, {"type": "set", "value": {1}},
], ids=["too large", "NUL", "lone surrogate", "not JSON"])
def test_items_that_cannot_be_stored_unchanged_are_left_out_whole(item: dict) -> None:
    assert items_to_json(ProviderItems("openai", "google", "gemini-3", ({"fine": True}, item))) is None
