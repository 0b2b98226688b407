"""Which steps of a run that is over a new one need not do again, when it begins at one of them."""

from collections.abc import Collection

from automatos.runs.errors import ForkNotPossible
from automatos.runs.graph import Graph


def carried_over(graph: Graph, done: Collection[str], start: str) -> list[str]:
    """Return the steps whose outputs a run that begins at `start` takes over, each behind those it comes after.

    They are those `done` that do not come after the start, and before which nothing has to be done again.

    Raises:
        ForkNotPossible: the run has no such step beside each other, or one before it is not done.
    """
    if start not in graph.by_key:
        raise ForkNotPossible(f"The run has no step {start!r} to begin at. It has: {', '.join(graph.by_key)}.")
    again, taken = {start}, list[str]()
    for node in graph.order:
        before = [edge.key for edge in node.after]
        if again.isdisjoint(before) and node.key not in again and node.key in done:
            taken.append(node.key)
        else:
            again.add(node.key)
    if missing := [edge.key for edge in graph.by_key[start].after if edge.key in again]:
        raise ForkNotPossible(f"Step {missing[0]!r} comes before {start!r} and is not done. Begin there, or earlier.")
    return taken
