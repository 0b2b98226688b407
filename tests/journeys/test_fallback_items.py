"""A fallback in the middle of a run: neither model is sent what only the other can read."""

from tests.fakes.model_calls import Call
from tests.fakes.model_server import ModelServer, Reply
from tests.surface import Client, Make

FIRST, SECOND = "First I count the apples.", "Then I count the pears."


def is_first(call: Call) -> bool:
    return call.is_responses


def is_fallback(call: Call) -> bool:
    return call.is_anthropic


async def test_a_fallback_between_turns_gets_text_and_calls_and_none_of_the_first_models_items(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    model_server.serves_responses = True
    # An address of its own: of the shared one it may be known by now that it has no Responses.
    stored = await client.post("/api/credentials", json={
        "name": "Own", "provider": "openai", "value": "sk-own", "base_url": f"{model_server.url}/own/v1"})
    assert stored.status == 201, stored.body
    agent = await make.agent(tools=["calculator"], configuration={"retry_attempts": 0}, model_config={
        "provider": "openai", "model_id": "gpt-6.1-terra", "fallback_model_id": "anthropic//claude-sonnet-5-5"})
    recipe = await make.recipe({"agent_id": agent["id"], "prompt_template": "Count"})
    model_server.script(
        Reply(reasoning=FIRST, tool_calls=[("calculator", {"expression": "1+1"})]),
        Reply(status=500, headers={"Retry-After": "0"}), Reply(text="Six."), match=is_first)
    model_server.script(Reply(reasoning=SECOND, tool_calls=[("calculator", {"expression": "2+2"})]), match=is_fallback)

    run = await client.cooked(recipe["template_id"])

    assert (run["status"], run["output_data"]["final_output"]) == ("completed", "Six.")
    assert [call.is_anthropic for call in model_server.calls] == [False, False, True, False]
    sealed = {piece for piece in model_server.issued if piece.startswith("sig")}
    assert len(sealed) == 2

    asked = str(model_server.calls[2].body)
    assert not [piece for piece in sealed | {FIRST, SECOND} if piece in asked]
    said = model_server.calls[2].body["messages"]
    assert [block["type"] for block in said[1]["content"]] == ["tool_use"]
    assert [block["type"] for block in said[2]["content"]] == ["tool_result"]

    last = model_server.calls[3].body["input"]
    assert sum(piece in str(last) for piece in sealed) == 1, "its own reasoning, and not the fallback's"
    assert SECOND not in str(last)
    assert [item["type"] for item in last if "type" in item] == [
        "reasoning", "function_call", "function_call_output", "function_call", "function_call_output"]
    assert [turn["body"]["status"] for turn in run["steps"][0]["turns"] if turn["kind"] == "model"] == [
        "success", "fallback", "success"]
