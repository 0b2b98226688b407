"""The first start: one sample recipe is cooked, so that a newcomer sees the main job finish before doing anything."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml

from automatos.agents.service import Readiness
from automatos.durable.types import Subscription
from automatos.entrypoints.services import Services
from automatos.entrypoints.startup import package_file
from automatos.events.types import FINAL_EVENTS
from automatos.recipes.apply import apply_file
from automatos.recipes.run_schemas import RunOut
from automatos.recipes.runs_view import show
from automatos.recipes.schemas import RecipeFile
from automatos.recipes.start import find_started, run_topic, start_execution
from automatos.recipes.types import FINAL
from automatos.workspaces.service import get_or_create_default_workspace
from automatos.workspaces.types import AuthMethod, Caller, Role

SAMPLE = "research-digest"
SAMPLE_KEY = "first-start-sample"
"""The sample's idempotency key: whatever restarts, a database sees it cooked once."""
LOOK_AGAIN_S = 1.0


@dataclass(frozen=True)
class Sample:
    """The sample's run when it is over."""

    run: RunOut
    workspace_id: UUID
    is_demo: bool

    @property
    def path(self) -> str:
        """Where the web app shows it."""
        return f"/w/{self.workspace_id}/runs/{self.run.id}"


def examples_folder() -> Path:
    """Return the folder of the recipe files that ship with the product."""
    return package_file("examples") / "recipes"


def read_recipe_file(path: Path) -> dict[str, Any]:
    """Return the content of a recipe file."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


async def cook_sample(services: Services, *, before: Callable[[], None] = lambda: None) -> Sample | None:
    """Cook the sample recipe in the default workspace and wait for its end; None when this database has seen it end.

    `before` is called when it is about to be cooked for the first time.
    It is cooked as everything is: applied as a recipe file, started by the service, worked on by any worker.
    """
    workspace_id = await get_or_create_default_workspace(services.database, services.settings)
    execution_id = await find_started(services.database, workspace_id, SAMPLE_KEY)
    if execution_id is None:
        before()
        execution_id = await _start(services, workspace_id)
    elif (await _run(services, workspace_id, execution_id)).status in FINAL:
        return None
    run = await _end_of(services, workspace_id, execution_id)
    used = [turn.body.get("provider") for step in run.steps for turn in step.turns if turn.kind == "model"]
    return Sample(run, workspace_id, is_demo="demo" in used)


async def _start(services: Services, workspace_id: UUID) -> UUID:
    caller = Caller(user=None, workspace_id=workspace_id, role=Role.OWNER, auth_method=AuthMethod.NONE)
    file = RecipeFile.model_validate(read_recipe_file(examples_folder() / f"{SAMPLE}.yaml"))
    async with services.database.session(workspace_id) as session:
        await apply_file(session, caller, file, Readiness(services.models, services.toolbox))
    return (await start_execution(
        services.database, services.bus, services.models, caller, SAMPLE, {}, SAMPLE_KEY)).execution_id


async def _run(services: Services, workspace_id: UUID, execution_id: UUID) -> RunOut:
    async with services.database.session(workspace_id) as session:
        return await show(session, services.database, workspace_id, execution_id)


async def _end_of(services: Services, workspace_id: UUID, execution_id: UUID) -> RunOut:
    """Return an execution when it is over."""
    async with services.bus.subscribe(workspace_id, [run_topic(execution_id)]) as subscription:
        while (run := await _run(services, workspace_id, execution_id)).status not in FINAL:
            await _final_word(subscription)
        return run


async def _final_word(subscription: Subscription) -> None:
    """Wait until the last event is heard, or for a while: words can be lost, rows cannot."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LOOK_AGAIN_S):
            while not any(event.type in FINAL_EVENTS for event in subscription.take()[0]):
                await subscription.wait(LOOK_AGAIN_S)
