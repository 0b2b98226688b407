"""Which recipes a recipe's steps run, what can be wrong with them, and what they need before the recipe can begin."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents.types import AgentStates
from automatos.kernel.db import Database
from automatos.recipes.definition import Fault
from automatos.recipes.errors import RecipeNotReady
from automatos.recipes.nested import MAX_RUNS_DEEP
from automatos.recipes.queries import nested as queries
from automatos.recipes.types import JsonObject, Step

MAX_CALLED = 200
"""So many recipes are looked at when one is saved; who makes many that run each other costs others nothing."""


@dataclass(frozen=True, slots=True)
class Called:
    """A recipe that steps run: its inputs, and the recipes that its own steps run."""

    inputs: JsonObject
    runs: tuple[str, ...]


async def recipes_called(session: AsyncSession, workspace_id: UUID, steps: Iterable[Step]) -> dict[str, Called]:
    """Return the recipes that steps run, with those that these run, as deep as runs may stand in each other."""
    known: dict[str, Called] = {}
    wanted = {step.run["recipe"] for step in steps if step.run}
    for _ in range(MAX_RUNS_DEEP):
        if not wanted or len(known) > MAX_CALLED:
            break
        rows = await queries.recipes_named(session, workspace_id, sorted(wanted)[:MAX_CALLED + 1])
        known |= {name: Called(inputs, tuple(dict.fromkeys(runs))) for name, inputs, runs in rows}
        wanted = {each for name, _, _ in rows for each in known[name].runs} - known.keys()
    return known


@dataclass(frozen=True, slots=True)
class Needs:
    """What steps of recipes that are run need: agents, and patterns by their slugs."""

    agent_ids: Sequence[int] = ()
    patterns: Sequence[str] = ()


async def needs_below(database: Database, workspace_id: UUID, runs: Sequence[str] | None) -> Needs:
    """Return what the recipes need that steps run, and those that these run; each is looked at once, MAX_CALLED of all.

    A circle, and what stands too deep, is left to the step that would begin it.

    Raises:
        RecipeNotReady: one of them was deleted, or has an agent that is not active; names each.
    """
    if not runs:
        return Needs()
    agent_ids, patterns, faults, seen = list[int](), list[str](), list[str](), set[str]()
    wanted = sorted(runs)
    async with database.recording(workspace_id) as connection:
        while wanted := wanted[:MAX_CALLED - len(seen)]:
            seen |= set(wanted)
            rows = {row["template_id"]: row for row in await queries.recipes_below(connection, wanted)}
            faults += [fault for name in wanted if (fault := _fault_below(name, rows.get(name)))]
            agent_ids += [each for row in rows.values() for each in row["ids"]]
            patterns += [each for row in rows.values() for each in row["patterns"]]
            wanted = sorted({each for row in rows.values() for each in row["runs"]} - seen)
    if faults:
        raise RecipeNotReady([], faults)
    return Needs(agent_ids, list(dict.fromkeys(patterns)))


def _fault_below(name: str, recipe: asyncpg.Record | None) -> str | None:
    if recipe is None:
        return f"The recipe {name!r}, which it runs, was deleted: run another."
    unavailable = AgentStates(recipe["states"] or {}).list_unavailable(recipe["ids"])
    return (f"The recipe {name!r}, which it runs, needs agents that are not active: {', '.join(unavailable)}."
            if unavailable else None)


def call_faults(steps: Iterable[Step], known: Mapping[str, Called], own: str | None) -> Iterator[Fault]:
    """Yield what is wrong with the recipes that steps run; `own` is the template_id of the recipe with these steps."""
    if len(known) > MAX_CALLED:
        yield {"where": "steps", "message": f"at most {MAX_CALLED} recipes run in a recipe, those in them included"}
        return
    ways, depths = _ways_to(own, known), _depths(known)
    for place, step in enumerate(steps):
        if step.run:
            yield from _faults_of(f"steps[{place}].run", step.run, known, ways, depths)


def _faults_of(
    where: str, run: JsonObject, known: Mapping[str, Called], ways: Mapping[str, tuple[str, ...]],
    depths: Mapping[str, int],
) -> Iterator[Fault]:
    name = run["recipe"]
    if way := ways.get(name):
        said = " runs ".join(repr(each) for each in (way[-1], *way))
        yield {"where": f"{where}.recipe", "message": f"a recipe cannot run in a run of itself: {said}"}
        return
    if name not in known:
        yield {"where": f"{where}.recipe", "message": f"this workspace has no recipe {name!r}"}
        return
    if depths[name] >= MAX_RUNS_DEEP:
        yield {"where": f"{where}.recipe", "message": f"runs stand in each other at most {MAX_RUNS_DEEP} deep"}
    declared = known[name].inputs
    for given in run["inputs"]:
        if given not in declared:
            yield {"where": f"{where}.inputs.{given}", "message": f"recipe {name!r} declares no such input"}
    for needed, spec in declared.items():
        if spec.get("required") and spec.get("default") is None and needed not in run["inputs"]:
            yield {"where": f"{where}.inputs", "message": f"recipe {name!r} requires the input {needed!r}"}


def _ways_to(own: str | None, known: Mapping[str, Called]) -> dict[str, tuple[str, ...]]:
    """Return for each recipe that runs `own`, however deep, the recipes from itself to `own`; each is taken up once."""
    if own is None:
        return {}
    ways: dict[str, tuple[str, ...]] = {own: (own,)}
    callers: dict[str, list[str]] = {}
    for name, called in known.items():
        for each in called.runs:
            callers.setdefault(each, []).append(name)
    waiting = [own]
    for name in waiting:
        for caller in callers.get(name, ()):
            if caller not in ways:
                ways[caller] = (caller, *ways[name])
                waiting.append(caller)
    return ways


def _depths(known: Mapping[str, Called]) -> dict[str, int]:
    """Return how many recipes run in each other from each one on, itself included, counted to MAX_RUNS_DEEP."""
    depths = dict.fromkeys(known, 1)
    for _ in range(MAX_RUNS_DEEP - 1):
        depths = {name: 1 + max((depths.get(each, 0) for each in called.runs), default=0)
                  for name, called in known.items()}
    return depths
