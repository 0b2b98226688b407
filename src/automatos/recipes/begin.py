"""Beginning a run in the process that accepts it: its first step is made ready, and is at work once it is stored."""

import asyncio
from functools import partial
from typing import Any

from automatos.agents.types import group_of
from automatos.durable.service import Reservation, Worker
from automatos.durable.types import NewEvent
from automatos.events.service import recorded
from automatos.events.types import ExecutionStarted
from automatos.kernel.errors import Problem
from automatos.recipes.definition import task_definition
from automatos.recipes.graph import Flow
from automatos.recipes.journal import StepJournal
from automatos.recipes.line import Line
from automatos.recipes.planning import RecipePlan, plan_recipe
from automatos.recipes.state import ExecutionState, StepState, flow_of
from automatos.recipes.step_runner import StepRunner
from automatos.recipes.steps import StepWork, until_over
from automatos.recipes.team import RunDeps, Team, find_team
from automatos.recipes.types import Definition, ExecutionStatus, JsonObject, NewRun
from automatos.runs.types import RunRow, StepPath, TakenStep, step_key
from automatos.runtime.types import Run

EVENTS = 3
"""A run that begins where it is accepted has so many events by then: queued, started, and that of its first step."""


class RunsHere:
    """Begins lines and tasks in this process, as long as nobody waits for the place that they take."""

    def __init__(self, run_deps: RunDeps, worker: Worker) -> None:
        self._run_deps = run_deps
        self._worker = worker

    async def prepare(self, new: NewRun) -> "Begun | None":
        """Keep a place for a run's first step and make it ready; None where it has to be queued.

        One that cannot be made ready is queued too: whoever takes it up says why it fails.
        """
        recipe = new.recipe or task_definition(new.definition or {})
        if recipe.is_graph or len(new.first) != 1:
            return None
        key = step_key(new.id, StepPath(new.first[0]["path"]))
        place = self._worker.reserve(new.job, key, new.workspace_id, group_of(new.first[0]["agent_id"]))
        if place is None:
            return None
        try:
            return await self._make_ready(new, recipe, place)
        except BaseException as error:
            place.release()
            if isinstance(error, Problem):
                return None
            raise

    async def _make_ready(self, new: NewRun, recipe: Definition, place: Reservation) -> "Begun":
        flow = flow_of(new.workspace_id, recipe) if recipe.recipe_id else Flow(recipe.steps)
        run = _row(new)
        state = ExecutionState(
            id=new.id, workspace_id=new.workspace_id, kind=new.kind, definition=recipe, last_seq=EVENTS,
            status=ExecutionStatus.RUNNING, input_data=new.inputs, created_at=new.at, deadline_at=new.deadline_at,
            started_at=new.at, steps={step.order: StepState(step, "") for step in flow.steps})
        record = state.steps[new.first[0]["step_order"]]
        record.path = StepPath(record.step.step_id)
        team = await find_team(self._run_deps, state, list(state.steps.values()), new.agents)
        taken = TakenStep(run, record.path, {"step_order": record.step.order, "epoch": 1, "last_seq": EVENTS}, {})
        journal = StepJournal(self._run_deps.database, self._run_deps.bus, plan_recipe, state, taken)
        journal.step = record
        runner = StepRunner(self._run_deps, state, journal, team, {})
        prepared, started = await runner.prepare(record)
        ends_at = asyncio.get_running_loop().time() + (new.deadline_at - new.at).total_seconds()
        work = StepWork(self._run_deps, taken, journal, runner, ends_at,
                        Line(RecipePlan(run, recipe, flow), state, team, runner))
        return Begun(place, work, prepared, team, [new.queued, recorded(ExecutionStarted()), recorded(started)])


class Begun:
    """A first step that is ready to begin here; `begin` or `release` ends it, and what is called later does nothing."""

    def __init__(self, place: Reservation, work: StepWork, run: Run, team: Team, events: list[NewEvent]) -> None:
        self.events = events
        self._place: Reservation | None = place
        self._work = work
        self._run = run
        self._idle = team.idle
        self._priority = team.priority(run.agent_id)
        self._held = {"holder": place.holder, "epoch": place.epoch}

    def stored(self) -> JsonObject:
        """Return what the statement that stores the run takes of it."""
        return self._held | {"step": self._work.record.row() | {"path": self._work.record.path},
                             "priority": self._priority, "idle": self._idle}

    def run_input(self) -> list[dict[str, Any]]:
        """Return the row of the agent's run, as the same statement takes it."""
        run = self._run
        return [{"id": run.id, "agent_id": run.agent_id, "execution_id": run.execution_id,
                 "opening": run.run_input}]

    def begin(self) -> None:
        """Work on the step, which is stored by now."""
        if place := self._take_place():
            self._work.runner.begun(self._work.record, self._run)
            place.begin(partial(until_over, work=self._work))

    def release(self, *, is_unsure: bool = False) -> None:
        """Give the place up; with `is_unsure` the run may be stored all the same."""
        if place := self._take_place():
            place.release(is_unsure=is_unsure)

    def _take_place(self) -> Reservation | None:
        place, self._place = self._place, None
        return place


def _row(new: NewRun) -> RunRow:
    """Return the run as its row says when it is stored."""
    return RunRow(
        id=new.id, workspace_id=new.workspace_id, kind=new.kind, recipe_id=new.recipe.recipe_id if new.recipe else None,
        recipe_version=new.version, definition=new.definition, status=ExecutionStatus.RUNNING, last_seq=EVENTS,
        input_data=new.inputs, error=None, cancel_requested_by=None, paused_by=None, created_at=new.at,
        started_at=new.at, deadline_at=new.deadline_at, finished_at=None, at=new.at, waited=None)
