"""What follows from a change of a run, recorded as one fact: steps begin, wait and end, and the run with them.

Everything here happens in one transaction in which the run's row is locked. It may be done by anybody at any time:
the worker that ends a step, the person who approves one, whoever cancels the run.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg

from automatos.durable.service import drop_unheld, signal_cancel
from automatos.durable.types import StoredEvent
from automatos.events import types as events
from automatos.events.service import recorded
from automatos.runs import queries
from automatos.runs.advance import LOOK_AHEAD, advance
from automatos.runs.gathering import gathered
from automatos.runs.graph import Advance, Finish, Node, PlannedRun, Planner, StepEnd, StepRecord, StepStart
from automatos.runs.nested import ended_child, tokens_of
from automatos.runs.records import for_eachs_around, read_items, read_rows, record_of, seen_in, window_of
from automatos.runs.types import (
    Followed,
    JsonObject,
    OnError,
    RunRow,
    RunStatus,
    StepKind,
    StepPath,
    StepUnready,
    step_key,
)
from automatos.runs.types import StepStatus as Status

WAITING = frozenset({"waiting", "paused"})
"""Where the time of a run does not count."""
UNNEEDED = {"code": "step_not_needed", "message": "Its condition does not hold, or nothing before it was done.",
            "next_step": ""}


class Change:
    """A run that is locked, and everything that is to be written about it."""

    def __init__(self, connection: asyncpg.Connection, planner: Planner, run: RunRow, plan: PlannedRun,
                 rows: Mapping[StepPath, asyncpg.Record], signals: Mapping[str, str]) -> None:
        self.run = run
        self._connection = connection
        self._planner = planner
        self._plan = plan
        self._signals = signals
        self._records = {path: record_of(row) for path, row in rows.items()}
        self._orders = {path: int(row["step_order"]) for path, row in rows.items()}
        self._nodes = plan.graph.all_nodes
        self._next_order = max([plan.graph.last_order, *self._orders.values(), *seen_in(rows)]) + 1
        self._moved = set[StepPath]()
        self._taken_over = {path for path, row in rows.items() if "taken_over_from" in (row["detail"] or {})}
        self._errors = {path: row["error"] for path, row in rows.items()}
        self._began = {path: row["started_at"] for path, row in rows.items()}
        self._events: list[events.RunEventData] = []
        self._written: dict[StepPath, JsonObject] = {}
        self._ready: dict[StepPath, str] = {}
        self._timers: dict[StepPath, float] = {}
        self._over: list[StepPath] = []
        self._interrupted: list[StepPath] = []
        self._told: list[str] = []
        self._also: list[Followed] = []
        self.children = {path: UUID(child) for path, row in rows.items()
                         if row["status"] == "waiting" and (child := (row["detail"] or {}).get("run_id"))}

    @property
    def stop(self) -> RunStatus | None:
        """How the run is to end although its steps have not."""
        if self.run.cancel_requested_by:
            return RunStatus.CANCELLED
        return RunStatus.FAILED if self.run.error else None

    @property
    def signal_names(self) -> frozenset[str]:
        """The signals that steps of the run wait for, now or later."""
        return self._plan.graph.signals

    def note(self, event: events.RunEventData) -> None:
        """Add an event."""
        self._events.append(event)

    def end_waiting(self, path: StepPath, output: str | None, error: JsonObject | None,
                    detail: JsonObject | None = None) -> None:
        """End a step that waited, well or with an error."""
        node = self._node(path)
        status = Status.FAILED if error else Status.COMPLETED
        self._records[path] = StepRecord(status, output=output)
        self._put(path, node, _stored(status, node), output=output, error=error, detail=detail)
        self._over.append(path)
        self._tell_end(path, node, status, output, error)

    def end_child(self, path: StepPath, child: asyncpg.Record) -> None:
        """End the step that has started a run as that has ended."""
        node, has_skips = self._node(path), child["status"] == RunStatus.COMPLETED_WITH_SKIPS
        status, output, error = ended_child(child, is_stopping=self.stop is not None)
        del self.children[path]
        self._records[path] = StepRecord(status, output=output, has_skips=has_skips)
        self._put(path, node, _stored(status, node), output=output, error=error,
                  detail={"has_skips": True} if has_skips else None)
        self._over.append(path)
        self._tell_end(path, node, status, output, error, used=child)

    def end_signalled(self, name: str, text: str) -> None:
        """End all steps that wait for a signal, and let later ones find it."""
        self._signals = {**self._signals, name: text}
        for path, record in list(self._records.items()):
            if record.status is Status.SUSPENDED and self._node(path).params.get("signal") == name:
                self.end_waiting(path, text, None)

    def queue_again(self) -> None:
        """Let the steps that agents do and that are not over have jobs, whether they have or not."""
        self._ready |= {path: self._node(path).key for path in self._unfinished()}

    def _unfinished(self) -> list[StepPath]:
        return [path for path, record in self._records.items()
                if record.status in {Status.READY, Status.RUNNING} and self._node(path).kind is StepKind.AGENT]

    async def follow(self) -> Followed:
        """Ask what follows until nothing more does, and write all of it; of a paused run nothing begins."""
        while True:
            await self._read_items()
            answer = advance(self._plan.graph, self._records, inputs=self.run.input_data, stop=self.stop)
            for path, progress in answer.progress.items():
                self._records[path] = replace(self._records[path], progress=progress)
                self._moved |= {path, *for_eachs_around(path)}
            for end in answer.ended:
                await self._end(end)
            has_grown = [await self._begin(start) for start in answer.ready if not self.run.paused_by]
            has_grown += [await self._interrupt(path) for path in answer.interrupted]
            if not answer.ended and not any(has_grown):
                break
        return await self._write(answer)

    async def _read_items(self) -> None:
        """Have at hand what conditions may ask for in the next answer."""
        for path, record in self._records.items():
            if record.status is Status.EXPANDED and (each := self._node(path).each) and each.body.asks_for_item:
                ahead = max(each.concurrency, LOOK_AHEAD)
                self._records[path] = await read_items(self._connection, self.run.id, path, record, ahead)

    async def _interrupt(self, path: StepPath) -> bool:
        """Tell whoever works on a step to stop; one that nobody works on, as its performer is paused, ends at once."""
        if path in self._interrupted:
            return False
        self._interrupted.append(path)
        if path in self.children and await self._cancel_child(self.children[path]):
            return False
        key = step_key(self.run.id, path)
        if await signal_cancel(self._connection, self.run.job, [key]):
            self._told.append(key)
            return False
        await self._end(StepEnd(path, Status.CANCELLED))
        return True

    async def _cancel_child(self, child_id: UUID) -> bool:
        """Ask for the end of a run that a step has started; the step ends with it. False when there is none."""
        child = await queries.lock(self._connection, self.run.workspace_id, child_id)
        if child is None:
            return False
        by = self.run.cancel_requested_by or f"run {self.run.id}"
        await queries.request_cancel(self._connection, child, by)
        self._also.append(await go_on(self._connection, self._planner, replace(child, cancel_requested_by=by)))
        return True

    async def _end(self, end: StepEnd) -> None:
        node, before = self._node(end.path), self._records.get(end.path)
        output, error, detail = None, None, {"has_skips": True} if end.has_skips else None
        if node.each and before:
            detail = {**(detail or {}), "window": {"count": len(before.items)}}
        if end.status is Status.SKIPPED:
            error, detail = UNNEEDED, {"is_unneeded": True}
        elif end.status is Status.FAILED:
            code = "items_failed" if before else "condition_failed"
            error = {"code": code, "message": end.why or "", "next_step": "Look at what it reads, and start it again."}
        elif end.status is Status.COMPLETED and node.each:
            count = len(before.items) if before else 0
            await self._put_down()  # the last item's last step may have ended a moment ago
            found = await queries.outputs_of_items(
                self._connection, self.run.id, end.path, node.each.body.nodes[-1].key)
            output = gathered(found, end.path, node.each.body.nodes[-1].key, count)
        self._records[end.path] = StepRecord(end.status, choice=end.choice, output=output, has_skips=end.has_skips)
        self._put(end.path, node, "skipped" if end.status is Status.SKIPPED else _stored(end.status, node),
                  output=output, error=error, detail=detail)
        if before is None or before.status is not Status.READY:  # nobody was told of a step that never began
            self._tell_end(end.path, node, end.status, output, error)
        if before:
            self._over.append(end.path)

    async def _begin(self, start: StepStart) -> bool:
        """Begin a step; returns whether others may begin or end for it at once."""
        path, node = start.path, start.node
        label = self._plan.label(path, node.key)
        if node.kind is StepKind.AGENT:
            self._records[path] = StepRecord(Status.READY)
            self._put(path, node, "pending")
            self._ready[path] = node.key
            return False
        await self._put_down()  # the plan reads outputs of steps that have ended a moment ago
        try:
            if node.kind is StepKind.FOR_EACH:
                items = await self._plan.items(self._connection, path, node.key)
                if path.depth == 1:  # the numbers of an earlier for-each's items are not known
                    self._next_order = max(
                        self._next_order, await queries.last_order(self._connection, self.run.id) + 1)
                self._records[path] = StepRecord(Status.EXPANDED, items=items)
                self._put(path, node, "running", items=items, started_at=self.run.at)
                self.note(events.StepExpanded(
                    order=self._orders[path], step_id=label.step_id, path=path, items=len(items)))
                return True
            if node.kind is StepKind.RUN:
                await self._start_run(path, node)
                return False
            question = (await self._plan.question(self._connection, path, node.key)
                        if node.kind is StepKind.APPROVAL else None)
        except StepUnready as problem:
            self._records[path] = StepRecord(Status.FAILED)
            self._put(path, node, _stored(Status.FAILED, node), error=problem.error, started_at=self.run.at)
            self._tell_end(path, node, Status.FAILED, None, problem.error)
            return True
        if (told := self._signals.get(node.params.get("signal") or "")) is not None:
            self._records[path] = StepRecord(Status.COMPLETED, output=told)
            self._put(path, node, Status.COMPLETED, output=told, started_at=self.run.at)
            self._tell_end(path, node, Status.COMPLETED, told, None)
            return True
        self._suspend(path, node, question)
        return False

    async def _start_run(self, path: StepPath, node: Node) -> None:
        started = await self._plan.start_run(self._connection, path, node.key)
        self._also.append(started.followed)
        self.children[path] = started.run_id
        self._records[path] = StepRecord(Status.RUNNING)
        told = {"recipe_id": started.recipe_id, "recipe_version": started.recipe_version}
        self._put(path, node, "waiting", detail={"run_id": str(started.run_id)} | told, started_at=self.run.at)
        self.note(events.StepWaiting(
            order=self._orders[path], step_id=self._plan.label(path, node.key).step_id, path=path, until="run",
            child_run_id=str(started.run_id), recipe_id=started.recipe_id, recipe_version=started.recipe_version))

    def _tell_end(self, path: StepPath, node: Node, status: Status, output: str | None,
                  error: JsonObject | None, used: asyncpg.Record | None = None) -> None:
        order, failure = self._orders[path], events.Failure.of(error) if error else None
        if status is Status.COMPLETED:
            self.note(events.StepCompleted(
                order=order, output_key=self._plan.label(path, node.key).output_key, output=output or "",
                **tokens_of(used),
                duration_ms=round((self.run.at - self._began[path]).total_seconds() * 1000)))
        elif status is Status.CANCELLED or failure is None:
            self.note(events.StepCancelled(order=order, error=failure, path=path))
        else:
            is_skipped = status is Status.SKIPPED or node.on_error is OnError.SKIP
            kind = events.StepSkipped if is_skipped else events.StepFailed
            self.note(kind(order=order, error=failure, path=path))

    def _suspend(self, path: StepPath, node: Node, question: str | None) -> None:
        seconds = node.params.get("seconds") or node.params.get("timeout_s")
        due_at = (self.run.at + timedelta(seconds=seconds)).isoformat() if seconds else None
        signal = node.params.get("signal")
        until = "approval" if node.kind is StepKind.APPROVAL else "signal" if signal else "timer"
        detail = {"until": until, "role": node.params.get("role"), "due_at": due_at, "signal": signal}
        self._records[path] = StepRecord(Status.SUSPENDED)
        self._put(path, node, "waiting", prompt=question, detail=detail, started_at=self.run.at)
        self.note(events.StepWaiting(
            order=self._orders[path], step_id=self._plan.label(path, node.key).step_id, path=path, until=until,
            question=question, role=detail["role"], due_at=due_at, signal=signal))
        if seconds:
            self._timers[path] = seconds

    def _put(self, path: StepPath, node: Node, status: str, **values: Any) -> None:
        """Note what a step's row is to say."""
        if path not in self._orders:
            is_own = path == node.key
            self._orders[path] = node.params["order"] if is_own else self._next_order
            self._next_order += not is_own
            self._moved |= set(for_eachs_around(path))
        label = self._plan.label(path, node.key)
        if status not in {"pending", "running", "waiting"}:
            values["finished_at"] = self.run.at
            values.setdefault("started_at", self.run.at)
        self._errors[path] = values.get("error")
        self._began[path] = self._began.get(path) or values.get("started_at")
        self._written[path] = self._written.get(path, {}) | {
            "step_order": self._orders[path], "path": path, "kind": node.kind, "step_id": label.step_id,
            "agent_id": label.agent_id, "agent_name": label.agent_name, "output_key": label.output_key,
            "status": status, **values}

    async def _put_down(self) -> None:
        """Write the rows of steps that are noted."""
        if self._written:
            await queries.put_steps(self._connection, self.run, list(self._written.values()))
            self._written.clear()

    def _keep_windows(self) -> None:
        """Note in the rows of for-eachs which of their items are at work."""
        open_ones = {path: record for path in self._moved if (record := self._records[path]).status is Status.EXPANDED}
        for path, record in open_ones.items():
            window = window_of(path, record, self._orders, self._next_order - 1)
            self._put(path, self._node(path), "running", detail={"window": window})

    async def _write(self, answer: Advance) -> Followed:
        self._keep_windows()
        await self._put_down()
        keys = [step_key(self.run.id, path) for path in self._over]
        if keys:
            await queries.finish_jobs(self._connection, self.run.job, keys)
        if self._ready:
            await self._plan.enqueue(self._connection, self._ready)
        for path, seconds in self._timers.items():
            if self._records[path].status is Status.SUSPENDED:
                await queries.enqueue_later(self._connection, self.run, step_key(self.run.id, path), seconds)
        stored = await self._save(answer.finished, is_busy=await self._is_busy())
        return Followed(self.run.id, self.run.workspace_id, self.run.job, stored, self._told,
                        has_jobs=bool(self._ready or (answer.finished and self.run.parent)),
                        is_over=answer.finished is not None, recipe_id=self.run.recipe_id, also=self._also)

    async def _is_busy(self) -> bool:
        """Say whether somebody works on the run, or is to; in a paused one nobody is to, so those jobs are forgotten.
        """
        open_steps = self._unfinished()
        if not self.run.paused_by or not open_steps:
            return bool(open_steps)
        return bool(await drop_unheld(self._connection, self.run.job, [step_key(self.run.id, at) for at in open_steps]))

    async def _save(self, finish: Finish | None, *, is_busy: bool) -> list[StoredEvent]:
        run, at = self.run, self.run.at
        statuses = {record.status for path, record in self._records.items() if path not in self._taken_over}
        started_at, deadline_at = run.started_at, run.deadline_at
        if run.started_at is None and (statuses - {Status.READY} or finish):
            started_at, deadline_at = at, at + self._plan.time_limit
            if statuses - {Status.READY, Status.CANCELLED}:
                self._events.insert(0, events.ExecutionStarted())
        elif run.status in WAITING and deadline_at and (is_busy or self._events):
            deadline_at += run.waited or timedelta()  # counted from the last event, which is another one now
            if is_busy and run.status == "waiting" and not run.paused_by:
                self._events.insert(0, events.ExecutionResumed())
        closing = None
        if finish:
            error = self.run.error or self._error_of(finish)
            closing = await self._plan.close(self._connection, finish.status, error)
            self.note(closing.event)
        status = closing.status if closing else self._status(has_started=started_at is not None, is_busy=is_busy)
        if not self._events and status == run.status:
            return []
        new = [recorded(event) for event in self._events]
        await queries.save(
            self._connection, run, new, status=status, started_at=started_at, deadline_at=deadline_at,
            finished_at=at if closing else None, output_data=closing.output_data if closing else None,
            error=closing.error if closing else None)
        return [StoredEvent(f"run:{run.id}", run.last_seq + number, event.type, at.isoformat(), event.data)
                for number, event in enumerate(new, start=1)]

    def _status(self, *, has_started: bool, is_busy: bool) -> str:
        """Return where a run is that has not ended; tells of it when it is paused from now on."""
        if self.run.paused_by and not is_busy and self.run.status != "paused":
            self.note(events.ExecutionHeld(by=self.run.paused_by))
        if self.run.paused_by and (not is_busy or self.run.status == "paused"):
            return "paused"
        if has_started:
            return "running" if is_busy else "waiting"
        return "queued"

    def _error_of(self, finish: Finish) -> JsonObject | None:
        """Return why a run failed: what the step said that failed, not those that were interrupted for it."""
        if finish.status is not RunStatus.FAILED:
            return None
        own = [path for path, record in self._records.items()
               if path.depth == 1 and record.status is Status.FAILED and self._node(path).on_error is OnError.STOP]
        return next((error for path in own if (error := self._errors.get(path))), None)

    def _node(self, path: StepPath) -> Node:
        return self._nodes[path.rpartition(".")[2]]


def _stored(status: Status, node: Node) -> str:
    """Return how a row says that a step ended: a failure that is passed over is told as a step that was skipped."""
    return "skipped" if status is Status.FAILED and node.on_error is OnError.SKIP else status.value


async def change_of(connection: asyncpg.Connection, planner: Planner, run: RunRow) -> Change:
    """Read a locked run's plan and steps."""
    plan = await planner(connection, run)
    rows = await read_rows(connection, run.id, plan.graph.last_order, plan.graph.reads)
    signals = await queries.signals_of(connection, run) if plan.graph.signals else {}
    return Change(connection, planner, run, plan, rows, signals)


async def go_on(connection: asyncpg.Connection, planner: Planner, run: RunRow) -> Followed:
    """Do what follows from the state of a locked run; a run that is over stays as it is."""
    if run.finished_at is not None:
        return Followed(run.id, run.workspace_id, run.job, is_over=True)
    return await (await change_of(connection, planner, run)).follow()

