"""SQL about the work of one agent: what it does, what waits for it, what needs it later, what it has done."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.recipes.queries.pages import LAST_ID, LISTED_AS, PART
from automatos.recipes.types import MOST_COUNTED, StepStatus, Total

OVER = (StepStatus.COMPLETED, StepStatus.FAILED, StepStatus.SKIPPED, StepStatus.CANCELLED)

# The recipes whose runs come to a step of the agent: its own, and those that run one of these, however deep.
NEEDING = """
WITH RECURSIVE runs AS MATERIALIZED (
    SELECT r.template_id, r.name, jsonb_path_query(r.steps, '$[*].run.recipe')->>0 AS called
    FROM workflow_recipes r WHERE r.workspace_id = :workspace AND r.deleted_at IS NULL AND r.steps @? '$[*].run.recipe'
),
needing AS (
    SELECT r.template_id, r.name FROM workflow_recipes r
    WHERE r.workspace_id = :workspace AND r.deleted_at IS NULL AND r.steps @> CAST(:has_step AS jsonb)
    UNION
    SELECT a.template_id, a.name FROM needing n JOIN runs a ON a.called = n.template_id
)"""

# Unfinished executions with a step of the agent that is not over. `place` says where the agent comes in: it is at work
# (its step runs, or a worker is about to begin it), the execution waits in its group, or its step is still to come. A
# step still to come that runs a recipe in which the agent has a step is one, too; once begun, it is a run of its own.
ACTIVE = NEEDING + """,
named AS (SELECT coalesce(array_agg(template_id), '{}') AS recipes FROM needing),
mine AS (
    SELECT split_part(key, '/', 1) AS key, max(priority) AS priority, bool_or(is_held) AS is_held
    FROM durable.jobs_in(:lane) GROUP BY 1
),
found AS (
    SELECT e.id, e.kind, e.status, e.recipe_id, e.started_at, e.created_at,
           coalesce(r.name, e.definition->>'name') AS name,
           CAST(coalesce(e.definition, v.definition)->'steps' AS jsonb) AS steps
    FROM recipe_executions e
    CROSS JOIN named n
    LEFT JOIN workflow_recipes r ON r.id = e.recipe_id
    LEFT JOIN recipe_versions v ON v.recipe_id = e.recipe_id AND v.version = e.recipe_version
    WHERE e.workspace_id = :workspace AND e.finished_at IS NULL
          AND (CAST(coalesce(e.definition, v.definition)->'steps' AS jsonb) @> CAST(:has_step AS jsonb)
               OR n.recipes <> '{}' AND jsonb_path_query_array(
                   CAST(coalesce(e.definition, v.definition)->'steps' AS jsonb), '$[*].run.recipe') ?| n.recipes)
)
SELECT f.id, f.kind, f.name, f.status, f.recipe_id, f.started_at, m.priority,
       CASE WHEN o.is_running OR m.is_held THEN 'running' WHEN m.key IS NOT NULL THEN 'queued'
            ELSE 'later' END AS place,
       o.steps > CASE WHEN o.is_running OR m.is_held OR m.key IS NOT NULL THEN 1 ELSE 0 END AS is_needed_later
