"""What a call used: as the provider told it, else estimated and marked so; never nothing for what was something."""

from dataclasses import replace

from automatos.kernel.tokens import BYTES_PER_TOKEN
from automatos.llm.providers import CallProgress
from automatos.llm.types import Answer, Usage

MOST_CHARS_PER_TOKEN = 8
"""A provider that tells fewer tokens than this allows told them before it had written the rest."""


def usage_of_answer(answer: Answer, progress: CallProgress) -> Usage:
    """Return what an answer used; a side that was not told, or told as 0 though there is something, is estimated."""
    told = answer.usage or Usage()
    written = progress.received_chars or len(answer.text) + sum(len(call.arguments) for call in answer.tool_calls)
    missing_input = not told.input_tokens and progress.sent_bytes > 0
    missing_output = not told.output_tokens and written + len(answer.reasoning) > 0
    if not missing_input and not missing_output:
        return told
    return replace(
        told, is_estimated=True,
        input_tokens=_tokens(progress.sent_bytes) if missing_input else told.input_tokens,
        output_tokens=_tokens(max(written, len(answer.text) + len(answer.reasoning))) if missing_output
        else told.output_tokens,
    )


def usage_of_failure(progress: CallProgress) -> Usage:
    """Return what a call used that gave no answer.

    A request that never left, or that was answered with an error status, used nothing. One that was answered in part,
    or whose end nobody saw, used at least what was sent and received.
    """
    if not progress.sent_bytes or (progress.status is not None and not 200 <= progress.status < 300):
        return Usage()
    told = progress.usage or Usage()
    received = _tokens(progress.received_chars)
    if told.input_tokens and told.output_tokens * MOST_CHARS_PER_TOKEN >= progress.received_chars:
        return told
    return replace(told, is_estimated=True, input_tokens=told.input_tokens or _tokens(progress.sent_bytes),
                   output_tokens=max(told.output_tokens, received))


def _tokens(size: int) -> int:
    return -(-size // BYTES_PER_TOKEN)
