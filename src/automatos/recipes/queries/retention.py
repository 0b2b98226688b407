"""SQL of runs that are kept no longer."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import asyncpg

from automatos.recipes.queries.pages import LISTED_AS, PART

WORKSPACES = """
WITH RECURSIVE w AS (
    (SELECT workspace_id FROM recipe_executions ORDER BY workspace_id LIMIT 1)
    UNION ALL
    SELECT (SELECT e.workspace_id FROM recipe_executions e WHERE e.workspace_id > w.workspace_id
            ORDER BY e.workspace_id LIMIT 1)
    FROM w WHERE w.workspace_id IS NOT NULL)
SELECT workspace_id FROM w WHERE workspace_id IS NOT NULL
"""
# Ids begin with the time they were made at, so those that may be old enough are the beginning of an index. How often a
# recipe ran is counted apart; a run that is not in that count yet stays until it is. What others lock stays, too.
OLD = f"""
SELECT n.id FROM unnest(ARRAY['recipe', 'task', 'heartbeat', '{PART}']) AS k (kind)
CROSS JOIN LATERAL (
    SELECT x.id FROM recipe_executions x
    WHERE x.workspace_id = $1 AND ({LISTED_AS}, x.id) > (k.kind, $3)
          AND ({LISTED_AS}, x.id) < (k.kind, CAST(lpad(to_hex(CAST(extract(epoch FROM now() - $2::interval) * 1000
                                                 AS bigint)), 12, '0') || '70000000000000000000' AS uuid))
          AND x.finished_at < now() - $2::interval
          AND (x.recipe_id IS NULL OR EXISTS (
                SELECT FROM recipe_run_counts c WHERE c.recipe_id = x.recipe_id AND c.up_to > x.id))
    ORDER BY {LISTED_AS}, x.id LIMIT $4 FOR UPDATE SKIP LOCKED) AS n
ORDER BY n.id LIMIT $4
"""  # noqa: S608 - no input


async def workspaces(connection: asyncpg.Connection) -> list[UUID]:
    """Return every workspace that has runs; the connection sees all of them."""
    return [row["workspace_id"] for row in await connection.fetch(WORKSPACES)]


async def lock_old(
    connection: asyncpg.Connection, workspace_id: UUID, kept: timedelta, after: UUID, limit: int
) -> list[UUID]:
    """Return runs that ended longer ago than they are kept, the oldest first, from after an id on, locked."""
    return [row["id"] for row in await connection.fetch(OLD, workspace_id, kept, after, limit)]


async def delete_runs(connection: asyncpg.Connection, workspace_id: UUID, ids: Sequence[UUID]) -> None:
    """Delete runs with their steps, turns and events."""
    await connection.execute(
        "DELETE FROM recipe_executions WHERE workspace_id = $1 AND id = ANY($2)", workspace_id, list(ids))
