"""A local model that writes its tool calls into its text does its work all the same."""

from tests.fakes.model_server import ModelServer, Reply
from tests.surface import Client, Make


async def test_a_run_works_with_written_calls_and_says_so(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    agent = await make.agent(tools=["calculator"])
    recipe = await make.recipe({"agent_id": agent["id"], "prompt_template": "Add"})
    model_server.script(
        Reply(text='Let me see.\n<tool_call>{"name": "calculator", "arguments": {"expression": "1+1"}}</tool_call>'),
        Reply(text="It is two."))

    run_id = await client.cook(recipe["template_id"])
    events = await client.watch(run_id)
    run = (await client.get(f"/api/runs/{run_id}")).json()

    assert (run["status"], run["output_data"]["final_output"]) == ("completed", "It is two.")
    first, result, last = run["steps"][0]["turns"]
    assert (first["body"]["text"], first["body"]["calls_from_text"]) == ("Let me see.", True)
    assert (result["body"]["name"], result["body"]["output"]) == ("calculator", "2")
    assert last["body"]["calls_from_text"] is False
    assert [each["data"]["calls_from_text"] for each in events if each["type"] == "model.answered"] == [True, False]
    assert "<tool_call>" not in "".join(each["data"]["text"] for each in events if each["type"] == "step.delta")
