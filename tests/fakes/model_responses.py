"""How a scripted reply looks on the wire of OpenAI Responses: typed output items, and the events that stream them."""

from itertools import count
from typing import Any

import orjson

from tests.fakes.model_wires import Finished, halves, sse

INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}


def output_items(reply: Finished) -> list[dict[str, Any]]:
    """The output array of a finished response: reasoning first, then the message, then the calls."""
    items: list[dict[str, Any]] = []
    if reply.reasoning or reply.token:
        items.append({"id": f"rs_{reply.number}", "type": "reasoning", "encrypted_content": reply.token or None,
                      "summary": [{"type": "summary_text", "text": reply.reasoning}] if reply.reasoning else []})
    if reply.text or not reply.tool_calls:
        part = ({"type": "refusal", "refusal": reply.text} if reply.is_refusal
                else {"type": "output_text", "text": reply.text, "annotations": [], "logprobs": []})
        items.append({"id": f"msg_{reply.number}", "type": "message", "role": "assistant", "status": "completed",
                      "phase": "commentary" if reply.tool_calls else "final_answer", "content": [part]})
    return items + [
        {"id": f"fc_{reply.number}_{at}", "type": "function_call", "status": "completed", "call_id": call_id,
         "name": name, "arguments": arguments}
        for at, (call_id, name, arguments) in enumerate(reply.tool_calls)]


def responses_usage(reply: Finished) -> dict[str, Any]:
    """The usage object of a response."""
    return {"input_tokens": reply.input_tokens, "output_tokens": reply.output_tokens,
            "total_tokens": reply.input_tokens + reply.output_tokens,
            "input_tokens_details": {"cached_tokens": reply.cached_tokens, "cache_write_tokens": 0},
            "output_tokens_details": {"reasoning_tokens": len(reply.reasoning) // 4}}


def responses_whole(reply: Finished, *, status: str | None = None) -> dict[str, Any]:
    """A whole response; `status` is that of a stream which is only beginning."""
    reason = INCOMPLETE.get(reply.finish_reason or "")
    ended = status or ("failed" if reply.finish_reason == "error" else "incomplete" if reason else "completed")
    is_over = status is None
    return {
        "id": f"resp_{reply.number}", "object": "response", "created_at": reply.created, "status": ended,
        "model": reply.model, "output": output_items(reply) if is_over else [], "parallel_tool_calls": True,
        "tool_choice": "auto", "tools": [], "store": False, "instructions": None, "metadata": {}, "temperature": None,
        "top_p": None, "previous_response_id": None, "max_output_tokens": None, "truncation": "disabled",
        "error": {"code": "server_error", "message": "The model broke off."} if ended == "failed" else None,
        "incomplete_details": {"reason": reason} if is_over and reason else None,
        "usage": responses_usage(reply) if is_over and reply.with_usage else None,
    }


def responses_stream(reply: Finished) -> list[bytes]:
    """The events of a streamed response, one text delta per piece; built from one template."""
    numbers = count()

    def event(kind: str, **fields: Any) -> bytes:
        return sse({"type": kind, "sequence_number": next(numbers), **fields}, kind)

    events = [event("response.created", response=responses_whole(reply, status="in_progress")),
              event("response.in_progress", response=responses_whole(reply, status="in_progress"))]
    for index, item in enumerate(output_items(reply)):
        place = {"item_id": item["id"], "output_index": index}
        events.append(event("response.output_item.added", output_index=index, item=_begun(item)))
        events += {"reasoning": _reasoning, "message": _message, "function_call": _call}[item["type"]](
            event, place, item, reply)
        events.append(event("response.output_item.done", output_index=index, item=item))
    whole = responses_whole(reply)
    return [*events, event(f"response.{whole['status']}", response=whole)]


def _begun(item: dict[str, Any]) -> dict[str, Any]:
    """An item as it is announced: without what is about to be streamed."""
    empty: dict[str, dict[str, Any]] = {"reasoning": {"summary": [], "encrypted_content": ""},
                                        "message": {"content": []}, "function_call": {"arguments": ""}}
    return item | empty[item["type"]] | ({"status": "in_progress"} if "status" in item else {})


def _reasoning(event: Any, place: dict[str, Any], item: dict[str, Any], _: Finished) -> list[bytes]:
    events: list[bytes] = []
    for at, part in enumerate(item["summary"]):
        where = place | {"summary_index": at}
        events.append(event("response.reasoning_summary_part.added", **where, part=part | {"text": ""}))
        events += [event("response.reasoning_summary_text.delta", **where, delta=half)
                   for half in halves(part["text"])]
        events.append(event("response.reasoning_summary_text.done", **where, text=part["text"]))
        events.append(event("response.reasoning_summary_part.done", **where, part=part))
    return events


def _message(event: Any, place: dict[str, Any], item: dict[str, Any], reply: Finished) -> list[bytes]:
    part, where = item["content"][0], place | {"content_index": 0}
    word = "refusal" if reply.is_refusal else "output_text"
    key = "refusal" if reply.is_refusal else "text"
    more = {} if reply.is_refusal else {"logprobs": []}
    events = [event("response.content_part.added", **where, part=part | {key: ""})]
    before, after = event(f"response.{word}.delta", **where, **more, delta="\x00").split(orjson.dumps("\x00"))
    events += [before + orjson.dumps(piece) + after for piece in reply.pieces]
    events.append(event(f"response.{word}.done", **where, **more, **{key: part[key]}))
    return [*events, event("response.content_part.done", **where, part=part)]


def _call(event: Any, place: dict[str, Any], item: dict[str, Any], _: Finished) -> list[bytes]:
    events = [event("response.function_call_arguments.delta", **place, delta=half)
              for half in halves(item["arguments"])]
    return [*events, event("response.function_call_arguments.done", **place, name=item["name"],
                           arguments=item["arguments"])]
