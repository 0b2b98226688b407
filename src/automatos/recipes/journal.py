"""The journal of an execution: what happened is gathered, then recorded in one statement with its events.

Every record names its writer; when another worker has taken over, nothing is written, and the writer stops (`Fenced`).
"""

import asyncio
import random
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import asyncpg
import structlog

from automatos.durable.types import EventBus, LiveText, NewEvent, StoredEvent, TextOf
from automatos.events.service import recorded
from automatos.events.types import ModelFailed, ModelRetrying, RunEventData, StepDelta, StepRestarted, StepText
from automatos.kernel.clock import now
from automatos.kernel.db import Database, dump_json
from automatos.kernel.errors import DatabaseUnavailable, Problem
from automatos.kernel.schemas import micro_to_text
from automatos.llm.types import FailedAttempt
from automatos.recipes.errors import CancelRequested, Fenced
from automatos.recipes.state import ExecutionState, StepState
from automatos.runtime.service import storable, turns_to_json
from automatos.runtime.types import MAX_REASONING_CHARS, Opening, Turn

log = structlog.get_logger("automatos.recipes")
PATIENCE_S = 900.0
"""How long a record waits for a database that is away or full before the job is given back, its answer lost."""


@dataclass
class Streamed:
    """The answer that is being written, as readers follow it; `room` is left for reasoning."""

    order: int
    turn: int
    live: LiveText
    room: int = MAX_REASONING_CHARS
    is_void: bool = False

    def is_of(self, order: int, turn: int) -> bool:
        """Say whether it belongs to a turn."""
        return (self.order, self.turn) == (order, turn)


@dataclass
class Pending:
    """What has happened since the last record."""

    events: list[NewEvent] = field(default_factory=list[NewEvent])
    turns: list[Turn] = field(default_factory=list[Turn])
    steps: dict[int, StepState] = field(default_factory=dict[int, StepState])
    runs: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    over: list[Streamed] = field(default_factory=list[Streamed])

    @property
    def is_empty(self) -> bool:
        """Whether nothing has happened."""
        return not (self.events or self.turns or self.steps or self.runs or self.over)

    def before(self, later: "Pending") -> "Pending":
        """Return what is pending here, followed by what came later."""
        return Pending(self.events + later.events, self.turns + later.turns, self.steps | later.steps,
                       self.runs + later.runs, self.over + later.over)


class Record(NamedTuple):
    """One record: new events, and what they changed as JSON text."""

    types: list[str]
    bodies: list[str]
    at: datetime
    steps: dict[int, str]
    runs: str | None
    turns: str | None


class ExecutionJournal(ABC):
    """Records one execution for its driver, and for the run that is at work in it."""

    def __init__(self, database: Database, bus: EventBus, state: ExecutionState) -> None:
        self.state = state
        self._database = database
        self._bus = bus
        self._pending = Pending()
        self._cut_off: Pending | None = None
        self._lock = asyncio.Lock()
        self._streamed: Streamed | None = None
        self._catching_up: asyncio.Task[None] | None = None
        self.step: StepState | None = None
        self._is_to_be_cancelled = False

    def add(self, event: RunEventData, *, step: StepState | None = None) -> None:
        """Gather an event, and the step it changed, for the next record."""
        self._pending.events.append(recorded(event))
        if step:
            self._pending.steps[step.step.order] = step

    def add_run(self, run_id: Any, agent_id: int, opening: Opening) -> None:
        """Gather the beginning of a run for the next record."""
        self._pending.runs.append(
            {"id": run_id, "agent_id": agent_id, "execution_id": self.state.id, "opening": opening}
        )

    def add_turn(self, step: StepState, turn: Turn, events: Sequence[RunEventData]) -> None:
        """Gather a turn with its events, and count what it used."""
        if turn.kind == "model" and self._streamed and self._streamed.is_of(step.step.order, turn.seq):
            self._pending.over.append(self._streamed)
            self._streamed = None
        self._pending.turns.append(turn)
        self._pending.events.extend(map(recorded, events))
        self.state.count(step, turn)

    async def record(self, turns: Sequence[Turn], events: Sequence[RunEventData]) -> None:
        """Record turns of the run at work (the `runtime.types.Journal` side of this object)."""
        if self.step is None:
            raise RuntimeError("a turn was recorded while no step was at work")
        for turn in turns:
            self.add_turn(self.step, turn, [])
        self._pending.events.extend(map(recorded, events))
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
        event = attempt_of(step, turn, failure)
        told = asdict(event)
        del told["order"]
        step.attempts.append(told | {"run_id": str(step.run_id)})
        self.add(event, step=step)
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
            if pending.is_empty:
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
        except Fenced:
            log.info("recipes.stream_fenced", execution_id=str(self.state.id))
        except DatabaseUnavailable:
            log.warning("recipes.stream_waits", execution_id=str(self.state.id))

    @abstractmethod
    async def _take_up(self, cut_off: Pending) -> None:
        """Find out whether a record that was cut off had been written; what was not is gathered again."""

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

    @abstractmethod
    async def _put(self, connection: asyncpg.Connection, values: Record, pending: Pending) -> None:
        """Write a record, once; an event that it leaves out is taken out of what is pending."""

    @abstractmethod
    async def _is_written(self, connection: asyncpg.Connection, count: int) -> bool:
        """Whether the record whose answer was lost had been committed."""


def attempt_of(step: StepState, turn: int, failure: FailedAttempt) -> ModelFailed | ModelRetrying:
    """Return the event of a failed request; `of` is how many attempts the step has in all."""
    kind = ModelFailed if failure.then == "nothing" else ModelRetrying
    return kind(
        order=step.step.order, turn=turn, attempt=step.attempt, of=step.attempt + failure.of - failure.number,
        provider=failure.provider, model=failure.model_id, status=failure.status, code=failure.code,
        reason=storable(failure.reason), provider_status=failure.provider_status, wait_s=failure.wait_s,
        then=failure.then, input_tokens=failure.usage.input_tokens, output_tokens=failure.usage.output_tokens,
        is_estimated=failure.usage.is_estimated, cost_usd=micro_to_text(failure.cost_micro_usd),
        latency_ms=failure.latency_ms,
    )


def tried_again(step: StepState, problem: Problem, wait_s: float) -> dict[str, Any]:
    """Return a failed attempt at a whole step, such as one that took too long, as the step's row keeps it.

    Tokens of its requests are counted with those.
    """
    return {
        "turn": None, "attempt": step.attempt, "of": None, "provider": None, "model": None, "status": "error",
        "code": problem.code, "reason": storable(problem.detail), "provider_status": None, "wait_s": wait_s,
        "then": "again", "input_tokens": 0, "output_tokens": 0, "is_estimated": False, "cost_usd": None,
        "latency_ms": None, "run_id": str(step.run_id),
    }


def _values(pending: Pending, at: datetime) -> Record:
    return Record(
        [event.type for event in pending.events], [event.data for event in pending.events], at,
        {order: dump_json(step.row()) for order, step in pending.steps.items()},
        dump_json(pending.runs) if pending.runs else None,
        dump_json(turns_to_json(pending.turns)) if pending.turns else None,
    )
