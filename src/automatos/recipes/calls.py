"""Which recipes a recipe's steps run, and what can be wrong: none of that name, a circle, inputs that do not fit."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.recipes.definition import Fault
from automatos.recipes.nested import MAX_RUNS_DEEP
from automatos.recipes.queries import nested as queries
from automatos.recipes.types import JsonObject, Step


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
        if not wanted:
            break
        rows = await queries.recipes_named(session, workspace_id, wanted)
        known |= {row.template_id: Called(row.inputs, _named_in(row.steps)) for row in rows}
        wanted = {name for row in rows for name in known[row.template_id].runs} - known.keys()
    return known


def _named_in(steps: Iterable[Mapping[str, object]]) -> tuple[str, ...]:
    called = [step["run"] for step in steps if step.get("run")]
    return tuple(dict.fromkeys(str(each["recipe"]) for each in called if isinstance(each, dict)))


def call_faults(steps: Iterable[Step], known: Mapping[str, Called], own: str | None) -> Iterator[Fault]:
    """Yield what is wrong with the recipes that steps run; `own` is the template_id of the recipe with these steps."""
    for place, step in enumerate(steps):
        if step.run:
            yield from _faults_of(f"steps[{place}].run", step.run, known, own)


def _faults_of(where: str, run: JsonObject, known: Mapping[str, Called], own: str | None) -> Iterator[Fault]:
    name = run["recipe"]
    if circle := _circle(name, known, (own,) if own else ()):
        said = " runs ".join(repr(each) for each in circle)
        yield {"where": f"{where}.recipe", "message": f"a recipe cannot run in a run of itself: {said}"}
        return
    if name not in known:
        yield {"where": f"{where}.recipe", "message": f"this workspace has no recipe {name!r}"}
        return
    if _depth(name, known) >= MAX_RUNS_DEEP:
        yield {"where": f"{where}.recipe", "message": f"runs stand in each other at most {MAX_RUNS_DEEP} deep"}
    declared = known[name].inputs
    for given in run["inputs"]:
        if given not in declared:
            yield {"where": f"{where}.inputs.{given}", "message": f"recipe {name!r} declares no such input"}
    for needed, spec in declared.items():
        if spec.get("required") and spec.get("default") is None and needed not in run["inputs"]:
            yield {"where": f"{where}.inputs", "message": f"recipe {name!r} requires the input {needed!r}"}


def _circle(name: str, known: Mapping[str, Called], above: tuple[str, ...]) -> tuple[str, ...]:
    """Return the recipes from one to itself again; none where there is no way."""
    if name in above:
        return (*above[above.index(name):], name)
    if len(above) > MAX_RUNS_DEEP or name not in known:
        return ()
    return next(filter(None, (_circle(each, known, (*above, name)) for each in known[name].runs)), ())


def _depth(name: str, known: Mapping[str, Called], left: int = MAX_RUNS_DEEP) -> int:
    """Return how many recipes run in each other from one on, itself included, counted so far."""
    if left <= 0 or name not in known:
        return 0
    return 1 + max((_depth(each, known, left - 1) for each in known[name].runs), default=0)
