"""SQL of recipes and their versions."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import ColumnElement, Select, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.kernel.db import in_reach
from automatos.recipes.models import ExecutionStep, Recipe, RecipeExecution, RecipeRunCount, RecipeVersion

FIRST_ID = UUID(int=0)
# Ids begin with the time they were made at; none that is a minute old is still to come.
COUNT_RUNS = """
WITH reach AS (
    SELECT coalesce((SELECT up_to FROM recipe_run_counts ORDER BY up_to DESC LIMIT 1),
                    '00000000-0000-0000-0000-000000000000') AS first,
           CAST(lpad(to_hex(CAST(extract(epoch FROM clock_timestamp() - interval '1 minute') * 1000 AS bigint)),
                     12, '0') || '70008000000000000000' AS uuid) AS last
)
INSERT INTO recipe_run_counts (recipe_id, workspace_id, runs, up_to)
SELECT e.recipe_id, e.workspace_id, count(*), r.last
FROM reach r JOIN recipe_executions e ON e.id >= r.first AND e.id < r.last
WHERE e.recipe_id IS NOT NULL
GROUP BY e.recipe_id, e.workspace_id, r.last
ON CONFLICT (recipe_id) DO UPDATE SET runs = recipe_run_counts.runs + excluded.runs, up_to = excluded.up_to
"""


def _mine(workspace_id: UUID | None) -> tuple[ColumnElement[bool], ...]:
    return in_reach(Recipe.workspace_id, workspace_id), Recipe.deleted_at.is_(None)


async def find_recipe(session: AsyncSession, workspace_id: UUID, template_id: str) -> Recipe | None:
    """Return a recipe by its template_id."""
    return await session.scalar(select(Recipe).where(*_mine(workspace_id), Recipe.template_id == template_id))


async def list_recipes(
    session: AsyncSession, workspace_id: UUID | None, *, search: str | None, tag: str | None, skip: int, limit: int
) -> tuple[Sequence[Recipe], int]:
    """Return one page of recipes, most recently changed first, and how many there are.

    Without a workspace they are those of every workspace that the session may see.
    """
    found: Select[Any] = select(Recipe).where(*_mine(workspace_id))
    if search:
        pattern = "%" + search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        found = found.where(or_(Recipe.name.ilike(pattern), Recipe.description.ilike(pattern),
                                Recipe.template_id.ilike(pattern)))
    if tag:
        found = found.where(Recipe.tags.contains([tag]))
    total = await session.scalar(select(func.count()).select_from(found.subquery()))
    rows = await session.scalars(found.order_by(Recipe.updated_at.desc(), Recipe.id).offset(skip).limit(limit))
    return rows.all(), total or 0


async def count_recipes(session: AsyncSession, workspace_id: UUID) -> int:
    """Count the workspace's recipes."""
    return await session.scalar(select(func.count()).select_from(Recipe).where(*_mine(workspace_id))) or 0


async def add_recipe(session: AsyncSession, recipe: Recipe, version: RecipeVersion) -> bool:
    """Store a new recipe with its first version; returns False when its template_id is taken."""
    columns = (column.key for column in Recipe.__mapper__.column_attrs)
    values = {name: value for name in columns if (value := getattr(recipe, name)) is not None}
    stored = await session.scalar(
        insert(Recipe).values(**values).on_conflict_do_nothing().returning(Recipe)
    )
    if stored is None:
        return False
    recipe.id = version.recipe_id = stored.id
    session.add(version)
    await session.flush()
    return True


async def add_version(session: AsyncSession, version: RecipeVersion) -> None:
    """Store a further version."""
    session.add(version)
    await session.flush()


async def update_recipe(
    session: AsyncSession, workspace_id: UUID, template_id: str, expected_version: int, values: dict[str, Any]
) -> int | None:
    """Change a recipe that is still at `expected_version`; returns the new version, None when somebody was first."""
    return await session.scalar(
        update(Recipe)
        .where(*_mine(workspace_id), Recipe.template_id == template_id, Recipe.version == expected_version)
        .values(**values, version=Recipe.version + 1, updated_at=func.now())
        .returning(Recipe.version)
    )


async def delete_recipe(session: AsyncSession, workspace_id: UUID, template_id: str) -> bool:
    """Mark a recipe deleted; its executions stay readable. Returns False when there is none."""
    gone = await session.scalar(
        update(Recipe).where(*_mine(workspace_id), Recipe.template_id == template_id)
        .values(deleted_at=func.now()).returning(Recipe.id)
    )
    return gone is not None


async def list_versions(session: AsyncSession, workspace_id: UUID, recipe_id: int) -> Sequence[RecipeVersion]:
    """Return a recipe's versions, newest first."""
    rows = await session.scalars(
        select(RecipeVersion)
        .where(RecipeVersion.workspace_id == workspace_id, RecipeVersion.recipe_id == recipe_id)
        .order_by(RecipeVersion.version.desc()).limit(200)
    )
    return rows.all()


async def find_version(
    session: AsyncSession, workspace_id: UUID, recipe_id: int, version: int
) -> RecipeVersion | None:
    """Return one version of a recipe."""
    return await session.scalar(
        select(RecipeVersion).where(RecipeVersion.workspace_id == workspace_id, RecipeVersion.recipe_id == recipe_id,
                                    RecipeVersion.version == version)
    )


