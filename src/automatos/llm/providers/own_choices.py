"""What nobody asked for and this server sends by itself: room for the answer, and the reasoning of earlier turns.

A provider that refuses one of them is asked again without it, as with any feature: `room:8192` bounds the answer where
a wire demands a bound, `reasoning:kept` leaves out what earlier turns hold beside their text and calls.
"""

import re

from automatos.kernel.error_bodies import ProviderError
from automatos.llm.providers import ProviderCall

KEPT_REASONING = "reasoning:kept"
OF_ONE_CALL = frozenset({KEPT_REASONING})
"""What is true of one conversation, not of a model, and so is not remembered."""
LEAST_ROOM = 256
_ROOM = "room:"
_OF_ROOM = re.compile(r"(?i)max[_ ]?tokens|max_output|"
                      r"max(?:imum)? (?:allowed )?(?:number of )?(?:output|completion) tokens")
_MOST = re.compile(r"(?i)(?:>|<=?|at most|maximum|limit|up to|between|range|supports?)[^\d]{0,40}([\d,_]{3,12})")
_UNREADABLE = re.compile(
    r"(?i)(?:encrypted[_ ]content|signature|thinking.{0,10}block|reasoning).{0,120}"
    r"(?:invalid|not valid|corrupt|verif|decrypt|decod|mismatch|expired|not found|cannot be modified|must remain|"
    r"without its required|does not match|did not match)|"
    r"(?:invalid|corrupt\w*|expired|malformed).{0,40}(?:encrypted[_ ]content|signature|thinking|reasoning item)|"
    r"invalid_encrypted_content|item with id '?rs_|\brs_\w+'? of type 'reasoning'")


def find_own(call: ProviderCall, error: ProviderError) -> frozenset[str]:
    """Return what this server added to a request and the error refuses; empty when it is about something else."""
    holds_kept = any(message.items for message in call.messages) and KEPT_REASONING not in call.refused
    if holds_kept and _UNREADABLE.search(error.hints):
        return frozenset({KEPT_REASONING})
    sent = call.progress.body.get("max_tokens")
    if call.choice.max_tokens is None and isinstance(sent, int) and sent > LEAST_ROOM and _OF_ROOM.search(error.hints):
        return frozenset({f"{_ROOM}{_less_than(sent, error.message)}"})
    return frozenset()


def room_left(call: ProviderCall, room: int) -> int:
    """Return how much room there is where a provider refused more."""
    return min([room, *(int(name.removeprefix(_ROOM)) for name in call.refused if name.startswith(_ROOM))])


def _less_than(sent: int, text: str) -> int:
    """Return the bound that a refusal names, else half of what was sent."""
    named = [int(digits) for found in _MOST.findall(text[:1500]) if (digits := re.sub(r"\D", "", found))]
    fitting = [number for number in named if LEAST_ROOM <= number < sent]
    return max(fitting, default=max(sent // 2, LEAST_ROOM))
