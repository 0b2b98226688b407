"""A recipe's run as the engine asks for it: labels of steps, items, questions, agents to queue, the end."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import asyncpg
import orjson

from automatos.recipes.definition import as_text
from automatos.recipes.ending import closing
from automatos.recipes.graph import INPUT, Flow
from automatos.recipes.nested import start_child
from automatos.recipes.placeholders import TooLong
from automatos.recipes.queries import graph_runs as queries
from automatos.recipes.state import ExecutionState, Stored, planned, state_of
from automatos.recipes.step_runner import fill, values_of
from automatos.recipes.types import Definition, ExecutionStatus, JsonObject, Step, StepStatus
from automatos.runs.service import Graph, StepRecord, advance, item_of
from automatos.runs.types import (
    Closing,
    RunRow,
    RunStatus,
    StartedRun,
    StepKind,
    StepLabel,
    StepPath,
    StepUnready,
    step_key,
)
from automatos.runs.types import StepStatus as Status
from automatos.runtime.service import fence

MAX_ITEMS = 10_000
MAX_QUESTION = 100_000


async def plan_recipe(connection: asyncpg.Connection, run: RunRow) -> "RecipePlan":
    """Return what the engine asks of a run of a recipe or of a task."""
    plan = RecipePlan(run, *await planned(connection, run))
    plan.names = await queries.names_of(connection, plan.recipe.agent_ids)
    return plan


@dataclass
class RecipePlan:
    """One run of one version of a recipe; `names` are those of its agents, by id as text."""

    _run: RunRow
    recipe: Definition
    flow: Flow
    names: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def graph(self) -> Graph:
        """The steps of the run."""
        return self.flow.graph

    @property
    def time_limit(self) -> timedelta:
        """How long the run may work."""
        return timedelta(seconds=self.recipe.config.total_timeout_s)

    def label(self, path: StepPath, key: str) -> StepLabel:
        """Return what to write of a step."""
        step = self.flow.by_key[key]
        return StepLabel(step.step_id, step.output_key, step.agent_id or None,
                         self.names.get(str(step.agent_id), "") if step.agent_id else "")

    async def items(self, connection: asyncpg.Connection, path: StepPath, key: str) -> list[Any]:
        """Return the items of a for-each; raises StepUnready."""
        step = self.flow.by_key[key]
        source = (step.for_each or {})["items"]
        if source.startswith(INPUT):
            found = self._run.input_data.get(source.removeprefix(INPUT))
        else:
            found = _read(await self._output(connection, path, step, source))
        if found is None:
            return []
        if not isinstance(found, list):
            raise StepUnready("items_invalid", f"{source} is no list in JSON.", "Ask for a list in JSON, and no more.")
        items = cast("list[Any]", found)
        if len(items) > MAX_ITEMS:
            raise StepUnready("items_invalid", f"{source} has {len(items):,} items; {MAX_ITEMS:,} are taken.",
                              "Divide the list.")
        return items

    async def _output(self, connection: asyncpg.Connection, path: StepPath, step: Step, source: str) -> str | None:
        before = next(each for each in self.flow.before[step.step_id] if source in {each.step_id, each.output_key})
        rows = await queries.steps_at(connection, self._run.id, [path_of(before, path, self.flow)])
        return rows[0]["output"] if rows else None

    async def question(self, connection: asyncpg.Connection, path: StepPath, key: str) -> str:
        """Return what a person is to decide; raises StepUnready."""
        step = self.flow.by_key[key]
        state, more = await self.before(connection, path, step, str)
        try:
            return fill(step.prompt_template, values_of(state, str) | more, limit=MAX_QUESTION)
        except TooLong as error:
            raise StepUnready("question_too_long", f"What is to be decided has {error.size:,} characters.",
                              "Name fewer outputs in it.") from error

    async def before(
        self, connection: asyncpg.Connection, path: StepPath, step: Step, quoted: Callable[[str], str] = fence,
        stored: Stored | None = None,
    ) -> tuple[ExecutionState, dict[str, str]]:
        """Return the run with the steps that are over before one, and the values of the item that it is for.

        Models read what other models wrote between marks, so that it is not obeyed; people (`quoted=str`) do without.
        `stored` is the run's row where it was read a moment ago.
        """
        row = stored or await queries.run_of(connection, self._run.workspace_id, self._run.id)
        if row is None:
            raise LookupError(f"run {self._run.id} is gone")
        known = self.flow.before[step.step_id]
        paths = [path_of(each, path, self.flow) for each in known]
        rows = {each["path"]: each for each in await queries.steps_at(connection, self._run.id, paths)}
        state = state_of(row, self.recipe, [
            (each, rows.get(where)) for each, where in zip(known, paths, strict=True)])
        return state, await self._item(connection, path, step, quoted)

    async def _item(
        self, connection: asyncpg.Connection, path: StepPath, step: Step, quoted: Callable[[str], str]
    ) -> dict[str, str]:
        if step.inside is None:
            return {}
        rows, _, number = path.rpartition(".")[0].removesuffix("]").rpartition("[")
        text = as_text(await item_of(connection, self._run.id, rows, int(number)))
        source = (self.flow.by_key[step.inside].for_each or {})["items"]
        is_given = source.startswith(INPUT) and source.removeprefix(INPUT) not in (self._run.parent or {}).get(
            "material", ())
        return {"item": text if is_given else quoted(text), "index": number}

    async def start_run(self, connection: asyncpg.Connection, path: StepPath, key: str) -> StartedRun:
        """Store the run that a step starts, and begin it; raises StepUnready."""
        step = self.flow.by_key[key]
        state, more = await self.before(connection, path, step, str)
        return await start_child(
            connection, plan_recipe, self._run, step, path, state, values_of(state, str) | more)

    async def enqueue(self, connection: asyncpg.Connection, steps: Mapping[StepPath, str]) -> None:
        """Queue the jobs of steps with their agents."""
        await queries.enqueue(
            connection, self._run.job, self._run.workspace_id, [step_key(self._run.id, path) for path in steps],
            [self.flow.by_key[key].agent_id for key in steps.values()])

    async def close(self, connection: asyncpg.Connection, status: RunStatus, error: JsonObject | None) -> Closing:
        """Return how the run ends."""
        row = await queries.run_of(connection, self._run.workspace_id, self._run.id)
        if row is None:
            raise LookupError(f"run {self._run.id} is gone")
        own = self.recipe.own_steps
        rows = {each["path"]: each
                for each in await queries.steps_at(connection, self._run.id, [step.step_id for step in own])}
        state = state_of(row, self.recipe, [(step, rows.get(step.step_id)) for step in own])
        event = closing(state, *end_of(state, status, error), self._run.cancel_requested_by)
        return Closing(state.status, event, state.output_data, state.error)


STATUSES = {
    StepStatus.RUNNING: Status.RUNNING, StepStatus.COMPLETED: Status.COMPLETED, StepStatus.FAILED: Status.FAILED,
    StepStatus.SKIPPED: Status.FAILED, StepStatus.CANCELLED: Status.CANCELLED,
}
"""What the engine calls the states of a line's steps; in a line a step is skipped when its failure is passed over."""


