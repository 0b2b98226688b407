"""An execution that is cancelled just as it is given up ends as cancelled, not unfinished without a job."""

import asyncio
from uuid import UUID

from automatos.durable.types import HeldJob, Interruption
from automatos.entrypoints.services import Services
from automatos.kernel.ids import new_id
from automatos.recipes.jobs import handlers
from automatos.recipes.team import RunDeps
from tests.fakes.model_server import ModelServer, Reply
from tests.surface import Client, Make


async def test_a_job_to_be_given_up_and_cancelled_ends_as_cancelled(
    client: Client, make: Make, model_server: ModelServer, services: Services
) -> None:
    recipe = await make.recipe("Say hello")
    gate = asyncio.Event()
    model_server.script(Reply(gate=gate))
    run_id = await client.cook(recipe["template_id"])
    await model_server.wait_for_calls(1)
    async with services.database.recording(client.workspace_id) as connection:
        await connection.execute("UPDATE recipe_executions SET cancel_requested_by = 'somebody' WHERE id = $1",
                                 UUID(run_id))
    run_deps = RunDeps(services.database, services.bus, services.models, services.toolbox, services.settings.home,
                      services.outcomes, services.skill_loader_of)
    job = HeldJob("runs.step", f"{run_id}/{recipe['steps'][0]['step_id']}", UUID(str(client.workspace_id)), 4, new_id(),
                  interruption=Interruption.CANCEL)

    await handlers(run_deps)[job.name].give_up(job, "it stopped its workers")

    gate.set()
    assert job.is_finished
    assert (await client.get(f"/api/runs/{run_id}")).json()["status"] == "cancelled"
