"""A run as a graph of steps, what is known of them, and what may follow from it; `advance` says what does."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from graphlib import TopologicalSorter
from typing import Any, Protocol

import asyncpg

from automatos.runs.conditions import Condition
from automatos.runs.types import (
    JsonObject,
    OnError,
    Performer,
    Plan,
    RetryPolicy,
    RunRow,
    RunStatus,
    StepKind,
    StepPath,
)
from automatos.runs.types import StepStatus as Status

ONCE = RetryPolicy()


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

    @cached_property
    def all_nodes(self) -> dict[str, Node]:
        """The nodes and those of the bodies in them, by their keys."""
        inner = [node.each.body.all_nodes for node in self.nodes if node.each]
        return self.by_key | {key: node for nodes in inner for key, node in nodes.items()}

    @cached_property
    def last_order(self) -> int:
        """The highest number that a planned node has."""
        return max(node.params["order"] for node in self.all_nodes.values())

    @cached_property
    def signals(self) -> frozenset[str]:
        """The signals that its steps wait for."""
        return frozenset(name for node in self.all_nodes.values() if (name := node.params.get("signal")))

    @cached_property
    def reads(self) -> frozenset[str]:
        """The steps that its conditions read."""
        return frozenset[str]().union(*(condition.reads for condition in self._conditions))

    @cached_property
    def asks_for_item(self) -> bool:
        """Whether a condition of it reads the item that it is done for."""
        return any("item" in condition.names for condition in self._conditions)

    @property
    def _conditions(self) -> list[Condition]:
        return [condition for node in self.all_nodes.values()
                for condition in (node.when, *(case.when for case in node.cases)) if condition]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the items under a step are: those before `next` have begun, and of these all but the `open` are over.

    Of the items that are over it holds what still matters: how many failed, the first of these, whether any step of
    them was passed over. Their steps need not be known any more.
    """

    next: int = 0
    open: tuple[int, ...] = ()
    failed: int = 0
    first_failed: StepPath | None = None
    has_skips: bool = False


NO_PROGRESS = Progress()


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
    progress: Progress = NO_PROGRESS


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
    """What follows: steps to begin, steps that have ended, running steps to interrupt, the end of the run.

    `progress` is what to record of for-eachs and planners whose items have begun or are over.
    """

    ready: tuple[StepStart, ...] = ()
    ended: tuple[StepEnd, ...] = ()
    interrupted: tuple[StepPath, ...] = ()
    finished: Finish | None = None
    progress: Mapping[StepPath, Progress] = field(default_factory=dict[StepPath, Progress])


class PlannedRun(Plan, Protocol):
    """A plan with its graph."""

    @property
    def graph(self) -> Graph:
        """The steps of the run."""
        ...


Planner = Callable[[asyncpg.Connection, RunRow], Awaitable[PlannedRun]]
