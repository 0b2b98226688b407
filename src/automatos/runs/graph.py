"""A run as a graph of steps, and what follows from the state of its steps: `advance`, without any I/O.

The rules, in short (the page of decisions says why):

- A step begins when everything it comes `after` is over and at least one of these was not skipped; otherwise it is
  skipped. So a line behind a skipped step is skipped, and a join behind a branch runs.
- Then its `when` is asked; false skips it, too. A step that failed with `on_error: skip` was not skipped: it is over,
  without an output.
- A failure with `on_error: stop` ends the steps around it: nothing begins any more, what waits is cancelled, what runs
  is interrupted. Around it is the run, or the item of a for-each, or what a planner added.
- A for-each and a planner are over when the steps under them are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from graphlib import TopologicalSorter
from typing import Any

from automatos.runs.conditions import Condition
from automatos.runs.errors import ConditionFailed
from automatos.runs.types import Inputs, JsonObject, OnError, Performer, RetryPolicy, RunStatus, StepKind, StepPath
from automatos.runs.types import StepStatus as Status

ENDED_BADLY = frozenset({Status.FAILED, Status.CANCELLED})
ONCE = RetryPolicy()
OVER = frozenset({Status.COMPLETED, Status.SKIPPED}) | ENDED_BADLY


@dataclass(frozen=True, slots=True)
class Edge:
    """What a step comes after: a step of the same graph, or one case of a branch."""

    key: str
    case: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One way out of a branch; the first whose condition holds is taken, and one without a condition always holds."""

    name: str
    when: Condition | None = None


@dataclass(frozen=True, slots=True)
class ForEach:
    """The steps that are done for each item: so many items at once, and so many that may fail."""

    body: "Graph"
    concurrency: int = 10
    max_failures: int = 0


@dataclass(frozen=True, slots=True)
class Node:
    """One step as it is planned. `params` are its executor's; `cases` belong to a branch, `each` to a for-each."""

    key: str
    kind: StepKind
    after: tuple[Edge, ...] = ()
    when: Condition | None = None
    performer: Performer | None = None
    params: JsonObject = field(default_factory=dict[str, Any])
    cases: tuple[Case, ...] = ()
    each: ForEach | None = None
    on_error: OnError = OnError.STOP
    retry: RetryPolicy = ONCE
    timeout_s: int | None = None


@dataclass(frozen=True)
class Graph:
    """Steps that belong together. Its properties hold for a graph without faults (`validation.faults_of`)."""

    nodes: tuple[Node, ...]

    @cached_property
    def by_key(self) -> dict[str, Node]:
        """The nodes by their keys."""
        return {node.key: node for node in self.nodes}

    @cached_property
    def order(self) -> tuple[Node, ...]:
        """The nodes, each behind those it comes after."""
        after = {node.key: [edge.key for edge in node.after] for node in self.nodes}
        return tuple(self.by_key[key] for key in TopologicalSorter(after).static_order())


@dataclass(frozen=True, slots=True)
class StepRecord:
    """What is known of a step that has begun.

    `output` and `items` are needed where a condition reads them only; of `items` the number always is.
    """

    status: Status
    attempt: int = 1
    is_retryable: bool = False
    choice: str | None = None
    output: Any = None
    items: Sequence[Any] = ()
    adds: Graph | None = None
    has_skips: bool = False


@dataclass(frozen=True, slots=True)
class StepStart:
    """A step to begin, or to try again after a pause."""

    path: StepPath
    node: Node
    attempt: int = 1
    delay: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class StepEnd:
    """The end of a step that nobody has to work for.

    It is skipped, a branch is taken (`choice`), a condition has no answer (`why`), all steps under it are over
    (`has_skips`: some failed and were passed over), or it waited when the steps around it were stopped.
    """

    path: StepPath
    status: Status
    choice: str | None = None
    why: str | None = None
    has_skips: bool = False


@dataclass(frozen=True, slots=True)
class Finish:
    """How a run ended; `failed` is the step whose failure ended it."""

    status: RunStatus
    failed: StepPath | None = None


@dataclass(frozen=True, slots=True)
class Advance:
    """What follows: steps to begin, steps that have ended, running steps to interrupt, the end of the run."""

    ready: tuple[StepStart, ...] = ()
    ended: tuple[StepEnd, ...] = ()
    interrupted: tuple[StepPath, ...] = ()
    finished: Finish | None = None


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
    return Advance(tuple(outcome.ready), tuple(outcome.ended), tuple(outcome.interrupted), finished)


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
    is_over: bool = True
    failed: StepPath | None = None
    has_skips: bool = False

    def take(self, inner: "_Outcome") -> None:
        """Add what follows inside a scope under this one; where that is, its step says."""
        self.ready += inner.ready
        self.ended += inner.ended
        self.interrupted += inner.interrupted


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
            inner = [self.stop(each) for each in _scopes_under(scope, node, record)]
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
        concurrency, max_failures = (node.each.concurrency, node.each.max_failures) if node.each else (1, 0)
        begun, waiting = list[_Scope](), list[_Scope]()
        for each in _scopes_under(scope, node, record):
            (begun if self._has_begun(each) else waiting).append(each)
        is_stopped = sum(self._failed_in(each) is not None for each in begun) > max_failures
        found = [self.stop(each) if is_stopped else self.go_on(each) for each in begun]
        at_work = sum(not each.is_over for each in found)
        for each in waiting:
            if is_stopped or at_work >= concurrency:
                break
            found.append(self.go_on(each))
            at_work += not found[-1].is_over
        for each in found:
            outcome.take(each)
        if is_stopped and not at_work:
            failed = [each.failed for each in found if each.failed]
            outcome.ended.append(StepEnd(scope.path(node.key), Status.FAILED, why=_too_many(failed, max_failures)))
        elif not at_work:
            has_skips = any(each.failed or each.has_skips for each in found)
            outcome.ended.append(StepEnd(scope.path(node.key), Status.COMPLETED, has_skips=has_skips))

    def _has_begun(self, scope: _Scope) -> bool:
        return any(scope.path(node.key) in self.steps for node in scope.graph.nodes)


def _scopes_under(scope: _Scope, node: Node, record: StepRecord) -> list[_Scope]:
    """Return the scopes under a step: one for each item, or the one of what it added."""
    path = scope.path(node.key)
    if record.adds:
        return [_Scope(record.adds, f"{path}.", scope)]
    if not node.each:
        return []
    return [_Scope(node.each.body, f"{path}[{index}].", scope, (index, item))
            for index, item in enumerate(record.items)]


def _is_tried_again(node: Node, record: StepRecord) -> bool:
    return record.status is Status.FAILED and record.is_retryable and record.attempt < node.retry.max_attempts


def _is_over(node: Node, record: StepRecord) -> bool:
    return record.status in OVER and not _is_tried_again(node, record)


def _too_many(failed: list[StepPath], max_failures: int) -> str:
    also = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
    return f"`{failed[0]}`{also} failed" + (f"; at most {max_failures} may" if max_failures else "")