FROM found f
CROSS JOIN named n
LEFT JOIN mine m ON m.key = CAST(f.id AS text)
CROSS JOIN LATERAL (
    SELECT bool_or(s.status = 'running') AS is_running, count(*) AS steps
    FROM jsonb_array_elements(f.steps) AS d
    LEFT JOIN recipe_execution_steps s ON s.execution_id = f.id AND s.step_id = d->>'step_id'
              AND s.status IN ('pending', 'running') AND d->>'inside' IS NOT NULL
              OR s.execution_id = f.id AND s.step_order = (d->>'order')::int
    WHERE ((d->>'agent_id')::int = :agent OR d->'run'->>'recipe' = ANY(n.recipes))
          AND coalesce(s.status, 'pending') IN ('pending', 'running')
) o
WHERE o.steps > 0
ORDER BY CASE WHEN o.is_running OR m.is_held THEN 0 WHEN m.key IS NOT NULL THEN 1 ELSE 2 END, f.created_at, f.id
"""  # noqa: S608 - constants

TASKS = 0
"""Stands for tasks without a recipe where durations are told apart by recipe."""

# Of the latest 200 of a kind, so that a long history costs no more than a short one.
MEDIANS = """
SELECT k.recipe_id, percentile_cont(0.5) WITHIN GROUP (ORDER BY latest.took) AS median_s
FROM (SELECT unnest(CAST(:recipes AS int[])) AS recipe_id UNION ALL SELECT 0) AS k
CROSS JOIN LATERAL (
    SELECT extract(epoch FROM e.finished_at - e.started_at) AS took
    FROM (SELECT status, started_at, finished_at FROM recipe_executions
          WHERE k.recipe_id > 0 AND recipe_id = k.recipe_id AND workspace_id = :workspace ORDER BY id DESC LIMIT 200) e
    WHERE e.status IN ('completed', 'completed_with_skips') AND e.started_at IS NOT NULL
    UNION ALL
    SELECT extract(epoch FROM e.finished_at - e.started_at)
    FROM (SELECT r.* FROM unnest(ARRAY['task', 'heartbeat']) AS t (kind)
          CROSS JOIN LATERAL (
              SELECT x.id, x.status, x.started_at, x.finished_at FROM recipe_executions x
              WHERE k.recipe_id = 0 AND x.agent_id = :agent AND x.kind >= t.kind
                    AND (x.kind, x.id) < (t.kind, CAST(:last_id AS uuid)) AND x.workspace_id = :workspace
              ORDER BY x.kind DESC, x.id DESC LIMIT 200) r
          ORDER BY r.id DESC LIMIT 200) e
    WHERE e.status IN ('completed', 'completed_with_skips') AND e.started_at IS NOT NULL
) AS latest
GROUP BY k.recipe_id
"""

# The agent's share is that among the steps of the workspace's latest 200 runs, the rest is of its own latest 1,000.
HISTORY = f"""
SELECT share.workspace_steps, share.agent_steps, own.*
FROM (SELECT count(*) AS steps,
             count(*) FILTER (WHERE status = 'completed') AS succeeded,
             count(*) FILTER (WHERE status IN ('failed', 'skipped')) AS failed,
             percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM finished_at - started_at))
                 FILTER (WHERE status = 'completed') AS median_step_s
      FROM (SELECT s.* FROM unnest(CAST(:over AS text[])) AS t (status)
            CROSS JOIN LATERAL (
                SELECT x.status, x.started_at, x.finished_at, x.execution_id FROM recipe_execution_steps x
                WHERE x.agent_id = :agent AND x.workspace_id = :workspace AND x.status >= t.status
                      AND (x.status, x.execution_id) < (t.status, CAST(:last_id AS uuid))
                ORDER BY x.status DESC, x.execution_id DESC LIMIT 1000) s
            ORDER BY s.execution_id DESC LIMIT 1000) latest
      WHERE finished_at > now() - interval '30 days') own
CROSS JOIN (
    SELECT coalesce(sum(s.steps), 0) AS workspace_steps, coalesce(sum(s.own), 0) AS agent_steps
    FROM (SELECT r.id FROM unnest(ARRAY['recipe', 'task', '{PART}']) AS k (kind)
          CROSS JOIN LATERAL (
              SELECT x.id FROM recipe_executions x
              WHERE x.workspace_id = :workspace AND {LISTED_AS} >= k.kind
                    AND ({LISTED_AS}, x.id) < (k.kind, CAST(:last_id AS uuid))
              ORDER BY {LISTED_AS} DESC, x.id DESC LIMIT 200) r
          ORDER BY r.id DESC LIMIT 200) e
    CROSS JOIN LATERAL (
        SELECT count(*) AS steps, count(*) FILTER (WHERE x.agent_id = :agent) AS own
        FROM recipe_execution_steps x
        WHERE x.execution_id = e.id AND x.finished_at > now() - interval '30 days' AND x.agent_id IS NOT NULL) s) share
"""  # noqa: S608 - no input

# Agents whose step comes after one of this agent's in a recipe: they work with what it gives.
DEPENDENT_AGENTS = """
SELECT (d->>'agent_id')::int AS id, min(r.template_id) AS template_id, count(DISTINCT r.id) AS recipes
FROM workflow_recipes r
CROSS JOIN LATERAL jsonb_array_elements(r.steps) AS d
WHERE r.workspace_id = :workspace AND r.deleted_at IS NULL AND r.steps @> CAST(:has_step AS jsonb)
      AND (d->>'agent_id')::int <> :agent
      AND (d->>'order')::int > (SELECT min((x->>'order')::int) FROM jsonb_array_elements(r.steps) AS x
                                    WHERE (x->>'agent_id')::int = :agent)
GROUP BY 1 ORDER BY 1
"""

# One look at an index for each status, so that rare ones are not searched for among all others. The row comparison is
# estimated as what it is: for a range the planner expects a few rows, and sorts all that there are.
STEPS_OF_AGENT = """
SELECT e.id AS run_id, e.kind, r.template_id AS recipe_id, coalesce(r.name, e.definition->>'name') AS recipe_name,
       s.step_id, s.status, s.input_tokens, s.output_tokens, CASE WHEN s.unpriced_calls = 0
       THEN s.cost_micro_usd END AS cost_usd, s.cost_micro_usd AS known_cost_usd, s.unpriced_calls, s.started_at,
       s.finished_at,
       s.error, (extract(epoch FROM s.finished_at - s.started_at) * 1000)::int AS duration_ms
