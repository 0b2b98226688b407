"""SQL of pages of runs: each is read from the end of an index, so that a long history costs what a short one does."""

from collections.abc import Mapping, Sequence
from typing import get_args
from uuid import UUID

from sqlalchemy import Select, func, literal, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.kernel.db import in_reach
from automatos.recipes.models import Recipe, RecipeExecution
from automatos.recipes.types import FINAL, MOST_COUNTED, ExecutionKind, Total

Described = Select[RecipeExecution, str, str]
LAST_ID = UUID(int=2**128 - 1)
KINDS: tuple[str, ...] = get_args(ExecutionKind)

# An index ends with a value and the id. For each such value the newest are taken, then merged: a rare status or kind is
# not searched for among all others, nor what people have begun among what steps of runs have. The row comparison says
# where to begin, and with the order it leaves no other index that could be walked instead.
INDEXED = """
SELECT ARRAY(
    SELECT n.id FROM (SELECT {values}) AS p (value)
    CROSS JOIN LATERAL (
        SELECT x.id FROM recipe_executions x
        WHERE {where} {of} >= p.value AND ({of}, x.id) < (p.value, CAST(:before AS uuid))
        ORDER BY {of} DESC, x.id DESC LIMIT :reach) AS n
    ORDER BY n.id DESC OFFSET :skip LIMIT :limit) AS ids,
(SELECT count(*) FROM (
    SELECT FROM (SELECT {values}) AS p (value)
    CROSS JOIN LATERAL (
        SELECT FROM recipe_executions x
        WHERE {where} {of} >= p.value AND ({of}, x.id) < (p.value, CAST(:last AS uuid))
        ORDER BY {of} DESC, x.id DESC LIMIT :most) AS n
    LIMIT :most) AS few) AS found
"""
PART = "part"
LISTED = "unnest(CAST(:listed AS text[]))"
LISTED_AS = f"(CASE WHEN x.parent IS NULL THEN CAST(x.kind AS text) ELSE '{PART}' END)"
KIND = "unnest(CAST(:kinds AS text[]))"
RECIPE = "unnest(CAST(:recipes AS int[]))"
TOP = "(x.parent IS NULL OR NOT :top_level) AND"
OVER = "x.status = :status AND x.finished_at IS NOT NULL AND"
# By what is asked for (whose runs, and whether in one final status): the values, what has them, what else.
PAGES: Mapping[tuple[str, bool], str] = {
    ("workspace", False): INDEXED.format(values=LISTED, of=LISTED_AS, where="x.workspace_id = :workspace AND"),
    ("workspace", True): INDEXED.format(values=LISTED, of=LISTED_AS, where=f"x.workspace_id = :workspace AND {OVER}"),
    ("agent", False): INDEXED.format(values=KIND, of="x.kind", where="x.agent_id = :agent AND"),
    ("agent", True): INDEXED.format(values=KIND, of="x.kind", where=f"x.agent_id = :agent AND {OVER}"),
    ("recipe", False): INDEXED.format(values=RECIPE, of="x.recipe_id", where=TOP),
    ("recipe", True): INDEXED.format(values=RECIPE, of="x.recipe_id", where=f"{TOP} {OVER}"),
}


async def page_runs(
    session: AsyncSession, workspace_id: UUID | None, *, status: str | None, recipe: str | None,
    agent_id: int | None = None, kind: str | None = None, top_level: bool = False, before: UUID | None, skip: int,
    limit: int,
) -> tuple[Sequence[tuple[RecipeExecution, str | None, str | None]], Total]:
    """Return runs newest first, each with its recipe's template_id and name (None for tasks), and how many match.

    Without a workspace they are those of every workspace that the session may see; with `top_level` those that no step
    of another run has started.
    """
    recipes = await _recipes_named(session, workspace_id, recipe) if recipe else None
    if recipes is not None and (not recipes or agent_id is not None or kind not in {None, "recipe"}):
        return [], Total(0, is_exact=True)
    if workspace_id is None or (status and status not in FINAL):
        found = _plain(workspace_id, status, recipes, agent_id, kind, top_level=top_level)
        some = found.with_only_columns(literal(1), maintain_column_froms=True).limit(skip + MOST_COUNTED + 1)
        count = await session.scalar(select(func.count()).select_from(some.subquery())) or 0
        found = found.where(RecipeExecution.id < (before or LAST_ID)).offset(skip).limit(limit)
    else:
        whose = "recipe" if recipes else "agent" if agent_id is not None else "workspace"
        kinds = [kind] if kind else list(KINDS)
        row = (await session.execute(text(PAGES[whose, bool(status)]), {
            "workspace": workspace_id, "agent": agent_id, "recipes": recipes, "status": status, "kinds": kinds,
            "listed": kinds if top_level or "recipe" not in kinds else [*kinds, PART], "top_level": top_level,
            "before": before or LAST_ID, "last": LAST_ID, "skip": skip, "limit": limit,
            "reach": skip + limit, "most": skip + MOST_COUNTED + 1})).one()
        found, count = _described().where(RecipeExecution.id.in_(row.ids)), row.found
    rows = await session.execute(found.order_by(RecipeExecution.id.desc()))
    return [(row[0], row[1], row[2]) for row in rows.all()], Total.of(count, skip)


def _described() -> Described:
    return (select(RecipeExecution, Recipe.template_id, Recipe.name)
            .outerjoin(Recipe, Recipe.id == RecipeExecution.recipe_id))


def _plain(
    workspace_id: UUID | None, status: str | None, recipes: Sequence[int] | None, agent_id: int | None,
    kind: str | None, *, top_level: bool,
) -> Described:
    """What has not ended is found by its own index, and an operator's look over all workspaces by the ids."""
    found = _described().where(in_reach(RecipeExecution.workspace_id, workspace_id))
    if status:
        is_over = RecipeExecution.finished_at.is_not(None) if status in FINAL else RecipeExecution.finished_at.is_(None)
        found = found.where(RecipeExecution.status == status, is_over)
    if top_level:
        found = found.where(RecipeExecution.parent.is_(None))
    if recipes is not None:
        found = found.where(RecipeExecution.recipe_id.in_(recipes))
    if agent_id is not None:
        found = found.where(RecipeExecution.agent_id == agent_id)
    return found.where(RecipeExecution.kind == kind) if kind else found


async def _recipes_named(session: AsyncSession, workspace_id: UUID | None, template_id: str) -> Sequence[int]:
    """Return the recipes that have, or had before they were deleted, that template_id."""
    return (await session.scalars(
        select(Recipe.id).where(in_reach(Recipe.workspace_id, workspace_id), Recipe.template_id == template_id))).all()
