"""Random runs in random orders of events: nothing begins twice, all end, and end as the judge says."""

from collections import Counter
from dataclasses import replace
from random import Random

from hypothesis import assume, given, note, settings
from hypothesis import strategies as st

from automatos.runs.advance import OVER, advance
from automatos.runs.conditions import Condition, compile_condition
from automatos.runs.errors import ForkNotPossible
from automatos.runs.forking import carried_over
from automatos.runs.graph import NO_PROGRESS, Advance, Case, Edge, ForEach, Graph, Node, StepRecord
from automatos.runs.types import OnError, Performer, RetryPolicy, RunStatus, StepKind, StepPath, StepStatus
from automatos.runs.validation import faults_of
from tests.runs.sketch import CONDITIONS, INPUTS, record_of
from tests.runs.worlds import Planned, World, describe, judge, plans

KINDS = {"wait": StepKind.WAIT, "branch": StepKind.BRANCH, "each": StepKind.FOR_EACH}
MAX_EVENTS = 5_000
SEEDS = st.integers(0, 2**32)


def graph_of(plan: list[Planned]) -> Graph:
    return Graph(tuple(
        Node(
            step.key, KINDS.get(step.kind, StepKind.AGENT), tuple(Edge(*edge) for edge in step.after),
            _condition(step.asks), Performer("agent:1"),
            cases=tuple(Case(name, _condition(asks)) for name, asks in step.cases),
            each=ForEach(graph_of(step.inner), step.concurrency, step.max_failures) if step.kind == "each" else None,
            on_error=OnError.SKIP if step.is_passed_over else OnError.STOP, retry=RetryPolicy(step.attempts),
        ) for step in plan
    ))


def _condition(asks: str | None) -> Condition | None:
    return compile_condition(CONDITIONS.get(asks) or f'steps.{asks}.output == "go"') if asks else None


class Run:
    """A run whose events come in an order of their own; what follows from each is asked and recorded.

    Steps of items that are over are not shown again, except to a worker of the version before, which reads all steps
    and does not record how far the items are.
    """

    def __init__(self, plan: list[Planned], world: World, order: Random) -> None:
        self.graph, self.world, self.order = graph_of(plan), world, order
        self.steps: dict[StepPath, StepRecord] = {}
        self.past: dict[StepPath, StepRecord] = {}
        self.is_earlier = False
        self.begun: Counter[tuple[StepPath, int]] = Counter()
        self.nodes: dict[StepPath, Node] = {}
        self.planned = self._all(plan)
        self.stop: RunStatus | None = None
        self.interrupted: set[StepPath] = set()

    def _all(self, plan: list[Planned]) -> dict[str, Planned]:
        return {key: step for each in plan for key, step in ({each.key: each} | self._all(each.inner)).items()}

    def go(self, events_until_stop: int | None = None) -> Advance:
        """Let events happen until the run has ended."""
        for number in range(MAX_EVENTS):
            if number == events_until_stop:
                self.stop = RunStatus.CANCELLED
            answer = self.record()
            if answer.finished:
                assert not any(record.status in {StepStatus.READY, StepStatus.RUNNING, StepStatus.SUSPENDED}
                               for record in self.steps.values())
                return answer
            for _ in range(self.order.choice([1, 1, 1, 3])):  # several may end before anybody looks
                self.happen()
        raise AssertionError("the run does not end")

    def record(self) -> Advance:
        """Record what follows until nothing more does."""
        self.is_earlier = self.order.random() < 0.2
        while True:
            answer = self.ask()
            for path, progress in () if self.is_earlier else answer.progress.items():
                self.steps[path] = replace(self.steps[path], progress=progress)
                self._forget(path)
            for end in answer.ended:
                assert end.path not in self.steps or self.steps[end.path].status not in OVER
                self.steps[end.path] = self._gathered(record_of(end, self.steps), end.path)
            for start in answer.ready:
                self._check_may_begin(start.path, start.node)
                self.begun[start.path, start.attempt] += 1
                self.nodes[start.path] = start.node
                self.steps[start.path] = StepRecord(StepStatus.READY, start.attempt)
            self.interrupted |= set(answer.interrupted)
            if not answer.ended:
                again = self.ask()
                assert (again.ready, again.ended) == ((), ())
                assert (again.interrupted, again.finished) == (answer.interrupted, answer.finished)
                assert self.is_earlier or not again.progress
                return answer

    def _forget(self, path: StepPath) -> None:
        """Put away the steps of items that are over."""
        progress = self.steps[path].progress
        for each in [each for each in self.steps if each.startswith(f"{path}[")]:
            index = int(each.removeprefix(f"{path}[").partition("]")[0])
            if index < progress.next and index not in progress.open:
                self.past[each] = self.steps.pop(each)

    def ask(self) -> Advance:
        known = dict(self.steps)
        if self.is_earlier:
            known = self.past | {path: replace(record, progress=NO_PROGRESS) for path, record in known.items()}
        before = dict(known)
        answer = advance(self.graph, known, inputs=INPUTS, stop=self.stop)
        assert known == before
        assert advance(self.graph, known, inputs=INPUTS, stop=self.stop) == answer
        return answer

    def _gathered(self, record: StepRecord, path: StepPath) -> StepRecord:
        is_gathered = record.status is StepStatus.COMPLETED and self.planned[_key(path)].kind in {"each", "plan"}
        return StepRecord(record.status, record.attempt, output=self.world.output(path),
                          has_skips=record.has_skips) if is_gathered else record

    def _check_may_begin(self, path: StepPath, node: Node) -> None:
        assert self.stop is None
        scope = path[: len(path) - len(node.key)]
        for edge in node.after:
            assert self.steps[StepPath(scope + edge.key)].status in OVER
        if scope.endswith("]."):
            rows = scope[: scope.rindex("[")]
            items = {scope, *(other[: other.index("]", len(rows)) + 2] for other, record in self.steps.items()
                              if other.startswith(f"{rows}[") and record.status not in OVER)}
            assert len(items) <= self.planned[_key(rows)].concurrency

    def happen(self) -> None:
        """Let one of the steps that are at work, or wait, take its next turn."""
        open_paths = [path for path, record in self.steps.items() if record.status in
                      {StepStatus.READY, StepStatus.RUNNING, StepStatus.SUSPENDED}]
        if open_paths:
            path = self.order.choice(open_paths)
            self.steps[path] = self._next(path, self.steps[path], self.planned[_key(path)])

    def _next(self, path: StepPath, record: StepRecord, step: Planned) -> StepRecord:
        if record.status is StepStatus.READY:
            return StepRecord(StepStatus.RUNNING, record.attempt)
        if path in self.interrupted and self.order.random() < 0.5:
            return StepRecord(StepStatus.CANCELLED, record.attempt)
        result = self.world.result(path, record.attempt)
        if result != "good":
            return StepRecord(StepStatus.FAILED, record.attempt, is_retryable=result == "again")
        if step.kind == "wait" and record.status is StepStatus.RUNNING:
            return StepRecord(StepStatus.SUSPENDED, record.attempt)
        if step.kind == "each":
            return StepRecord(StepStatus.EXPANDED, record.attempt, items=self.world.items(path))
        if step.kind == "plan":
            return StepRecord(StepStatus.EXPANDED, record.attempt, adds=graph_of(step.inner))
        return StepRecord(StepStatus.COMPLETED, record.attempt, output=self.world.output(path))


