"""How an answer ended: complete, calling tools, cut off or refused; anything else broke off and is no answer."""

from collections.abc import Mapping, Sequence

from automatos.llm.errors import AnswerRefused, ModelAnswerEmpty, ModelAnswerInvalid, ModelUnavailable
from automatos.llm.providers import ProviderCall
from automatos.llm.types import AnswerEnd, ToolCall

BROKEN = frozenset({
    "error", "errored", "model_error", "server_error", "network_error", "internal_error", "api_error", "failed",
    "abort", "aborted", "cancel", "cancelled", "canceled", "interrupted", "disconnected", "timeout",
    "insufficient_system_resource", "overloaded", "malformed_function_call", "unexpected_tool_call", "load",
})
"""Words of providers that gave up in the middle; a word that nobody knows counts as one of them."""


def by_word(words: Mapping[AnswerEnd, Sequence[str]]) -> dict[str, AnswerEnd]:
    """Turn a wire's table of ends around."""
    return {word: end for end, spelled in words.items() for word in spelled}


def judge_end(call: ProviderCall, word: str, ends: Mapping[str, AnswerEnd], *, text: str, reasoning: str,
              calls: Sequence[ToolCall]) -> AnswerEnd:
    """Return what the provider's word for the end, as `end_word` reads it, means for an answer that holds so much.

    Raises:
        ModelUnavailable, ModelAnswerInvalid: the provider broke off, or there is nothing that can be used.
        AnswerRefused: the model or a filter declined and left no text.
    """
    end = ends.get(word)
    if end is None:
        raise _broken_off(call, word)
    if calls:
        return AnswerEnd.TOOL_CALLS if end is AnswerEnd.COMPLETE else end
    if text.strip():
        return AnswerEnd.COMPLETE if end is AnswerEnd.TOOL_CALLS else end
    if end is AnswerEnd.REFUSED:
        raise call.fault(AnswerRefused, "The model or the provider's content filter declined to answer.")
    if end is AnswerEnd.CUT_OFF:
        raise call.fault(ModelAnswerInvalid, "The model used up its limit before it wrote an answer.",
                         next_step="Raise max_tokens on the agent, or lower its reasoning_effort.")
    if end is AnswerEnd.TOOL_CALLS:
        raise call.fault(ModelAnswerInvalid, "The model said that it calls a tool and named none.")
    if reasoning:
        raise call.fault(ModelAnswerInvalid, "The model wrote down its reasoning and no answer.",
                         next_step="Try again; if it goes on, lower the reasoning_effort of the agent.")
    raise call.fault(ModelAnswerEmpty, "The model ended its answer without writing anything.")


def _broken_off(call: ProviderCall, word: str) -> ModelUnavailable | ModelAnswerInvalid:
    shown = word[:60]
    if shown in BROKEN:
        return call.fault(ModelUnavailable, f"{call.provider.display_name} broke off the answer ({shown}).")
    return call.fault(ModelAnswerInvalid, f"{call.provider.display_name} ended the answer with {shown!r}, which is no "
                                          "known end, so it was not kept.")
