"""What OpenAI's Responses refuses, asked without state."""

from collections.abc import Mapping

from tests.fakes.model_rules import Refusal, Request, rule

ITEM_FIELDS: Mapping[str, frozenset[str]] = {
    "message": frozenset({"type", "id", "role", "content", "status", "phase"}),
    "reasoning": frozenset({"type", "id", "summary", "content", "encrypted_content", "status"}),
    "function_call": frozenset({"type", "id", "call_id", "name", "arguments", "status"}),
    "function_call_output": frozenset({"type", "id", "call_id", "output", "status"}),
}


@rule
def items_are_known(request: Request) -> Refusal | None:
    """OpenAI: types of items and their fields."""
    for at, item in enumerate(request.input):
        kind = item.get("type", "message")
        if kind not in ITEM_FIELDS:
            return Refusal(f"Invalid value: '{kind}'.", param=f"input[{at}].type", code="invalid_value")
        for name in sorted(set(item) - ITEM_FIELDS[kind]):
            return Refusal(f"Unknown parameter: 'input[{at}].{name}'.", param=f"input[{at}].{name}",
                           code="unknown_parameter")
    return None


@rule
def outputs_match_calls(request: Request) -> Refusal | None:
    """OpenAI: each call has its output and the reverse."""
    called = [item["call_id"] for item in request.input if item.get("type") == "function_call"]
    answered = [item["call_id"] for item in request.input if item.get("type") == "function_call_output"]
    for call_id in called:
        if call_id not in answered:
            return Refusal(f"No tool output found for function call {call_id}.", param="input")
    for call_id in answered:
        if call_id not in called:
            return Refusal(f"No tool call found for function call output with call_id {call_id}.", param="input")
    return None


@rule
def reasoning_items(request: Request) -> Refusal | None:
    """OpenAI, stateless: reasoning comes back encrypted and unaltered, before what followed from it."""
    items = request.input
    for at, item in enumerate(items):
        if item.get("type") != "reasoning":
            continue
        if not item.get("encrypted_content"):
            return Refusal(f"Item with id '{item.get('id')}' not found. Items are not persisted when `store` is set to "
                           "false. Try again with `store` set to true, or remove this item from your input.",
                           status=404)
        if item["encrypted_content"] not in request.issued:
            return Refusal(f"The encrypted content for item {item.get('id')} could not be verified.",
                           code="invalid_encrypted_content")
        following = items[at + 1] if at + 1 < len(items) else {}
        if following.get("type") != "function_call" and following.get("role") != "assistant":
            return Refusal(f"Item '{item.get('id')}' of type 'reasoning' was provided without its required following "
                           "item.", param="input")
    return None


@rule
def calls_keep_their_reasoning(request: Request) -> Refusal | None:
    """Stricter than OpenAI, which only answers worse: every turn with calls still has the reasoning it began with."""
    has_reasoning = False
    for item in request.input:
        if item.get("type") == "reasoning":
            has_reasoning = True
        elif item.get("type") == "function_call_output":
            has_reasoning = False
        elif item.get("type") == "function_call" and request.is_reasoning and not has_reasoning:
            return Refusal(f"Item '{item.get('id')}' of type 'function_call' was provided without its required "
                           "'reasoning' item.", param="input")
    return None


@rule
def stateless(request: Request) -> Refusal | None:
    """Organisations with zero data retention: nothing is stored, so nothing is referred to."""
    if request.body.get("store") is not False:
        return Refusal("store: this organization has zero data retention enabled; set `store` to false.")
    if "previous_response_id" in request.body:
        return Refusal("Previous response cannot be used for this organization due to Zero Data Retention.")
    return None


@rule
def enough_room(request: Request) -> Refusal | None:
    """OpenAI: at least 16 tokens of output."""
    most = request.body.get("max_output_tokens")
    if most is None or most >= 16:
        return None
    return Refusal(f"Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got {most} "
                   "instead.", param="max_output_tokens", code="integer_below_min_value")


@rule
def no_encrypted_content(request: Request) -> Refusal | None:
    """OpenAI's models without reasoning, vLLM: nothing to encrypt."""
    if request.is_reasoning or "reasoning.encrypted_content" not in (request.body.get("include") or ()):
        return None
    return Refusal("Encrypted content is not supported with this model.", param="include")
