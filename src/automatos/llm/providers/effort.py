"""How hard a model is asked to think, in a word that it takes."""

from collections.abc import Sequence

from automatos.llm.providers import ProviderCall
from automatos.llm.types import EFFORTS


def effort_for(call: ProviderCall, taken: Sequence[str] | None = None) -> str | None:
    """Return the chosen effort, or the nearest one that the model takes; None where none was chosen or none is taken.

    `taken` are the words of a wire, for a model that the catalogue does not know.
    """
    chosen = call.choice.reasoning_effort
    efforts = call.traits.efforts if call.traits.efforts is not None else taken
    if chosen is None or efforts is None or chosen in efforts:
        return chosen
    known = [effort for effort in efforts if effort in EFFORTS]
    if not known:
        return None
    wanted = EFFORTS.index(chosen)
    return min(known, key=lambda effort: (abs(EFFORTS.index(effort) - wanted), EFFORTS.index(effort)))
