"""The journal of one step of a graph: several steps of a run are written at once, each by its own writer."""

from typing import Any

import asyncpg

from automatos.durable.types import EventBus, HeldJob
from automatos.kernel.db import Database
from automatos.recipes.errors import Fenced
from automatos.recipes.journal import ExecutionJournal, Record
from automatos.recipes.planning import plan_recipe
from automatos.recipes.state import ExecutionState
from automatos.runs.service import fail_run, finish_jobs, go_on, lock, place_of, record_step, tell_followed
from automatos.runs.types import Followed, JsonObject, TakenStep


class StepJournal(ExecutionJournal):
    """Records one step; its end is one transaction with everything that follows from it.

    The run's events are numbered where they are written, so `state.last_seq` is only what this step knows of them. What
    was used is added to the run's sums.
    """

    def __init__(self, database: Database, bus: EventBus, state: ExecutionState, taken: TakenStep) -> None:
        super().__init__(database, bus, state)
        self._order, self._epoch = int(taken.row["step_order"]), int(taken.row["epoch"])
        self._seen = int(taken.row["last_seq"])
        self._counted = self._sent = _used(state)
        self._job: HeldJob | None = None
        self._run_error: JsonObject | None = None
        self._followed: Followed | None = None

    async def end(self, job: HeldJob, run_error: JsonObject | None = None) -> None:
        """Record the step's end, do what follows from it and finish its job; `run_error` ends the run as failed."""
        self._job, self._run_error = job, run_error
        await self.store()
        job.is_finished = True
        job.leaves_waiting = job.leaves_waiting or self.leaves_waiting
        if self._followed:
            tell_followed(self._bus, self._followed)

    async def _put(self, connection: asyncpg.Connection, values: Record) -> None:
        used = self._sent = _used(self.state)
        async with connection.transaction():
            row = await record_step(
                connection, self.state.id, self.state.workspace_id, self._order, self._epoch, self._seen, values.types,
                values.bodies, values.at, steps=values.steps, agent_runs=values.runs, turns=values.turns,
                used={name: used[name] - self._counted[name] if not isinstance(used[name], bool) else used[name]
                      for name in used})
            if row is None:
                raise Fenced(str(self.state.id))
            if self._job:
                await self._follow(connection, self._job)
        self._counted = used
        self._is_to_be_cancelled = row["is_to_be_cancelled"] and self._job is None
        self._place_at(row["last_seq"], values.fresh)

    async def _follow(self, connection: asyncpg.Connection, job: HeldJob) -> None:
        if self._run_error:
            self._followed = await fail_run(
                connection, plan_recipe, self.state.workspace_id, self.state.id, self._run_error)
        elif run := await lock(connection, self.state.workspace_id, self.state.id):
            self._followed = await go_on(connection, plan_recipe, run)
        self.leaves_waiting = await finish_jobs(connection, [job.key])

    async def _is_written(self, connection: Any, count: int) -> bool:
        place = await place_of(connection, self.state.id, self._order)
        if count == 0 or place is None or place[0] != self._epoch or place[1] == self._seen:
            return False
        self._counted = self._sent
        self._place_at(place[1], count)
        return True

    def _place_at(self, last_seq: int, count: int) -> None:
        """Set the numbers as the parent expects them, who adds what was written."""
        if count:
            self._seen = last_seq
            self.state.last_seq = last_seq - count


def _used(state: ExecutionState) -> dict[str, int | bool]:
    return {name: getattr(state, name) for name in (
        "input_tokens", "output_tokens", "cost_micro_usd", "unpriced_calls", "is_estimated", "is_cut_off")}
