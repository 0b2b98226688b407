"""The journal of a step: what happened is gathered, then recorded in one statement with its events.

Several steps of a run may be written at once, each by its own writer. Every record names its writer; when another
worker has taken over, nothing is written, and the writer stops (`LeaseLost`).
"""

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import asyncpg
import structlog

from automatos.agents.types import group_of
from automatos.durable.service import wake
from automatos.durable.types import EventBus, HeldJob, LiveText, NewEvent, StoredEvent, TextOf
from automatos.events.types import RunEventData, StepDelta, StepRestarted, StepText
from automatos.kernel.clock import now
from automatos.kernel.db import Database, dump_json, dump_known
from automatos.kernel.errors import DatabaseUnavailable
from automatos.llm.types import FailedAttempt
from automatos.recipes.ending import attempt_of
from automatos.recipes.errors import CancelRequested, LeaseLost
from automatos.recipes.pending import NotOnward, Onward, Pending, Record, Streamed
from automatos.recipes.state import ExecutionState, StepState
from automatos.recipes.types import ExecutionStatus
from automatos.runs import service as runs
from automatos.runs.types import Followed, JsonObject, RunInput, StepPath, TakenStep, Written, step_key
from automatos.runtime.service import turns_to_json
from automatos.runtime.types import RunInput as AgentOpening
from automatos.runtime.types import Turn

log = structlog.get_logger("automatos.recipes")
PATIENCE_S = 900.0
"""How long a record waits for a database that is away or full before the job is given back, its answer lost."""
OPEN = "open"
CHANGED = "changed"


