"""What is wrong with the recipes that a recipe runs is found at a cost that grows with them, however they are tied."""

from collections.abc import Iterator
from itertools import pairwise

from automatos.recipes.calls import MAX_CALLED, Called, call_faults
from automatos.recipes.types import NOBODY, Step

LAYERS, EACH = 4, 40


class Counted(tuple[str, ...]):
    """Names of recipes that count how often they are walked over."""

    __slots__ = ()
    walked = 0

    def __iter__(self) -> Iterator[str]:
        Counted.walked += len(self)
        return super().__iter__()


def running(*names: str) -> list[Step]:
    return [Step(f"s{order}", order, NOBODY, "", f"s{order}", run={"recipe": name, "inputs": {}})
            for order, name in enumerate(names, start=1)]


def layered(last: tuple[str, ...] = ()) -> dict[str, Called]:
    """Layers of recipes, each of which runs every one of the next layer; the last runs `last`."""
    layers = [[f"r{layer}-{n}" for n in range(EACH)] for layer in range(LAYERS)]
    known = {name: Called({}, Counted(below)) for above, below in pairwise(layers) for name in above}
    return known | {name: Called({}, Counted(last)) for name in layers[-1]}


def test_many_recipes_that_all_run_each_other_are_walked_over_a_few_times() -> None:
    known, first = layered(), [f"r0-{n}" for n in range(EACH)]
    ties = sum(len(called.runs) for called in known.values())
    Counted.walked = 0

    assert list(call_faults(running(*first), known, "own")) == []
    assert Counted.walked <= 10 * ties


def test_a_circle_through_many_recipes_is_told_for_each_step_that_closes_it() -> None:
    known, first = layered(last=("own",)), [f"r0-{n}" for n in range(EACH)]
    Counted.walked = 0

    faults = list(call_faults(running(*first), known, "own"))

    assert [fault["where"] for fault in faults] == [f"steps[{n}].run.recipe" for n in range(EACH)]
    assert faults[7]["message"].startswith("a recipe cannot run in a run of itself: 'own' runs 'r0-7' runs 'r1-")
    assert faults[7]["message"].endswith(" runs 'own'")
    assert Counted.walked <= 10 * EACH * EACH * LAYERS


def test_more_recipes_than_are_looked_at_are_refused() -> None:
    known = {f"r{n}": Called({}, ()) for n in range(MAX_CALLED + 1)}

    (fault,) = call_faults(running("r0"), known, "own")
    assert "at most 200 recipes" in fault["message"]
