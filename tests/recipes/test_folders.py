"""Which folders of executions are still needed: a run that waits keeps its own, one that has ended does not."""

from automatos.kernel.db import Database
from automatos.recipes.service import unfinished_executions
from tests.fakes.model_server import ModelServer, Reply
from tests.surface import Client, Make


async def test_executions_that_have_not_ended_are_named_and_those_of_others_never(
    client: Client, stranger: Client, make: Make, database: Database, model_server: ModelServer
) -> None:
    recipe = await make.recipe("Say hello")
    ended = await client.cook(recipe["template_id"])
    await client.follow(ended)
    model_server.script(Reply(hang=True))
    at_work = await client.cook(recipe["template_id"])
    await model_server.wait_for_calls(2)

    assert await unfinished_executions(database, client.workspace_id) == {at_work}
    assert await unfinished_executions(database, stranger.workspace_id) == frozenset()
    assert (await client.post(f"/api/runs/{at_work}/cancel")).status == 202
    await client.follow(at_work)
    assert await unfinished_executions(database, client.workspace_id) == frozenset()
