"""The journal of steps in one process: several steps of a run are written at once, each by its own writer."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from automatos.agents.types import lane_of
from automatos.durable.service import wake
from automatos.durable.types import EventBus, HeldJob
from automatos.kernel.db import Database
from automatos.recipes.errors import Fenced
from automatos.recipes.journal import ExecutionJournal, Pending, Record
from automatos.recipes.planning import plan_recipe
from automatos.recipes.state import ExecutionState, StepState
from automatos.recipes.types import ExecutionStatus, StepStatus
from automatos.runs.service import fail_run, finish_jobs, go_on, lock, note_end, place_of, record_step, tell_followed
from automatos.runs.types import Followed, JsonObject, Opening, StepPath, TakenStep, Written, step_key

OPEN = "open"
CHANGED = "changed"


@dataclass
class Onward:
    """What follows the end of a step in a line: the next step, whose beginning is gathered, or the end of the run."""

    pending: Pending
    next: StepState | None = None
    priority: int = 1
    ending: JsonObject | None = None
    output: JsonObject | None = None
    waits: bool = False
    before: Pending = field(default_factory=Pending)

    def leave(self) -> None:
        """Leave the next step as it was, because it does not follow now."""
        if self.next:
            self.next.status, self.next.run_id, self.next.started_at = StepStatus.PENDING, None, None


class NotOnward(Exception):
    """Nothing was written, because what was to follow does not; `answer` says why."""

    def __init__(self, answer: str) -> None:
        super().__init__(answer)
        self.answer = answer


class StepJournal(ExecutionJournal):
    """Records one step at a time; its end is one transaction with everything that follows from it.

    The run's events are numbered where they are written, so `state.last_seq` is only what this step knows of them. What
    was used is added to the run's sums.
    """

    def __init__(self, database: Database, bus: EventBus, state: ExecutionState, taken: TakenStep) -> None:
        super().__init__(database, bus, state)
        self._order, self._epoch = int(taken.row["step_order"]), int(taken.row["epoch"])
        self._seen = int(taken.row["last_seq"])
        state.epoch = self._epoch
        self._run_job, self._run_seq = taken.run.job, taken.run.last_seq
        self.is_alone = True
        self.is_over = False
        self._counted = self._sent = _used(state)
        self._opening: Opening | None = None
        self._onward: Onward | None = None
        self._written: Pending | None = None
        self._is_pausing = False
        self._job: HeldJob | None = None
        self._run_error: JsonObject | None = None
        self._followed: Followed | None = None

    def open(self, opening: Opening) -> None:
        """Let the next record, whose first event tells of it, begin the run or let it go on."""
        self._opening = opening

    async def pause(self) -> None:
        """Record what is gathered, and that the run waits."""
        self._is_pausing = True
        await self.store()

    async def end(self, job: HeldJob, run_error: JsonObject | None = None) -> None:
        """Record the step's end, do what follows from it and finish its job; `run_error` ends the run as failed."""
        await self.resolve()
        if self.is_over:
            return
        self._job, self._run_error = job, run_error
        await self.store()
        self.is_over = job.is_finished = True
        if self._followed:
            tell_followed(self._bus, self._followed)

    async def pass_on(self, job: HeldJob, onward: Onward) -> str:
        """Record the step's end with what follows from it; the job goes on as that of the next step, or is finished.

        Returns `open`, or why nothing is written and the step's end waits for `end`.
        """
        if self._catching_up:
            await asyncio.wait([self._catching_up])
        if onward.next and not onward.waits:
            job.expect(self._key_of(onward.next))
        self._job, self._onward, onward.before = job, onward, self._pending
        self._pending = onward.before.before(onward.pending)
        try:
            await self.store()
        except NotOnward as why:
            self._cut_off = None
            self._leave(onward, job)
            return why.answer
        self._went(onward, job)
        return OPEN

    async def resolve(self) -> None:
        """Find out what became of a record that was cut off."""
        async with self._lock:
            if self._cut_off:
                await self._take_up(self._cut_off)

    async def _take_up(self, cut_off: Pending) -> None:
        """A record that was cut off may have been written all the same; what was not is gathered again."""
        onward, job = self._onward, self._job
        is_written = self._written is cut_off
        if not is_written:
            async with self._database.recording(self.state.workspace_id) as connection:
                is_written = await self._is_written(connection, len(cut_off.events))
        self._cut_off, self._job = None, None
        if is_written:
            self._count(cut_off)
        if onward and job:
            (self._went if is_written else self._leave)(onward, job)
        elif not is_written:
            self._pending = cut_off.before(self._pending)
        elif job:
            self.is_over = job.is_finished = True

    def _leave(self, onward: Onward, job: HeldJob) -> None:
        """Take back what was to follow."""
        job.decline()
        onward.leave()
        self._job, self._onward = None, None
        self.state.epoch = self._epoch
        self._pending = onward.before.before(self._pending)

    def _went(self, onward: Onward, job: HeldJob) -> None:
        """Be the writer of what follows."""
        self._job, self._onward = None, None
        if onward.next is None or onward.waits:
            self.is_over = job.is_finished = True
            if onward.waits or self.state.parent:
                wake(self._bus)
            if not onward.waits:
                self._bus.hint(self.state.workspace_id, "runs")
                for event in onward.pending.events[-1:]:
                    note_end(self.state.id, self.state.definition.recipe_id, event)
            return
        job.go_to(lane_of(onward.next.step.agent_id))
        self._order, self._epoch, self.step = onward.next.step.order, 1, onward.next

    async def _put(self, connection: asyncpg.Connection, values: Record, pending: Pending) -> None:
        used = self._sent = _used(self.state)
        if self._job and not self._onward:
            async with connection.transaction():
                written = await self._record(connection, values, used)
                await self._follow(connection, self._job)
        else:
            written = await self._record(connection, values, used)
        if written.answer != OPEN:
            raise NotOnward(written.answer)
        del pending.events[:len(pending.events) - written.fresh]
        self._is_to_be_cancelled = written.is_to_be_cancelled and self._job is None
        self._counted = used
        self.is_alone = self.is_alone and written.last_seq - written.fresh == self._run_seq
        self._place_at(written.last_seq, written.fresh)
        self._written = pending

    async def _record(self, connection: asyncpg.Connection, values: Record, used: dict[str, int | bool]) -> Written:
        onward = self._onward
        ending = onward.ending if onward else None
        if self._is_pausing:
            ending = {"status": ExecutionStatus.PAUSED}
        elif ending and self._job and onward and not onward.next:
            ending = ending | {"job": self._job.name, "key": self._job.key}
        written = await record_step(
            connection, self.state.id, self.state.workspace_id, self._order, self._epoch, self._seen, values.types,
            values.bodies, values.at, step=values.steps.get(self._order), agent_runs=values.runs, turns=values.turns,
            used={name: used[name] - self._counted[name] if not isinstance(used[name], bool) else used[name]
                  for name in used},
            opening=self._opening, known=self._run_seq if onward else None, ending=ending,
            output=onward.output if onward else None,
            following=self._following(onward, self._job) if onward and onward.next and self._job else None)
        if written is None:
            raise Fenced(str(self.state.id))
        return written

    def _following(self, onward: Onward, job: HeldJob) -> JsonObject:
        step = onward.next
        if step is None:
            raise RuntimeError("nothing follows")
        return {"job": job.name, "key": job.key, "holder": None if onward.waits else job.executor_id,
                "next_key": self._key_of(step), "lane": lane_of(step.step.agent_id), "priority": onward.priority,
                "step": step.row() | {"path": step.step.step_id}}

    def _key_of(self, step: StepState) -> str:
        return step_key(self.state.id, StepPath(step.step.step_id))

    async def _follow(self, connection: asyncpg.Connection, job: HeldJob) -> None:
        if self._run_error:
            self._followed = await fail_run(
                connection, plan_recipe, self.state.workspace_id, self.state.id, self._run_error)
        elif run := await lock(connection, self.state.workspace_id, self.state.id):
            self._followed = await go_on(connection, plan_recipe, run)
        await finish_jobs(connection, self._run_job, [job.key])

    async def _is_written(self, connection: Any, count: int) -> bool:
        place = await place_of(connection, self.state.workspace_id, self.state.id, self._order)
        if count == 0 or place is None or place[0] != self._epoch or place[1] == self._seen:
            return False
        self._counted = self._sent
        self.is_alone = False
        self._place_at(place[1], count)
        return True

    def _place_at(self, last_seq: int, count: int) -> None:
        """Set the numbers as the parent expects them, who adds what was written."""
        self._opening, self._is_pausing = None, False
        if count:
            self._seen = self._run_seq = last_seq
            self.state.last_seq = last_seq - count


def _used(state: ExecutionState) -> dict[str, int | bool]:
    return {name: getattr(state, name) for name in (
        "input_tokens", "output_tokens", "cost_micro_usd", "unpriced_calls", "is_estimated", "is_cut_off")}
