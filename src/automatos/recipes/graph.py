"""A recipe as a graph of steps: how it is made of a definition, and what would make it impossible to run."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

from automatos.agents.types import group_of
from automatos.recipes.types import NOBODY, JsonObject, Step
from automatos.runs.errors import ConditionInvalid
from automatos.runs.service import Edge, ForEach, Graph, Node, compile_condition, graph_faults
from automatos.runs.types import OnError, Performer

Fault = dict[str, Any]
INPUT = "input."
MAX_DEPTH = 5


class Flow:
    """How the steps of a recipe come after each other; those that a for-each repeats have an order of their own."""

    def __init__(self, steps: Iterable[Step]) -> None:
        self.steps = tuple(sorted(steps, key=lambda step: step.order))
        self.by_key = {step.step_id: step for step in self.steps}
        self.needs: dict[str, tuple[str, ...]] = {}
        latest: dict[str | None, str] = {}
        for step in self.steps:
            default = (latest[step.inside],) if step.inside in latest else ()
            self.needs[step.step_id] = default if step.needs is None else step.needs
            latest[step.inside] = step.step_id

    @cached_property
    def graph(self) -> Graph:
        """The graph for the engine; raises ConditionInvalid."""
        return self._scope(None)

    @cached_property
    def before(self) -> dict[str, list[Step]]:
        """The steps that are over when a step begins, by its key, also around the for-each that repeats it.

        What it needs directly comes last.
        """
        return {key: self._before(key) for key in self.by_key}

    def _before(self, key: str) -> list[Step]:
        found, around = set[str](), self.by_key.get(key)
        for _ in range(MAX_DEPTH):
            if around is None:
                break
            found |= self._closure(around)
            around = self.by_key.get(around.inside or "")
        direct = self.needs[key]
        return sorted((self.by_key[each] for each in found), key=lambda each: (each.step_id in direct, each.order))

    def _closure(self, step: Step) -> set[str]:
        found, open_keys = set[str](), list(self.needs[step.step_id])
        while open_keys:
            key = open_keys.pop()
            if key not in found and key in self.by_key and self.by_key[key].inside == step.inside:
                found.add(key)
                open_keys += self.needs[key]
        return found - {step.step_id}

    def _scope(self, inside: str | None) -> Graph:
        return Graph(tuple(self._node(step) for step in self.steps if step.inside == inside))

    def _node(self, step: Step) -> Node:
        each = step.for_each
        return Node(
            step.step_id, step.kind, tuple(Edge(key) for key in self.needs[step.step_id]),
            compile_condition(step.when) if step.when else None,
            Performer(group_of(step.agent_id)) if step.agent_id != NOBODY else None,
            {"order": step.order, **(step.approval or step.wait or each or step.run or {})},
            each=ForEach(self._scope(step.step_id), each["concurrency"], each["max_failures"]) if each else None,
            on_error=OnError.SKIP if step.error_handling == "skip" else OnError.STOP,
        )


def flow_faults(steps: Sequence[Step], inputs: JsonObject) -> Iterator[Fault]:
    """Yield what is wrong with how the steps of a recipe hang together; places are those of the document."""
    places = {step.step_id: place for place, step in enumerate(steps)}
    if len(places) < len(steps):
        return  # two steps of one name are told elsewhere, and nothing can be said of what comes after them
    found = False
    for place, step in enumerate(steps):
        for fault in (*_kind_faults(place, step, steps), *_condition_faults(place, step)):
            found = True
            yield fault
    if found:
        return
    flow = Flow(steps)
    for fault in graph_faults(flow.graph):
        yield _fault(_place(fault.where, places), fault.message)
    for place, step in enumerate(steps):
        if step.for_each and not _has_items(step.for_each["items"], flow.before[step.step_id], inputs):
            yield _fault(f"steps[{place}].for_each.items",
                         "is `input.NAME` of a declared array, or the step_id or output_key of a step before this one")


def _kind_faults(place: int, step: Step, steps: Sequence[Step]) -> Iterator[Fault]:
    stated = [name for name in ("for_each", "approval", "wait", "run") if getattr(step, name)]
    if len(stated) > 1:
        yield _fault(f"steps[{place}].{stated[1]}", f"a step is either {stated[0]} or {stated[1]}; make two of it")
    if stated and step.agent_id != NOBODY:
        yield _fault(f"steps[{place}].agent_id", f"no agent does a step of {stated[0]}; leave it out")
    if stated and step.pattern_slug:
        yield _fault(f"steps[{place}].pattern_slug", f"no agent reads a step of {stated[0]}; leave it out")
    if step.inside is None:
        return
    around = next((each for each in steps if each.step_id == step.inside), None)
    if around is None or not around.for_each:
        yield _fault(f"steps[{place}].inside", f"{step.inside!r} is no step with for_each")
    elif _is_inside_itself(steps, step):
        yield _fault(f"steps[{place}].inside", "goes round in a circle")


def _is_inside_itself(steps: Sequence[Step], step: Step) -> bool:
    by_key = {each.step_id: each for each in steps}
    seen, around = {step.step_id}, step.inside
    while around in by_key:
        if around in seen:
            return True
        seen.add(around)
        around = by_key[around].inside
    return False


def _condition_faults(place: int, step: Step) -> Iterator[Fault]:
    try:
        if step.when:
            compile_condition(step.when)
    except ConditionInvalid as error:
        yield _fault(f"steps[{place}].when", str(error))


def _has_items(source: str, known: list[Step], inputs: JsonObject) -> bool:
    if source.startswith(INPUT):
        return inputs.get(source.removeprefix(INPUT), {}).get("type") == "array"
    return any(source in {each.step_id, each.output_key} for each in known)


def _place(where: str, places: dict[str, int]) -> str:
    """Return a place of the graph, `rows.check.after`, as the document has it."""
    keys = where.split(".")
    known = [number for number, key in enumerate(keys) if key in places]
    if not known:
        return "steps"
    field = {"after": "needs", "concurrency": "for_each.concurrency"}.get(".".join(keys[known[-1] + 1:]),
                                                                        ".".join(keys[known[-1] + 1:]))
    return f"steps[{places[keys[known[-1]]]}]" + (f".{field}" if field else "")


def _fault(where: str, message: str) -> Fault:
    return {"where": where, "message": message}

