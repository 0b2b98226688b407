"""What follows from the state of a run's steps, without any I/O.

The rules, in short (the page of decisions says why):

- A step begins when everything it comes `after` is over and at least one of these was not skipped; otherwise it is
  skipped. So a line behind a skipped step is skipped, and a join behind a branch runs.
- Then its `when` is asked; false skips it, too. A step that failed with `on_error: skip` was not skipped: it is over,
  without an output.
- A failure with `on_error: stop` ends the steps around it: nothing begins any more, what waits is cancelled, what runs
  is interrupted. Around it is the run, or the item of a for-each, or what a planner added.
- A for-each and a planner are over when the steps under them are. Items that are over are counted, and not looked at
  again (`Progress`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from automatos.runs.conditions import Condition
from automatos.runs.errors import ConditionFailed
from automatos.runs.graph import (
    Advance,
    Case,
    Finish,
    ForEach,
    Graph,
    Node,
    Progress,
    StepEnd,
    StepRecord,
    StepStart,
)
from automatos.runs.types import Inputs, JsonObject, OnError, RunStatus, StepKind, StepPath
from automatos.runs.types import StepStatus as Status

ENDED_BADLY = frozenset({Status.FAILED, Status.CANCELLED})
LOOK_AHEAD = 20
"""So many items, or as many as may be at work, begin in one answer; the next answer begins more."""
OVER = frozenset({Status.COMPLETED, Status.SKIPPED}) | ENDED_BADLY


def advance(
    graph: Graph, steps: Mapping[StepPath, StepRecord], *, inputs: Inputs | None = None, stop: RunStatus | None = None,
) -> Advance:
    """Say what follows from the state of a run's steps; `stop` ends it as cancelled or failed.

    Whoever calls it records the answer as one fact and calls again until nothing has `ended`: what comes after a
    for-each may read its gathered output, which has to be recorded first. Called again with the answer recorded, it
    says nothing new, so that it may be called by anybody at any time.
    """
    walk = _Walk(dict(steps), inputs or {})
    scope = _Scope(graph)
    outcome = walk.stop(scope) if stop else walk.go_on(scope)
    finished = _finish(outcome, stop) if outcome.is_over else None
    return Advance(
        tuple(outcome.ready), tuple(outcome.ended), tuple(outcome.interrupted), finished, outcome.progress)


def _finish(outcome: "_Outcome", stop: RunStatus | None) -> Finish:
    if stop:
        return Finish(stop)
    if outcome.failed:
        return Finish(RunStatus.FAILED, outcome.failed)
    return Finish(RunStatus.COMPLETED_WITH_SKIPS if outcome.has_skips else RunStatus.COMPLETED)


@dataclass(frozen=True, slots=True)
class _Scope:
    """Steps that begin and are stopped together: the run's, those of one item, or those that a planner added."""

    graph: Graph
    prefix: str = ""
    parent: "_Scope | None" = None
    item: tuple[int, Any] | None = None

    def path(self, key: str) -> StepPath:
        return StepPath(self.prefix + key)


@dataclass(slots=True)
class _Outcome:
    """What follows inside a scope, and where the scope is then."""

    ready: list[StepStart] = field(default_factory=list[StepStart])
    ended: list[StepEnd] = field(default_factory=list[StepEnd])
    interrupted: list[StepPath] = field(default_factory=list[StepPath])
    progress: dict[StepPath, Progress] = field(default_factory=dict[StepPath, Progress])
    is_over: bool = True
    failed: StepPath | None = None
    has_skips: bool = False

    def take(self, inner: "_Outcome") -> None:
        """Add what follows inside a scope under this one; where that is, its step says."""
        self.ready += inner.ready
        self.ended += inner.ended
        self.interrupted += inner.interrupted
        self.progress |= inner.progress