def records_of(steps: Mapping[StepPath, StepStatus]) -> dict[StepPath, StepRecord]:
    """Return the steps of a line that have begun as the engine's function asks for them."""
    return {path: StepRecord(STATUSES[status]) for path, status in steps.items() if status is not StepStatus.PENDING}


def first_steps(flow: Flow, inputs: JsonObject, names: Mapping[str, str]) -> list[JsonObject]:
    """Return the steps that a run begins with; none where more is to be done than to queue them with their agents."""
    answer = advance(flow.graph, {}, inputs=inputs)
    steps = [flow.by_key[start.node.key] for start in answer.ready]
    if answer.ended or any(step.kind is not StepKind.AGENT for step in steps):
        return []
    return [{"step_order": step.order, "path": step.step_id, "step_id": step.step_id, "agent_id": step.agent_id,
             "agent_name": names.get(str(step.agent_id), ""), "output_key": step.output_key} for step in steps]


def end_of(
    state: ExecutionState, status: RunStatus, error: JsonObject | None
) -> tuple[ExecutionStatus, JsonObject | None]:
    """Return how a run ends: a task whose agent was stopped is cancelled, and says why."""
    if status is RunStatus.FAILED and state.kind != "recipe":
        for step in state.steps.values():
            if step.status is StepStatus.CANCELLED:
                return ExecutionStatus.CANCELLED, step.error
    return ExecutionStatus(status), error


def path_of(step: Step, seen_from: StepPath, flow: Flow) -> StepPath:
    """Return where a step before another one is in the run: beside it, or around the for-each that repeats it."""
    depth = 0
    around = step.inside
    while around is not None:
        depth += 1
        around = flow.by_key[around].inside
    return StepPath(".".join([*seen_from.split(".")[:depth], step.step_id]))


def _read(output: str | None) -> Any:
    """Read a list in JSON as models write it; None where the step gave nothing."""
    if output is None:
        return None
    text = output.strip()
    if text.startswith("```"):
        text = text.split("\n", 1)[-1].rpartition("```")[0]
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return output