FROM (SELECT p.* FROM unnest(CAST(:statuses AS text[])) AS t (status)
      CROSS JOIN LATERAL (
          SELECT x.execution_id, x.step_order FROM recipe_execution_steps x
          WHERE x.agent_id = :agent AND x.status >= t.status
                AND (x.status, x.execution_id) < (t.status, CAST(:last_id AS uuid)) AND x.workspace_id = :workspace
          ORDER BY x.status DESC, x.execution_id DESC, x.step_order DESC LIMIT :reach) p
      ORDER BY p.execution_id DESC, p.step_order DESC OFFSET :skip LIMIT :limit) page
JOIN recipe_execution_steps s ON s.execution_id = page.execution_id AND s.step_order = page.step_order
JOIN recipe_executions e ON e.id = s.execution_id
LEFT JOIN workflow_recipes r ON r.id = e.recipe_id
ORDER BY e.id DESC, s.step_order DESC
"""

COUNT_OF_AGENT = """
SELECT coalesce(sum(p.found), 0)::int FROM unnest(CAST(:statuses AS text[])) AS t (status)
CROSS JOIN LATERAL (
    SELECT count(*) AS found FROM (
        SELECT FROM recipe_execution_steps x
        WHERE x.agent_id = :agent AND x.status >= t.status
              AND (x.status, x.execution_id) < (t.status, CAST(:last_id AS uuid)) AND x.workspace_id = :workspace
        ORDER BY x.status DESC, x.execution_id DESC LIMIT :most) AS few) p
"""


def _has_step(agent_id: int) -> str:
    return f'[{{"agent_id": {agent_id}}}]'


async def recipes_needing(session: AsyncSession, workspace_id: UUID, agent_id: int) -> list[tuple[str, str]]:
    """Return template_id and name of the recipes whose runs come to a step of an agent, those of its own first."""
    rows = await session.execute(text(NEEDING + " SELECT template_id, name FROM needing"), {  # noqa: S608 - constants
        "workspace": workspace_id, "has_step": _has_step(agent_id)})
    return [(template_id, name) for template_id, name in rows]


async def active(
    session: AsyncSession, workspace_id: UUID, agent_id: int, group: str
) -> Sequence[Mapping[str, Any]]:
    """Return unfinished executions that need an agent, also through a recipe they run, those at work first."""
    rows = await session.execute(text(ACTIVE), {
        "workspace": workspace_id, "agent": agent_id, "lane": group, "has_step": _has_step(agent_id)})
    return [dict(row) for row in rows.mappings()]


async def median_durations(
    session: AsyncSession, workspace_id: UUID, agent_id: int, recipe_ids: Sequence[int]
) -> dict[int, float]:
    """Return how long finished executions of recipes took, in seconds; TASKS stands for the agent's tasks."""
    rows = await session.execute(
        text(MEDIANS), {"workspace": workspace_id, "agent": agent_id, "recipes": list(recipe_ids), "last_id": LAST_ID})
    return {row.recipe_id: float(row.median_s) for row in rows}


async def history(session: AsyncSession, workspace_id: UUID, agent_id: int) -> Mapping[str, Any]:
    """Return counts and the median length of an agent's latest steps, and how many of the workspace's were its own."""
    asked = {"workspace": workspace_id, "agent": agent_id, "over": list(OVER), "last_id": LAST_ID}
    return dict((await session.execute(text(HISTORY), asked)).mappings().one())


async def dependent_agents(
    session: AsyncSession, workspace_id: UUID, agent_id: int
) -> Sequence[Mapping[str, Any]]:
    """Return the agents that come after this one in a recipe, with one such recipe and how many there are."""
    rows = await session.execute(text(DEPENDENT_AGENTS), {
        "workspace": workspace_id, "agent": agent_id, "has_step": _has_step(agent_id)})
    return [dict(row) for row in rows.mappings()]


async def steps_of_agent(
    session: AsyncSession, workspace_id: UUID, agent_id: int, *, status: str | None, skip: int, limit: int
) -> tuple[list[Mapping[str, Any]], Total]:
    """Return what an agent has worked on, newest first, and how much there is."""
    asked = {"workspace": workspace_id, "agent": agent_id, "statuses": [status] if status else list(StepStatus),
             "last_id": LAST_ID}
    rows = await session.execute(
        text(STEPS_OF_AGENT), asked | {"skip": skip, "limit": limit, "reach": skip + limit})
    count = await session.scalar(text(COUNT_OF_AGENT), asked | {"most": skip + MOST_COUNTED + 1})
    return [dict(row) for row in rows.mappings()], Total.of(count or 0, skip)
