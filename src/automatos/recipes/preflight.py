"""Whether all is there that a recipe and those that it runs need, before anything is queued."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from automatos.agents.service import load_for_run
from automatos.agents.types import AgentSpec, AgentStates
from automatos.kernel.db import Database
from automatos.llm.service import ModelClient
from automatos.recipes.calls import MAX_CALLED
from automatos.recipes.errors import RecipeNotReady
from automatos.recipes.queries.nested import recipes_below
from automatos.skills.service import words_of_patterns

KEPT_S = 5.0
MAX_KEPT = 5000
_ready: dict[tuple[UUID, int], float] = {}
"""Agents that were found ready a moment ago: work that is started often is not looked at each time."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What steps need: agents, patterns by their slugs, and recipes that they run, by template_id."""

    agent_ids: Sequence[int]
    patterns: Sequence[str]
    recipes: Sequence[str]


async def require_ready(database: Database, models: ModelClient, workspace_id: UUID, needs: Needs) -> None:
    """Refuse to start work of which a step cannot be done, its own or one of a recipe that it runs.

    Whether its own agents are active the caller has seen.

    Raises:
        RecipeNotReady: says for each agent, pattern and recipe what is missing.
    """
    if needs.recipes:
        needs = await _with_recipes(database, workspace_id, needs)
    await require_models(database, models, workspace_id, needs.agent_ids)
    await require_patterns(database, workspace_id, needs.patterns)


async def _with_recipes(database: Database, workspace_id: UUID, needs: Needs) -> Needs:
    """Add what the recipes need that are run, and those that these run; each is looked at once, and MAX_CALLED of all.

    A circle, and what stands too deep, is left to the step that would begin it.
    """
    agent_ids, patterns, faults = list(needs.agent_ids), list(needs.patterns), list[str]()
    seen, wanted = set[str](), sorted(set(needs.recipes))
    async with database.recording(workspace_id) as connection:
        while wanted := wanted[:MAX_CALLED - len(seen)]:
            seen |= set(wanted)
            rows = {row["template_id"]: row for row in await recipes_below(connection, wanted)}
            faults += [fault for name in wanted if (fault := _fault_below(name, rows.get(name)))]
            agent_ids += [each for row in rows.values() for each in row["ids"]]
            patterns += [each for row in rows.values() for each in row["patterns"]]
            wanted = sorted({each for row in rows.values() for each in row["runs"]} - seen)
    if faults:
        raise RecipeNotReady([], faults)
    return Needs(agent_ids, list(dict.fromkeys(patterns)), [])


def _fault_below(name: str, recipe: asyncpg.Record | None) -> str | None:
    if recipe is None:
        return f"The recipe {name!r}, which it runs, was deleted: run another."
    unavailable = AgentStates(recipe["states"] or {}).list_unavailable(recipe["ids"])
    return (f"The recipe {name!r}, which it runs, needs agents that are not active: {', '.join(unavailable)}."
            if unavailable else None)


async def require_models(database: Database, models: ModelClient, workspace_id: UUID, agent_ids: Iterable[int]) -> None:
    """Refuse to start work whose model cannot be asked: no such provider, no key, no usable default model.

    Raises:
        RecipeNotReady: says for each agent what is missing.
    """
    moment = time.monotonic()
    unsure = [each for each in dict.fromkeys(agent_ids) if _ready.get((workspace_id, each), 0.0) <= moment]
    if not unsure:
        return
    faults = [fault for spec in await load_for_run(database, workspace_id, unsure)
              if (fault := await _fault_of(models, workspace_id, spec))]
    if faults:
        raise RecipeNotReady([], faults)
    if len(_ready) > MAX_KEPT:
        _ready.clear()
    _ready.update({(workspace_id, each): moment + KEPT_S for each in unsure})


async def require_patterns(database: Database, workspace_id: UUID, slugs: Sequence[str]) -> None:
    """Refuse to start work whose steps name patterns that were deleted since it was saved; raises RecipeNotReady."""
    if not slugs:
        return
    async with database.session(workspace_id) as session:
        known = await words_of_patterns(session, workspace_id, slugs)
    if gone := [slug for slug in slugs if slug not in known]:
        raise RecipeNotReady([], [f"Its steps name the pattern {slug!r}, which was deleted: choose another or none."
                                  for slug in gone])


async def _fault_of(models: ModelClient, workspace_id: UUID, agent: AgentSpec) -> str | None:
    obstacle = await models.find_obstacle(workspace_id, agent.model, agent.settings.environment)
    return f"The model of {agent.name!r} cannot be asked: {obstacle}" if obstacle else None