def _key(path: str) -> str:
    return path.rpartition(".")[2]


@given(plan=plans(), seed=SEEDS, orders=st.tuples(SEEDS, SEEDS))
@settings(max_examples=400, deadline=None)
def test_any_run_ends_as_the_judge_says_in_any_order_of_events(
    plan: list[Planned], seed: int, orders: tuple[int, int]
) -> None:
    note(str(describe(plan)))
    assert faults_of(graph_of(plan)) == []
    verdict = judge(plan, World(seed))
    for order in orders:
        run = Run(plan, World(seed), Random(order))
        finish = run.go().finished
        assert finish
        assert set(run.begun.values()) <= {1}
        assert (finish.status is RunStatus.FAILED) == verdict.is_failed
        if not verdict.is_failed:
            assert (finish.status is RunStatus.COMPLETED_WITH_SKIPS) == verdict.has_skips
        found = {path: record.status for path, record in (run.past | run.steps).items()}
        assert {path: found.get(StepPath(path)) for path in verdict.known} == verdict.known


@given(plan=plans(), seed=SEEDS, order=SEEDS, events=st.integers(0, 40))
@settings(max_examples=200, deadline=None)
def test_any_run_can_be_cancelled_at_any_moment(plan: list[Planned], seed: int, order: int, events: int) -> None:
    note(str(describe(plan)))
    run = Run(plan, World(seed), Random(order))
    finish = run.go(events_until_stop=events).finished
    assert finish
    assert run.stop is None or finish.status is RunStatus.CANCELLED
    assert set(run.begun.values()) <= {1}


@given(plan=plans(), seed=SEEDS, orders=st.tuples(SEEDS, SEEDS), choice=st.integers(0, 4))
@settings(max_examples=300, deadline=None)
def test_any_run_begun_again_at_any_step_ends_as_before_and_repeats_nothing_that_it_took_over(
    plan: list[Planned], seed: int, orders: tuple[int, int], choice: int
) -> None:
    note(str(describe(plan)))
    first = Run(plan, World(seed), Random(orders[0]))
    first.go()
    own = first.graph.by_key
    over = {StepStatus.COMPLETED, StepStatus.SKIPPED}
    done = {key for key, node in own.items() if (record := first.steps.get(StepPath(key))) and (
        record.status in over or (record.status is StepStatus.FAILED and node.on_error is OnError.SKIP
                                  and not (record.is_retryable and record.attempt < node.retry.max_attempts)))}
    start = sorted(own)[choice % len(own)]
    try:
        taken = carried_over(first.graph, done, start)
    except ForkNotPossible:
        assume(False)
        return
    again = Run(plan, World(seed), Random(orders[1]))
    again.steps = {StepPath(key): first.steps[StepPath(key)] for key in taken}

    finish = again.go().finished

    verdict = judge(plan, World(seed))
    assert finish
    assert (finish.status is RunStatus.FAILED) == verdict.is_failed
    begun = {path.partition(".")[0].partition("[")[0] for path, _ in again.begun}
    assert begun.isdisjoint(taken)
    assert start not in taken
    if not verdict.is_failed:
        found = {path: record.status for path, record in again.steps.items() if path in own}
        assert found == {path: record.status for path, record in first.steps.items() if path in own}
