"""Whether the models of a recipe's agents can be asked and its patterns are there, before anything is queued."""

import time
from collections.abc import Iterable, Sequence
from uuid import UUID

from automatos.agents.service import load_for_run
from automatos.agents.types import AgentSpec
from automatos.kernel.db import Database
from automatos.llm.service import ModelClient
from automatos.recipes.errors import RecipeNotReady
from automatos.skills.service import words_of_patterns

KEPT_S = 5.0
MAX_KEPT = 5000
_ready: dict[tuple[UUID, int], float] = {}
"""Agents that were found ready a moment ago: work that is started often is not looked at each time."""


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