@dataclass(frozen=True, slots=True)
class _Walk:
    """One look at all steps of a run; steps that end without work are known to those behind them at once."""

    steps: dict[StepPath, StepRecord]
    inputs: Inputs

    def go_on(self, scope: _Scope) -> _Outcome:
        """Return what follows in a scope that nobody stops from outside."""
        if self._failed_in(scope):
            return self.stop(scope)
        outcome = _Outcome()
        for node in scope.graph.order:
            record = self.steps.get(scope.path(node.key))
            if record is None:
                record = self._begin(scope, node, outcome)
                if record and record.status is Status.FAILED and node.on_error is OnError.STOP:
                    return _Outcome(ended=outcome.ended[-1:], is_over=False)  # nothing beside it may begin any more
            elif record.status is Status.EXPANDED:
                self._expand(scope, node, record, outcome)
            elif _is_tried_again(node, record):
                delay = node.retry.delay_after(record.attempt)
                outcome.ready.append(StepStart(scope.path(node.key), node, record.attempt + 1, delay))
            if not record or not _is_over(node, record):
                outcome.is_over = False
            elif record.status in ENDED_BADLY or record.has_skips:
                outcome.has_skips = True
        return outcome

    def stop(self, scope: _Scope) -> _Outcome:
        """Return what follows in a scope where nothing may begin any more; it is over when nothing runs."""
        outcome = _Outcome(failed=self._failed_in(scope))
        for node in scope.graph.order:
            path = scope.path(node.key)
            record = self.steps.get(path)
            if record is None or record.status in OVER:
                continue
            begun = self._begun_under(scope, node, record).open
            inner = [self.stop(_scope_under(scope, node, record, index)) for index in begun]
            for each in inner:
                outcome.take(each)
            if record.status is Status.RUNNING:
                outcome.interrupted.append(path)
                outcome.is_over = False
            elif all(each.is_over for each in inner):
                outcome.ended.append(StepEnd(path, Status.CANCELLED))
            else:
                outcome.is_over = False
        return outcome

    def _failed_in(self, scope: _Scope) -> StepPath | None:
        """Return the step of a scope whose failure stops it."""
        for node in scope.graph.order:
            record = self.steps.get(scope.path(node.key))
            if (record and record.status in ENDED_BADLY and node.on_error is OnError.STOP
                    and not _is_tried_again(node, record)):
                return scope.path(node.key)
        return None

    def _begin(self, scope: _Scope, node: Node, outcome: _Outcome) -> StepRecord | None:
        """Begin a step that has no record, or end it at once; None while it waits for others or for its job."""
        path, is_wanted = scope.path(node.key), not node.after
        for edge in node.after:
            before = self.steps.get(scope.path(edge.key))
            if not before or not _is_over(scope.graph.by_key[edge.key], before):
                return None
            is_wanted = is_wanted or (before.status is not Status.SKIPPED and edge.case in {None, before.choice})
        end = self._ask(scope, node) if is_wanted else StepEnd(path, Status.SKIPPED)
        if end is None:
            outcome.ready.append(StepStart(path, node))
            return None
        outcome.ended.append(end)
        self.steps[path] = record = StepRecord(end.status, choice=end.choice)
        return record

    def _ask(self, scope: _Scope, node: Node) -> StepEnd | None:
        """Return the end that a step's conditions make of it; None when somebody has to work for it."""
        path = scope.path(node.key)
        try:
            if node.when and not node.when.holds(self._values(scope, node.when)):
                return StepEnd(path, Status.SKIPPED)
            if node.kind is StepKind.BRANCH:
                return StepEnd(path, Status.COMPLETED, choice=self._choose(scope, node.cases))
        except ConditionFailed as error:
            return StepEnd(path, Status.FAILED, why=str(error))
        return None

    def _choose(self, scope: _Scope, cases: tuple[Case, ...]) -> str | None:
        """Return the first case of a branch that holds; None when none does, so that all behind them is skipped."""
        for case in cases:
            if not case.when or case.when.holds(self._values(scope, case.when)):
                return case.name
        return None

    def _values(self, scope: _Scope, condition: Condition) -> JsonObject:
        """Return what a condition reads: only what was over before its step began, so that time decides nothing."""
        steps: JsonObject = {}
        values: JsonObject = {"input": dict(self.inputs), "steps": steps}
        around: _Scope | None = scope
        while around:
            for key in condition.reads & around.graph.by_key.keys() - steps.keys():
                record = self.steps[around.path(key)]
                steps[key] = {"status": record.status.value, "output": record.choice or record.output}
            if around.item and "item" not in values:
                values["index"], values["item"] = around.item
            around = around.parent
        return values

    def _expand(self, scope: _Scope, node: Node, record: StepRecord, outcome: _Outcome) -> None:
        """Go on with the steps under one; what a planner added is done like a for-each of one item."""
        path, before = scope.path(node.key), self._begun_under(scope, node, record)
        each_of, count = _each_of(node, record), _count_under(node, record)
        begun = {index: _scope_under(scope, node, record, index) for index in before.open}
        failed = before.failed + sum(self._failed_in(each) is not None for each in begun.values())
        is_stopped = failed > each_of.max_failures
        found = {index: self.stop(each) if is_stopped else self.go_on(each) for index, each in begun.items()}
        at_work = sum(not each.is_over for each in found.values())
        end = before.next
        last = end if is_stopped else min(count, end + max(each_of.concurrency, LOOK_AHEAD))
        while end < last and at_work < each_of.concurrency:
            found[end] = self.go_on(_scope_under(scope, node, record, end))
            at_work += not found[end].is_over
            end += 1
        for each in found.values():
            outcome.take(each)
        after = _progress_of(before, found, end)
        if is_stopped and not at_work:
            why = _too_many(after.first_failed, after.failed, each_of.max_failures)
            outcome.ended.append(StepEnd(path, Status.FAILED, why=why))
        elif not at_work and end == count:
            outcome.ended.append(StepEnd(path, Status.COMPLETED, has_skips=after.has_skips))
        elif after != record.progress:
            outcome.progress[path] = after

    def _begun_under(self, scope: _Scope, node: Node, record: StepRecord) -> Progress:
        """Return how far the items are; some may have begun since that was recorded, one behind the other."""
        end, count = record.progress.next, _count_under(node, record)
        while end < count and self._has_begun(_scope_under(scope, node, record, end)):
            end += 1
        begun = tuple(range(record.progress.next, end))
        return replace(record.progress, next=end, open=record.progress.open + begun)

    def _has_begun(self, scope: _Scope) -> bool:
        return any(scope.path(node.key) in self.steps for node in scope.graph.nodes)


