"""The main job: several agents cook a recipe against a model over a real socket, watched live."""

from typing import Any

import pytest

from tests.fakes.model_server import ModelServer, Reply
from tests.surface import Client, Make


async def three_agents(make: Make, provider: str) -> dict[str, Any]:
    """A recipe of three steps by three agents; the first may use the calculator."""
    model = {"provider": provider, "model_id": "fake-model"}
    names = ("Analyst", "Writer", "Editor")
    agents = [await make.agent(name, model_config=model, **({"tools": ["calculator"]} if name == "Analyst" else {}))
              for name in names]
    return await make.recipe(
        {"agent_id": agents[0]["id"], "output_key": "sum", "prompt_template": "Add up {input.numbers}."},
        {"agent_id": agents[1]["id"], "output_key": "draft", "prompt_template": "Write about this sum: {sum}"},
        {"agent_id": agents[2]["id"], "output_key": "final",
         "prompt_template": "Edit {draft}; the sum was {step_1_output}."},
        inputs={"numbers": {"type": "string", "required": True}},
    )


def script(model_server: ModelServer) -> None:
    model_server.script(
        Reply(tool_calls=[("calculator", {"expression": "19 + 23"})], usage=(100, 10)),
        Reply(text="The sum is 42.", usage=(120, 8)),
        Reply(text="A fine sum: 42.", usage=(90, 9)),
        Reply(text="Edited: a fine sum, 42.", usage=(95, 11)),
    )


@pytest.mark.capability("S122")
@pytest.mark.capability("S123")
@pytest.mark.capability("S124")
@pytest.mark.capability("S125")
@pytest.mark.capability("S126")
@pytest.mark.capability("S127", partly="Plugins do not exist yet.")
@pytest.mark.parametrize("provider", ["openai", "anthropic"])
async def test_three_agents_cook_three_steps_with_one_tool_call_in_exactly_four_model_calls(
    client: Client, make: Make, model_server: ModelServer, provider: str
) -> None:
    recipe = await three_agents(make, provider)
    script(model_server)

    run_id = await client.cook(recipe["template_id"], numbers="19 and 23")
    events = await client.follow(run_id)
    run = (await client.get(f"/api/runs/{run_id}")).json()

    assert len(model_server.calls) == 4
    assert run["status"] == "completed"
    assert run["output_data"]["final_output"] == "Edited: a fine sum, 42."
    assert [step["output"] for step in run["steps"]] == ["The sum is 42.", "A fine sum: 42.", "Edited: a fine sum, 42."]
    assert len(model_server.calls[1].tool_results) == 1
    assert "42" in model_server.calls[1].tool_results[0]
    assert "The sum is 42." in model_server.calls[2].last_user_text
    assert "A fine sum: 42." in model_server.calls[3].last_user_text
    assert "The sum is 42." in model_server.calls[3].last_user_text
    assert run["total_tokens"] == 100 + 10 + 120 + 8 + 90 + 9 + 95 + 11
    assert [event["type"] for event in events if not event["type"].endswith("delta")] == [
        "execution.queued", "execution.started", "step.started", "model.answered", "tool.finished", "model.answered",
        "step.completed", "step.started", "model.answered", "step.completed", "step.started", "model.answered",
        "step.completed", "execution.completed",
    ]


async def test_the_stream_over_http_equals_the_stored_log(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    recipe = await three_agents(make, "openai")
    script(model_server)

    run_id = await client.cook(recipe["template_id"], numbers="19 and 23")
    live = await client.follow(run_id)
    again = await client.follow(run_id)
    stored = (await client.get(f"/api/runs/{run_id}/events.json")).json()

    assert live == again == stored["items"]
    assert [event["seq"] for event in live] == list(range(1, stored["total"] + 1))


async def test_a_reader_that_reconnects_sees_every_event_once(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    recipe = await three_agents(make, "openai")
    script(model_server)
    run_id = await client.cook(recipe["template_id"], numbers="19 and 23")
    whole = await client.follow(run_id)

    for seen in range(len(whole)):
        assert await client.follow(run_id, after=seen) == whole[seen:]
    assert await client.follow(run_id, after=len(whole)) == []