class StepJournal:
    """Records one step at a time for its driver, and for the run at work in it (the `runtime.types.Journal` side).

    The end of a step is one transaction with everything that follows from it. The run's events are numbered where they
    are written, so `state.last_seq` is only what this step knows of them. What was used is added to the run's sums.
    """

    def __init__(
        self, database: Database, bus: EventBus, planner: runs.Planner, state: ExecutionState, taken: TakenStep
    ) -> None:
        self.state = state
        self.step: StepState | None = None
        self.is_alone = True
        self.is_over = False
        self._database = database
        self._bus = bus
        self._planner = planner
        self._pending = Pending()
        self._cut_off: Pending | None = None
        self._written: Pending | None = None
        self._lock = asyncio.Lock()
        self._streamed: Streamed | None = None
        self._catching_up: asyncio.Task[None] | None = None
        self._is_to_be_cancelled = False
        self._order, self._epoch = int(taken.row["step_order"]), int(taken.row["epoch"])
        self._seen = int(taken.row["last_seq"])
        state.epoch = self._epoch
        self._run, self._run_seq = taken.run, taken.run.last_seq
        self._counted = self._sent = _used(state)
        self._run_input: RunInput | None = None
        self._is_pausing = False
        self._onward: Onward | None = None
        self._job: HeldJob | None = None
        self._run_error: JsonObject | None = None
        self._followed: Followed | None = None

    def add(self, event: RunEventData, *, step: StepState | None = None) -> None:
        """Gather an event, and the step it changed, for the next record."""
        self._pending.events.append(NewEvent(event.type, dump_known(event)))
        if step:
            self._pending.steps[step.step.order] = step

    def add_run(self, run_id: Any, agent_id: int, run_input: AgentOpening) -> None:
        """Gather the beginning of a run for the next record."""
        self._pending.runs.append(
            {"id": run_id, "agent_id": agent_id, "execution_id": self.state.id, "opening": run_input})

    def add_turn(self, step: StepState, turn: Turn, events: Sequence[RunEventData]) -> None:
        """Gather a turn with its events, and count what it used."""
        if turn.kind == "model" and self._streamed and self._streamed.is_of(step.step.order, turn.seq):
            self._pending.over.append(self._streamed)
            self._streamed = None
        self._pending.turns.append(turn)
        self._pending.events.extend(NewEvent(event.type, dump_known(event)) for event in events)
        self.state.count(step, turn)

    async def record(self, turns: Sequence[Turn], events: Sequence[RunEventData]) -> None:
        """Record turns of the run at work (the `runtime.types.Journal` side of this object)."""
        if self.step is None:
            raise RuntimeError("a turn was recorded while no step was at work")
        for turn in turns:
            self.add_turn(self.step, turn, [])
        self._pending.events.extend(NewEvent(event.type, dump_known(event)) for event in events)
        await self.store()

    def stream(self, turn: int, text: str, *, is_reasoning: bool = False) -> None:
        """Take a piece of an answer or of its reasoning; readers get it, nothing of it is recorded."""
        if self.step is None:
            return
        order = self.step.step.order
        if self._streamed is None or not self._streamed.is_of(order, turn):
            self._streamed = Streamed(order, turn, self._begin_text(order, turn))
        streamed = self._streamed
        if is_reasoning:
            text, streamed.room = text[:streamed.room], max(streamed.room - len(text), 0)
        if text:
            self._bus.texts.add(streamed.live, text, is_reasoning=is_reasoning)

    def restart(self, turn: int) -> None:
        """Drop what was streamed of a turn whose model is asked again, and tell readers who have seen some."""
        streamed = self._streamed
        self.drop_stream()
        if self.step and streamed and streamed.live.is_told and streamed.is_of(self.step.step.order, turn):
            self.add(StepRestarted(order=self.step.step.order, turn=turn))

    def failed(self, turn: int, failure: FailedAttempt) -> None:
        """Gather a request that gave no answer: what it used, and what follows (the `runtime.types.Journal` side)."""
        step = self.step
        if step is None:
            return
        self.state.add(step, failure.usage.input_tokens, failure.usage.output_tokens, failure.cost_micro_usd,
                       is_estimated=failure.usage.is_estimated)
        self.add(attempt_of(step, turn, failure), step=step)
        if failure.then == "again":
            step.attempt += 1

    async def store(self) -> None:
        """Record everything gathered, if there is anything, with the state as it is now, and tell the readers.

        Raises Fenced when another worker has taken over, and CancelRequested, after recording, when somebody has asked
        to cancel: the row knows it before the signal comes, and no step, model or tool may begin after it. A database
        that is away is waited for up to PATIENCE_S.
        """
        async with self._lock:
            if self._cut_off:
                await self._take_up(self._cut_off)
            pending, self._pending = self._pending, Pending()
            if not (pending.events or pending.turns or pending.steps or pending.runs or pending.over):
                return
            at = now()
            try:
                await self._write(pending, at)
            except BaseException:
                self._cut_off = pending
                raise
            first = self._count(pending)
        stamp = at.isoformat()
        self._bus.publish(self.state.workspace_id, [
            StoredEvent(self.state.topic, first + n, event.type, stamp, event.data)
            for n, event in enumerate(pending.events)
        ])
        if self._is_to_be_cancelled and self.state.finished_at is None:
            raise CancelRequested

    def drop_stream(self) -> None:
        """Forget what was streamed: the attempt it belongs to is over, as the next record says."""
        if self._streamed and not self._streamed.live.is_told:
            self._bus.texts.end(self._streamed.live, None)
        elif self._streamed:
            self._streamed.is_void = True
            self._pending.over.append(self._streamed)
        self._streamed = None

    async def close(self) -> None:
        """Stop streaming; text that was not finished is gone, what was recorded is not."""
        self.drop_stream()
        if self._catching_up:
            self._catching_up.cancel()
            await asyncio.gather(self._catching_up, return_exceptions=True)
        for pending in (self._pending, self._cut_off or Pending()):
            for streamed in pending.over:
                self._bus.texts.end(streamed.live, None)

    def _begin_text(self, order: int, turn: int) -> LiveText:
        """Begin the text of a turn; it follows the facts that were gathered, which are recorded now if any were."""
        gathered = len(self._pending.events)
        after = self.state.last_seq + gathered + (len(self._cut_off.events) if self._cut_off else 0)
        if gathered and (self._catching_up is None or self._catching_up.done()):
            self._catching_up = asyncio.create_task(self._catch_up(), name=f"recipes.stream:{self.state.id}")
        about = TextOf(f'"order":{order},"turn":{turn}', StepDelta.type, StepText.type)
        return self._bus.texts.begin((self.state.workspace_id, self.state.topic), about, after)

    def _count(self, written: Pending) -> int:
        """Count the events that were written and return the first's number; texts that were over end with it."""
        first = self.state.last_seq + 1
        self.state.last_seq += len(written.events)
        for streamed in written.over:
            self._bus.texts.end(streamed.live, first, is_whole=not streamed.is_void)
        return first

    async def _catch_up(self) -> None:
        try:
            with suppress(CancelRequested):  # the signal ends the run at work; this only records what was gathered
                await self.store()
        except LeaseLost:
            log.info("recipes.stream_fenced", execution_id=str(self.state.id))
        except DatabaseUnavailable:
            log.warning("recipes.stream_waits", execution_id=str(self.state.id))

    async def _write(self, pending: Pending, at: datetime) -> None:
        values, count = _values(pending, at), len(pending.events)
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + PATIENCE_S
        was_unsure = False
        while True:
            try:
                async with self._database.recording(self.state.workspace_id) as connection:
                    if was_unsure and await self._is_written(connection, count):
                        return
                    await self._put(connection, values, pending)
                    return
            except DatabaseUnavailable as error:
                was_unsure = True
                if loop.time() > give_up_at:
                    raise
                why = repr(error.__cause__ or error)
                log.warning("recipes.record_waits", execution_id=str(self.state.id), error=why)
                await asyncio.sleep(random.uniform(0.2, 0.6))  # noqa: S311

    def open(self, run_input: RunInput) -> None:
        """Let the next record, whose first event tells of it, begin the run or let it go on."""
        self._run_input = run_input

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
            runs.tell_followed(self._bus, self._followed)

    async def pass_on(self, job: HeldJob, onward: Onward) -> str:
        """Record the step's end with what follows from it; the job goes on as that of the next step, or is finished.

        Returns `open`, or why nothing is written and the step's end waits for `end`.
        """
        if self._catching_up:
            await asyncio.wait([self._catching_up])
        if onward.next and not onward.waits:
            job.expect(step_key(self.state.id, StepPath(onward.next.step.step_id)))
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
                    runs.note_end(self.state.id, self.state.definition.recipe_id, event)
            return
        job.go_to(group_of(onward.next.step.agent_id))
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
        written = await runs.record_step(
            connection, self.state.id, self.state.workspace_id, self._order, self._epoch, self._seen, values.types,
            values.bodies, values.at, step=values.steps.get(self._order), agent_runs=values.runs, turns=values.turns,
            used={name: used[name] - self._counted[name] if not isinstance(used[name], bool) else used[name]
                  for name in used},
            run_input=self._run_input, known=self._run_seq if onward else None, ending=ending,
            output=onward.output if onward else None,
            following=self._following(onward, self._job) if onward and onward.next and self._job else None)
        if written is None:
            raise LeaseLost(str(self.state.id))
        return written

    def _following(self, onward: Onward, job: HeldJob) -> JsonObject:
        step = onward.next
        if step is None:
            raise RuntimeError("nothing follows")
        next_key = step_key(self.state.id, StepPath(step.step.step_id))
        return {"job": job.name, "key": job.key, "holder": None if onward.waits else job.executor_id,
                "next_key": next_key, "lane": group_of(step.step.agent_id), "priority": onward.priority,
                "step": step.row() | {"path": step.step.step_id}}

    async def _follow(self, connection: asyncpg.Connection, job: HeldJob) -> None:
        if self._run_error:
            self._followed = await runs.fail_run(
                connection, self._planner, self.state.workspace_id, self.state.id, self._run_error)
        elif run := await runs.lock(connection, self.state.workspace_id, self.state.id):
            self._followed = await runs.go_on(connection, self._planner, run)
        await runs.finish_jobs(connection, self._run.job, [job.key])

    async def _is_written(self, connection: Any, count: int) -> bool:
        place = await runs.place_of(connection, self.state.workspace_id, self.state.id, self._order)
        if count == 0 or place is None or place[0] != self._epoch or place[1] == self._seen:
            return False
        self._counted = self._sent
        self.is_alone = False
        self._place_at(place[1], count)
        return True

    def _place_at(self, last_seq: int, count: int) -> None:
        """Set the numbers as the parent expects them, who adds what was written."""
        self._run_input, self._is_pausing = None, False
        if count:
            self._seen = self._run_seq = last_seq
            self.state.last_seq = last_seq - count


def _values(pending: Pending, at: datetime) -> Record:
    return Record(
        [event.type for event in pending.events], [event.data for event in pending.events], at,
        {order: dump_json(step.row()) for order, step in pending.steps.items()},
        dump_json(pending.runs) if pending.runs else None,
        dump_json(turns_to_json(pending.turns)) if pending.turns else None,
    )


def _used(state: ExecutionState) -> dict[str, int | bool]:
    return {name: getattr(state, name) for name in (
        "input_tokens", "output_tokens", "cost_micro_usd", "unpriced_calls", "is_estimated", "is_cut_off")}
