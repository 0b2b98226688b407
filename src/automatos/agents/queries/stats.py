"""SQL of the numbers about a workspace's agents: one statement."""

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

# Groups are few, so they are added up here; the rows of ten thousand agents stay in the database.
GROUPED = """
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
FROM agents WHERE {where} status <> 'archived'
GROUP BY status, agent_type, marketplace_category
"""
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
