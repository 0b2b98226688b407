"""What a provider returned goes back to it, and to nobody else: to the same provider, wire and model family."""

import re
from typing import Any

from automatos.llm.providers import ProviderCall
from automatos.llm.providers.own_choices import KEPT_REASONING
from automatos.llm.types import Message, ProviderItems

_FAMILY = re.compile(r"\D*\d+")


def family_of(model_id: str) -> str:
    """Return the family of a model: its name up to the first number, so `gpt-6.1-sol` is of `gpt-6`.

    Snapshots, sizes and minor versions of one generation read each other's reasoning; a name without a number is a
    family of its own.
    """
    name = model_id.lower()
    found = _FAMILY.match(name)
    return found[0] if found else name


def tagged(call: ProviderCall, wire: str, items: list[dict[str, Any]]) -> ProviderItems | None:
    """Return output items with where they may go back to; None when there are none."""
    if not items:
        return None
    return ProviderItems(wire, call.provider.name, family_of(call.choice.model_id), tuple(items))


def replayable(call: ProviderCall, wire: str, message: Message) -> tuple[dict[str, Any], ...]:
    """Return the items of a message that this call may send back; none when another model made them.

    None either where the provider cannot read them any more, as with a key of another organisation.
    """
    kept = message.items
    if kept is None or KEPT_REASONING in call.refused or (kept.wire, kept.provider) != (wire, call.provider.name):
        return ()
    return kept.items if kept.family == family_of(call.choice.model_id) else ()
