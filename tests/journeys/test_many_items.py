"""A for-each over a thousand rows: so many at once, so many may fail, each once."""

from tests.fakes.model_server import ModelServer, Reply
from tests.runs.test_graphs import run_of
from tests.surface import Client, Make


async def test_a_thousand_items_ten_at_once_three_failing_give_a_thousand_places(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    agent = await make.agent(configuration={"max_concurrent_tasks": 10})
    for number in (7, 500, 999):
        model_server.script(Reply(status=400, body="no"), match=f"row {number} end", repeat=True)
    recipe = await make.recipe(
        {"step_id": "rows", "agent_id": None,
         "for_each": {"items": "input.rows", "concurrency": 10, "max_failures": 3}},
        {"step_id": "each", "inside": "rows", "agent_id": agent["id"], "prompt_template": "row {item} end"},
        inputs={"rows": {"type": "array"}}, execution_config={"max_retries": 0})

    run_id = await client.cook(recipe["template_id"], rows=list(range(1000)))
    events = await client.follow(run_id, timeout_s=500)
    run = await run_of(client, run_id)

    assert run["status"] == "completed_with_skips"
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    given = next(event["data"]["output"] for event in reversed(events) if event["type"] == "step.completed")
    assert given.count("null") == 3
    assert given.count("row ") == 997
    calls = [call.last_user_text for call in model_server.calls]
    assert len(calls) == len(set(calls)) == 1000
    at_once, most = set[int](), 0
    for event in events:
        if event["type"] == "step.started":
            at_once.add(event["data"]["order"])
        elif event["type"] in {"step.completed", "step.failed"}:
            at_once.discard(event["data"]["order"])
        most = max(most, len(at_once))
    assert 2 <= most <= 10