async def last_executions(
    session: AsyncSession, workspace_id: UUID | None, recipe_ids: Sequence[int]
) -> dict[int, RecipeExecution]:
    """Return the latest execution of each of the recipes that has one; without a workspace, whoever's they are."""
    one = (
        select(RecipeExecution.id)
        .where(in_reach(RecipeExecution.workspace_id, workspace_id), RecipeExecution.recipe_id == Recipe.id)
        .order_by(RecipeExecution.id.desc()).limit(1).scalar_subquery()
    )
    ids = await session.scalars(select(one).where(Recipe.id.in_(recipe_ids)))
    rows = await session.scalars(select(RecipeExecution).where(RecipeExecution.id.in_([id_ for id_ in ids if id_])))
    return {row.recipe_id: row for row in rows if row.recipe_id is not None}


async def count_executions(
    session: AsyncSession, workspace_id: UUID | None, recipe_ids: Sequence[int]
) -> dict[int, int]:
    """Return how often each recipe was started: what `count_runs` has counted, and those since then.

    Starting one locks nothing. Without a workspace they may be anybody's that the session may see.
    """
    counts = await session.execute(
        select(RecipeRunCount.recipe_id, RecipeRunCount.runs, RecipeRunCount.up_to)
        .where(in_reach(RecipeRunCount.workspace_id, workspace_id)))
    counted = {recipe_id: (runs, up_to) for recipe_id, runs, up_to in counts}
    # All were counted at the same moments: a recipe whose count is older has not run since.
    since = max((up_to for _, up_to in counted.values()), default=FIRST_ID)
    rows = await session.execute(
        select(RecipeExecution.recipe_id, func.count())
        .where(in_reach(RecipeExecution.workspace_id, workspace_id), RecipeExecution.recipe_id.in_(recipe_ids),
               RecipeExecution.id >= since)
        .group_by(RecipeExecution.recipe_id))
    fresh = {recipe_id: int(count) for recipe_id, count in rows}
    return {one: counted.get(one, (0, None))[0] + fresh.get(one, 0) for one in recipe_ids}


async def count_runs(connection: asyncpg.Connection) -> None:
    """Count the executions that came since the last time, of every workspace, up to a minute ago."""
    await connection.execute(COUNT_RUNS)


async def find_execution(
    session: AsyncSession, workspace_id: UUID, execution_id: UUID
) -> tuple[RecipeExecution, str | None, str | None] | None:
    """Return one execution with its recipe's template_id and name."""
    row = (await session.execute(
        select(RecipeExecution, Recipe.template_id, Recipe.name)
        .outerjoin(Recipe, Recipe.id == RecipeExecution.recipe_id)
        .where(RecipeExecution.workspace_id == workspace_id, RecipeExecution.id == execution_id)
    )).first()
    return (row[0], row[1], row[2]) if row else None


async def list_steps(session: AsyncSession, workspace_id: UUID, execution_id: UUID) -> Sequence[ExecutionStep]:
    """Return the step records of an execution, in order."""
    rows = await session.scalars(
        select(ExecutionStep)
        .where(ExecutionStep.workspace_id == workspace_id, ExecutionStep.execution_id == execution_id)
        .order_by(ExecutionStep.order)
    )
    return rows.all()


async def startable(
    connection: asyncpg.Connection, template_id: str, *, with_agents: bool
) -> asyncpg.Record | None:
    """Return what is needed to start a recipe: id, version, agents' `ids` with their `states`, patterns, what it runs.

    `agents` are what runs need of them, where they are wanted and few; else they are read when the run has begun.
    """
    return await connection.fetchrow(
        """
        SELECT r.id, r.version, a.ids, agent_states(a.ids) AS states, a.patterns, a.runs,
               CASE WHEN $2 AND cardinality(a.ids) <= 8 THEN agents_for_run(a.ids) END AS agents
        FROM workflow_recipes r
        CROSS JOIN LATERAL (
            SELECT array_agg((s->>'agent_id')::int) FILTER (WHERE s->>'agent_id' IS NOT NULL) AS ids,
                   array_agg(DISTINCT s->>'pattern_slug') FILTER (WHERE s->>'pattern_slug' IS NOT NULL) AS patterns,
                   array_agg(DISTINCT s->'run'->>'recipe') FILTER (WHERE s->'run'->>'recipe' IS NOT NULL) AS runs
            FROM jsonb_array_elements(r.steps) s) a
        WHERE r.template_id = $1 AND r.deleted_at IS NULL
        """,
        template_id, with_agents,
    )


async def version(connection: asyncpg.Connection, recipe_id: int, number: int) -> asyncpg.Record | None:
    """Return one stored version with the recipe's template_id, as `definition_of` reads it."""
    return await connection.fetchrow(
        "SELECT r.id AS recipe_id, r.template_id, v.version, v.definition "
        "FROM recipe_versions v JOIN workflow_recipes r ON r.id = v.recipe_id "
        "WHERE v.recipe_id = $1 AND v.version = $2",
        recipe_id, number,
    )