def _each_of(node: Node, record: StepRecord) -> ForEach:
    return node.each or ForEach(record.adds or Graph(()), concurrency=1)


def _count_under(node: Node, record: StepRecord) -> int:
    """Return how many scopes stand under a step: one for each item, or the one of what it added."""
    return len(record.items) if node.each else int(record.adds is not None)


def _scope_under(scope: _Scope, node: Node, record: StepRecord, index: int) -> _Scope:
    path, body = scope.path(node.key), _each_of(node, record).body
    if node.each:
        return _Scope(body, f"{path}[{index}].", scope, (index, record.items[index]))
    return _Scope(body, f"{path}.", scope)


def _progress_of(before: Progress, found: Mapping[int, _Outcome], end: int) -> Progress:
    """Return how far the items are, of which those at work were `found` so."""
    over = [each for each in found.values() if each.is_over]
    failed = [each.failed for each in over if each.failed]
    return Progress(
        end, tuple(index for index, each in found.items() if not each.is_over), before.failed + len(failed),
        before.first_failed or next(iter(failed), None),
        before.has_skips or bool(failed) or any(each.has_skips for each in over))


def _is_tried_again(node: Node, record: StepRecord) -> bool:
    return record.status is Status.FAILED and record.is_retryable and record.attempt < node.retry.max_attempts


def _is_over(node: Node, record: StepRecord) -> bool:
    return record.status in OVER and not _is_tried_again(node, record)


def _too_many(first: StepPath | None, failed: int, max_failures: int) -> str:
    also = f" and {failed - 1} more" if failed > 1 else ""
    return f"`{first}`{also} failed" + (f"; at most {max_failures} may" if max_failures else "")
