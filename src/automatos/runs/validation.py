"""What makes a graph impossible to run, found when it is saved or when a planner adds to it."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from automatos.runs.conditions import Condition
from automatos.runs.graph import Edge, Graph, Node
from automatos.runs.types import StepKind, StepPath

MAX_NODES = 1_000
MAX_DEPTH = 5
MAX_CONCURRENCY = 100
MAX_ATTEMPTS = 20
MAX_FAULTS = 100
KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,99}")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: where (`rows.check.when`), and what to do about it."""

    where: str
    message: str


def faults_of(graph: Graph, under: StepPath | None = None) -> list[Fault]:
    """Return what is wrong with a graph, in the order of its steps, a hundred at most; none when it can run.

    What a planner adds stands `under` its step; its conditions read the inputs and each other, nothing around them.
    """
    try:
        nodes = list(_all_nodes(graph, depth=under.depth + 1 if under else 1))
    except _TooDeepError as error:
        return [Fault(str(error) or "steps", f"steps stand in each other at most {MAX_DEPTH} deep")]
    if not nodes or len(nodes) > MAX_NODES:
        return [Fault("steps", f"a run has 1 to {MAX_NODES} planned steps, not {len(nodes)}")]
    counts = Counter(node.key for node in nodes)
    faults = [Fault("steps", f"{key!r} is the key of {count} steps; each has its own")
              for key, count in counts.items() if count > 1]
    return (faults or list(_graph_faults(graph, "", frozenset(), inside=False)))[:MAX_FAULTS]


class _TooDeepError(ValueError):
    """Bodies stand in bodies too deep; says where."""


def _all_nodes(graph: Graph, prefix: str = "", *, depth: int) -> Iterator[Node]:
    if depth > MAX_DEPTH:
        raise _TooDeepError(prefix.rstrip("."))
    for node in graph.nodes:
        yield node
        if node.each:
            yield from _all_nodes(node.each.body, f"{prefix}{node.key}.", depth=depth + 1)


def _graph_faults(graph: Graph, prefix: str, outer: frozenset[str], *, inside: bool) -> Iterator[Fault]:
    """Yield the faults of one graph and of the bodies in it; `outer` are the steps around it that are over before."""
    found = [fault for node in graph.nodes for fault in _edge_faults(node, graph, prefix)]
    if not found and (cycle := _cycle(graph)):
        found = [Fault(f"{prefix}{cycle[0]}.after", f"goes round in a circle: {' -> '.join(cycle)}")]
    yield from found
    for node in graph.nodes:
        yield from _node_faults(node, prefix + node.key)
        if found or not (node.each or node.when or node.cases):
            continue  # where the order is broken nothing can be said about what is over before
        visible = outer | _before(graph, node)
        yield from _condition_faults(node, prefix + node.key, visible, inside=inside)
        if node.each:
            yield from _graph_faults(node.each.body, f"{prefix}{node.key}.", visible, inside=True)


def _edge_faults(node: Node, graph: Graph, prefix: str) -> Iterator[Fault]:
    where = f"{prefix}{node.key}.after"
    for edge in node.after:
        target = graph.by_key.get(edge.key)
        if target is None:
            beside = ", ".join(sorted(graph.by_key.keys() - {node.key})[:10]) or "none"
            yield Fault(where, f"there is no step {edge.key!r} beside it; there are: {beside}")
        elif edge.case is not None and edge.case not in {case.name for case in target.cases}:
            cases = ", ".join(case.name for case in target.cases)
            yield Fault(where, f"{edge.key!r} has the cases {cases}, not {edge.case!r}" if cases
                        else f"{edge.key!r} is no branch and has no case {edge.case!r}")
    for edge, count in Counter(node.after).items():
        if count > 1:
            yield Fault(where, f"{_named(edge)} is named {count} times")


def _named(edge: Edge) -> str:
    return repr(f"{edge.key}={edge.case}" if edge.case else edge.key)


def _cycle(graph: Graph) -> list[str]:
    """Return keys that wait for each other in a circle, the first again as the last; none when there is no circle."""
    try:
        TopologicalSorter({node.key: [edge.key for edge in node.after] for node in graph.nodes}).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def _before(graph: Graph, node: Node) -> set[str]:
    """Return the keys of all that is over when a step begins."""
    found, open_keys = set[str](), [edge.key for edge in node.after]
    while open_keys:
        key = open_keys.pop()
        if key not in found:
            found.add(key)
            open_keys += [edge.key for edge in graph.by_key[key].after]
    return found


def _node_faults(node: Node, where: str) -> Iterator[Fault]:
    if not KEY.fullmatch(node.key):
        yield Fault(where, "a key is a letter, then letters, digits, _ or -, 100 at most")
    if (node.kind is StepKind.FOR_EACH) != (node.each is not None):
        yield Fault(where, "a for_each, and nothing else, has steps that it repeats")
    if (node.kind is StepKind.BRANCH) != bool(node.cases):
        yield Fault(where, "a branch, and nothing else, has cases")
    if node.kind is StepKind.AGENT and not node.performer:
        yield Fault(where, "an agent's step names its agent")
    names = Counter(case.name for case in node.cases)
    yield from (Fault(f"{where}.cases", f"{name!r} is the name of {count} cases")
                for name, count in names.items() if count > 1)
    if node.each:
        yield from _range_faults(f"{where}.concurrency", node.each.concurrency, 1, MAX_CONCURRENCY)
        yield from _range_faults(f"{where}.max_failures", node.each.max_failures, 0, None)
        if not node.each.body.nodes:
            yield Fault(where, "it has no step to do for its items")
    yield from _range_faults(f"{where}.retry.max_attempts", node.retry.max_attempts, 1, MAX_ATTEMPTS)
    if node.timeout_s is not None:
        yield from _range_faults(f"{where}.timeout_s", node.timeout_s, 1, None)


def _range_faults(where: str, value: int, low: int, high: int | None) -> Iterator[Fault]:
    if value < low or (high is not None and value > high):
        yield Fault(where, f"is {low} to {high}" if high is not None else f"is {low} or more")


def _condition_faults(node: Node, where: str, visible: frozenset[str], *, inside: bool) -> Iterator[Fault]:
    conditions = [(f"{where}.when", node.when), *((f"{where}.cases.{case.name}", case.when) for case in node.cases)]
    for place, condition in conditions:
        if condition:
            yield from _reading_faults(place, condition, visible, inside=inside)


def _reading_faults(where: str, condition: Condition, visible: frozenset[str], *, inside: bool) -> Iterator[Fault]:
    for key in sorted(condition.reads - visible):
        known = ", ".join(sorted(visible)[:10]) or "none"
        yield Fault(where, f"reads `steps.{key}`, which is not over before this step; it can read: {known}")
    if not inside and (names := sorted(condition.names & {"item", "index"})):
        yield Fault(where, f"reads `{names[0]}`, which only steps inside a for_each have")
