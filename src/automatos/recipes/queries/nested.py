"""SQL of runs that steps of other runs start, and of the recipes that they run."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.kernel.db import in_reach
from automatos.recipes.models import Recipe, RecipeExecution
from automatos.recipes.types import JsonObject


async def callable_recipe(connection: asyncpg.Connection, template_id: str) -> asyncpg.Record | None:
    """Return the id and version of a recipe of the workspace, and the names of its agents by id."""
    return await connection.fetchrow(
        "SELECT r.id, r.version, agent_names(ARRAY(SELECT DISTINCT (s->>'agent_id')::int "
        "FROM jsonb_array_elements(r.steps) s WHERE s->>'agent_id' IS NOT NULL)) AS names "
        "FROM workflow_recipes r WHERE r.template_id = $1 AND r.deleted_at IS NULL", template_id)


async def set_parent(connection: asyncpg.Connection, workspace_id: UUID, run_id: UUID, parent: JsonObject) -> None:
    """Say of a run which step of which run has started it; it is started by whoever started that."""
    await connection.execute(
        "UPDATE recipe_executions c SET parent = $3, triggered_by = p.triggered_by FROM recipe_executions p "
        "WHERE c.id = $1 AND c.workspace_id = $2 AND p.id = ($3::jsonb->>'run_id')::uuid AND p.workspace_id = $2",
        run_id, workspace_id, parent)


async def recipes_named(
    session: AsyncSession, workspace_id: UUID, names: Collection[str]
) -> Sequence[tuple[str, JsonObject, list[str]]]:
    """Return template_id, inputs and the recipes that steps run, of recipes of the workspace by their template_ids."""
    rows = await session.execute(select(Recipe.template_id, Recipe.inputs, _runs_of(Recipe.steps)).where(
        Recipe.workspace_id == workspace_id, Recipe.deleted_at.is_(None), Recipe.template_id.in_(names)))
    return [(name, inputs, called) for name, inputs, called in rows]


async def recipes_below(connection: asyncpg.Connection, names: Collection[str]) -> list[asyncpg.Record]:
    """Return recipes of the workspace by their template_ids: what they need, as `definitions.startable` does."""
    return await connection.fetch(
        "SELECT r.template_id, a.ids, agent_states(a.ids) AS states, a.patterns, a.runs "
        "FROM workflow_recipes r CROSS JOIN LATERAL ("
        "SELECT coalesce(array_agg(DISTINCT (s->>'agent_id')::int) FILTER (WHERE s->>'agent_id' IS NOT NULL), '{}') "
        "AS ids, coalesce(array_agg(DISTINCT s->>'pattern_slug') FILTER (WHERE s->>'pattern_slug' IS NOT NULL), '{}') "
        "AS patterns, coalesce(array_agg(DISTINCT s->'run'->>'recipe') "
        "FILTER (WHERE s->'run'->>'recipe' IS NOT NULL), '{}') AS runs FROM jsonb_array_elements(r.steps) s) a "
        "WHERE r.template_id = ANY($1) AND r.deleted_at IS NULL", list(names))


def _runs_of(steps: Any) -> ColumnElement[Any]:
    return func.jsonb_path_query_array(steps, text("'$[*].run.recipe'"), type_=JSONB)


async def recipes_that_run(session: AsyncSession, workspace_id: UUID, template_id: str) -> Sequence[str]:
    """Return the template_ids of recipes with a step that runs this one, ten at most."""
    rows = await session.scalars(select(Recipe.template_id).where(
        Recipe.workspace_id == workspace_id, Recipe.deleted_at.is_(None), Recipe.template_id != template_id,
        Recipe.steps.contains([{"run": {"recipe": template_id}}])).order_by(Recipe.template_id).limit(10))
    return rows.all()


async def recipes_of(
    session: AsyncSession, workspace_id: UUID | None, runs: Collection[UUID]
) -> dict[UUID, tuple[str, str]]:
    """Return template_id and name of the recipes that runs are of, by the ids of the runs."""
    rows = await session.execute(
        select(RecipeExecution.id, Recipe.template_id, Recipe.name).join(Recipe, Recipe.id == RecipeExecution.recipe_id)
        .where(in_reach(RecipeExecution.workspace_id, workspace_id), RecipeExecution.id.in_(runs)))
    return {run_id: (template_id, name) for run_id, template_id, name in rows}


async def statuses_of(session: AsyncSession, workspace_id: UUID, runs: Collection[UUID]) -> dict[UUID, str]:
    """Return where runs are, by their ids; those that were cleaned away are missing."""
    rows = await session.execute(select(RecipeExecution.id, RecipeExecution.status).where(
        RecipeExecution.workspace_id == workspace_id, RecipeExecution.id.in_(runs)))
    return {row.id: row.status for row in rows}
