"""SQL of the numbers about agents: what their steps came to, and a workspace's agents in all; a statement each."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents.types import AgentStatus
from automatos.kernel.db import dump_json

# Groups are few, so they are added up here; the rows of ten thousand agents stay in the database.
GROUPED = f"""
SELECT status, agent_type, marketplace_category AS category, array_agg(id) AS ids,
       coalesce(sum((performance_metrics->>'total_tasks_executed')::bigint), 0) AS executed,
       coalesce(sum((performance_metrics->>'success_count')::bigint), 0) AS succeeded,
       coalesce(sum((performance_metrics->>'failure_count')::bigint), 0) AS failed,
       coalesce(sum((model_usage_stats->>'total_tokens')::bigint), 0) AS tokens,
       coalesce(sum(coalesce(model_usage_stats->>'known_cost',
                             model_usage_stats->>'total_cost')::numeric), 0) AS cost_usd,
       coalesce(sum((model_usage_stats->>'unpriced_requests')::bigint), 0) AS unpriced,
       coalesce(sum((performance_metrics->>'success_rate')::numeric), 0) AS rates,
       count((performance_metrics->>'success_rate')) AS rated
FROM agents WHERE {{where}} status <> '{AgentStatus.ARCHIVED}'
GROUP BY status, agent_type, marketplace_category
"""  # noqa: S608 - words of ours
OF_ONE, OF_ALL = text(GROUPED.format(where="workspace_id = :workspace AND")), text(GROUPED.format(where=""))


@dataclass(slots=True)
class Stats:
    """What the agents of a workspace come to; archived ones do not count."""

    ids: list[int] = field(default_factory=list[int])
    by_status: Counter[str] = field(default_factory=Counter[str])
    by_type: Counter[str] = field(default_factory=Counter[str])
    by_category: Counter[str] = field(default_factory=Counter[str])
    executed: int = 0
    succeeded: int = 0
    failed: int = 0
    tokens: int = 0
    cost_usd: Decimal = Decimal(0)
    unpriced: int = 0
    rates: Decimal = Decimal(0)
    rated: int = 0

    @property
    def average_success_rate(self) -> float | None:
        """The mean of the agents' own rates; None when nobody has finished anything."""
        return round(float(self.rates / self.rated), 4) if self.rated else None


async def read_stats(session: AsyncSession, workspace_id: UUID | None) -> Stats:
    """Return the numbers of a workspace's agents; of all workspaces' for None, which needs a session across them."""
    stats = Stats()
    rows = await (session.execute(OF_ALL) if workspace_id is None
                  else session.execute(OF_ONE, {"workspace": workspace_id}))
    for row in rows:
        stats.ids += row.ids
        stats.by_status[row.status] += len(row.ids)
        stats.by_type[row.agent_type] += len(row.ids)
        stats.by_category[row.category or "Custom"] += len(row.ids)
        for name in ("executed", "succeeded", "failed", "tokens", "cost_usd", "unpriced", "rates", "rated"):
            setattr(stats, name, getattr(stats, name) + getattr(row, name))
    return stats


async def add_outcomes(
    session: AsyncSession, workspace_id: UUID, outcomes: Sequence[Mapping[str, object]]
) -> list[tuple[int, int]]:
    """Add up how steps ended, one entry for each agent; return the ids of those agents and their failures in a row.

    Agents that are gone are left out. One that is not monitored only counts its failures in a row.
    """
    rows = await session.execute(text(ADD_OUTCOMES), {"workspace": workspace_id, "outcomes": dump_json(outcomes)})
    return [(row.id, row.in_a_row) for row in rows]


# The rows are locked first, in order: only then is what they hold the latest, also when another process adds to them.
ADD_OUTCOMES = """
WITH was AS (
    SELECT id, performance_metrics AS metrics FROM agents
    WHERE workspace_id = :workspace
          AND id IN (SELECT agent_id FROM jsonb_to_recordset(CAST(:outcomes AS jsonb)) AS x (agent_id int))
    ORDER BY id FOR UPDATE
), added AS (
    SELECT o.*, o.succeeded + coalesce((metrics->>'success_count')\\:\\:int, 0) AS all_succeeded,
           o.failed + coalesce((metrics->>'failure_count')\\:\\:int, 0) AS all_failed,
           o.succeeded + o.failed + coalesce((metrics->>'total_tasks_executed')\\:\\:int, 0) AS total,
           o.failed_last + CASE WHEN o.succeeded > 0 THEN 0
                             ELSE coalesce((metrics->>'consecutive_failures')\\:\\:int, 0) END AS in_a_row
    FROM was JOIN jsonb_to_recordset(CAST(:outcomes AS jsonb)) AS o (
        agent_id int, succeeded int, failed int, failed_last int, last_ok boolean, ended_at timestamptz)
        ON o.agent_id = was.id
)
UPDATE agents a SET
    last_active_at = greatest(coalesce(a.last_active_at, o.ended_at), o.ended_at),
    performance_metrics = a.performance_metrics || jsonb_build_object('consecutive_failures', o.in_a_row)
        || CASE WHEN coalesce((a.configuration->>'performance_monitoring')\\:\\:boolean, true) THEN jsonb_build_object(
            'total_tasks_executed', o.total, 'tasks_completed', o.total, 'success_count', o.all_succeeded,
            'failure_count', o.all_failed, 'success_rate', round(o.all_succeeded\\:\\:numeric / o.total, 4),
            'last_task_at', o.ended_at, 'last_task_success', o.last_ok) ELSE '{}' END
FROM added o WHERE a.id = o.agent_id AND a.workspace_id = :workspace
RETURNING a.id, o.in_a_row
"""
