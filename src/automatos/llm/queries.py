"""SQL of the model catalogue and the usage ledger."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import and_, func, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.kernel.db import dump_json, in_reach
from automatos.llm.models import LlmModel, LlmUsage, LlmUsageDay

SUMMED = ("requests", "failed_requests", "estimated_requests", "input_tokens", "output_tokens", "total_tokens",
          "cache_read_tokens", "cache_write_tokens", "known_micro_usd", "unpriced_calls")
_INSERT_USAGE = """
WITH incoming AS (
    SELECT * FROM jsonb_to_recordset($1::jsonb) AS r(
        agent_id int, execution_id uuid, run_id uuid, turn int, attempt int, credential_id uuid, request_type text,
        provider text,
        model_id text, input_tokens int, output_tokens int, cache_read_tokens int, cache_write_tokens int,
        is_estimated boolean,
        input_cost_micro_usd bigint, output_cost_micro_usd bigint, latency_ms int, status text, error_message text,
        created_at timestamptz)
), written AS (
    INSERT INTO llm_usage (workspace_id, agent_id, execution_id, run_id, turn, attempt, credential_id, request_type,
        provider, model_id, input_tokens, output_tokens, total_tokens, cache_read_tokens, cache_write_tokens,
        is_estimated,
        input_cost_micro_usd, output_cost_micro_usd, cost_micro_usd, latency_ms, status, error_message, created_at)
    SELECT $2, a.id, i.execution_id, i.run_id, i.turn, i.attempt, i.credential_id, i.request_type, i.provider,
        i.model_id, i.input_tokens, i.output_tokens, i.input_tokens + i.output_tokens, i.cache_read_tokens,
        i.cache_write_tokens, coalesce(i.is_estimated, false), i.input_cost_micro_usd, i.output_cost_micro_usd,
        i.input_cost_micro_usd + i.output_cost_micro_usd,
        i.latency_ms, i.status, i.error_message, i.created_at
    FROM incoming i LEFT JOIN agents a ON a.id = i.agent_id AND a.workspace_id = $2
    ON CONFLICT (run_id, turn, attempt) DO NOTHING
    RETURNING agent_id, total_tokens, cost_micro_usd, status, created_at
), used AS (
    SELECT agent_id, sum(total_tokens) AS tokens, coalesce(sum(cost_micro_usd), 0) AS micro_usd, count(*) AS requests,
        count(*) FILTER (WHERE status NOT IN ('success', 'fallback')) AS failed,
        count(*) FILTER (WHERE cost_micro_usd IS NULL) AS unpriced, max(created_at) AS last_at
    FROM written WHERE agent_id IS NOT NULL GROUP BY agent_id
), held AS (
    SELECT id, coalesce((model_usage_stats ->> 'total_tokens')::bigint, 0) AS tokens,
        coalesce(model_usage_stats ->> 'known_cost', model_usage_stats ->> 'total_cost', '0')::numeric AS cost,
        coalesce((model_usage_stats ->> 'total_requests')::bigint, 0) AS requests,
        coalesce((model_usage_stats ->> 'failed_requests')::bigint, 0) AS failed,
        coalesce((model_usage_stats ->> 'unpriced_requests')::bigint, 0) AS unpriced
    FROM agents WHERE workspace_id = $2 AND id IN (SELECT agent_id FROM used) ORDER BY id FOR UPDATE
)
UPDATE agents SET model_usage_stats = jsonb_build_object(
    'total_tokens', held.tokens + used.tokens,
    'total_cost', CASE WHEN held.unpriced + used.unpriced = 0
                  THEN round(held.cost + used.micro_usd / 1000000.0, 6)::text END,
    'known_cost', round(held.cost + used.micro_usd / 1000000.0, 6)::text,
    'unpriced_requests', held.unpriced + used.unpriced,
    'total_requests', held.requests + used.requests, 'failed_requests', held.failed + used.failed,
    'avg_tokens_per_request', (held.tokens + used.tokens) / (held.requests + used.requests),
    'last_used_at', to_char(used.last_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
FROM held JOIN used ON used.agent_id = held.id WHERE agents.id = held.id AND agents.workspace_id = $2
"""


async def insert_usage(connection: asyncpg.Connection, workspace_id: UUID, rows: Sequence[dict[str, Any]]) -> None:
    """Write calls to the ledger and add them to their agents' statistics, in one statement.

    A call that is already there counts once; an agent that no longer exists becomes null. Failed and cancelled calls
    count too. A cost that is unknown is counted as such and never added as nothing.
    """
    await connection.execute(_INSERT_USAGE, dump_json(rows), workspace_id)


async def forget_calls(connection: asyncpg.Connection, workspace_id: UUID, run_ids: Sequence[UUID]) -> None:
    """Delete the calls of runs from the ledger; what they came to stays in the sums by agent and day."""
    await connection.execute(
        "DELETE FROM llm_usage WHERE run_id = ANY($2) AND workspace_id = $1", workspace_id, list(run_ids))


async def forget_agent(session: AsyncSession, workspace_id: UUID, agent_id: int) -> None:
    """Keep the calls of an agent that is deleted as calls of no agent; the sums of its days stay under its number."""
    await session.execute(
        update(LlmUsage).where(LlmUsage.workspace_id == workspace_id, LlmUsage.agent_id == agent_id)
        .values(agent_id=None))


async def read_catalogue(connection: asyncpg.Connection) -> list[asyncpg.Record]:
    """Return of every model what asking it and pricing its answers needs."""
    return await connection.fetch(
        "SELECT provider, model_id, input_cost_per_1k_tokens AS input_rate, output_cost_per_1k_tokens AS output_rate, "
        "cached_input_cost_per_1k_tokens AS cached_rate, wire, reasoning_efforts, takes_sampling, max_output_tokens, "
        "context_window FROM llm_models")


async def list_models(session: AsyncSession, provider: str | None, status: str | None, *,
                      capability: str | None = None, search: str | None = None) -> Sequence[LlmModel]:
    """Return the models of the catalogue that fit what is given, by provider and name.

    A capability is a key of an entry's own, or `functions`, `vision`, `streaming`; `search` looks at the names.
    """
    query = select(LlmModel).order_by(LlmModel.provider, LlmModel.display_name, LlmModel.id)
    if provider is not None:
        query = query.where(LlmModel.provider == provider)
    if status is not None:
        query = query.where(LlmModel.status == status)
    if capability is not None:
        switch = {"functions": LlmModel.supports_functions, "vision": LlmModel.supports_vision,
                  "streaming": LlmModel.supports_streaming}.get(capability)
        query = query.where(LlmModel.capabilities.has_key(capability) if switch is None else switch)
    if search:
        query = query.where(or_(*(column.icontains(search, autoescape=True) for column in (
            LlmModel.model_id, LlmModel.display_name, LlmModel.model_family, LlmModel.provider))))
    return (await session.scalars(query)).all()


async def find_model(session: AsyncSession, entry_id: int) -> LlmModel | None:
    """Return one model of the catalogue, or None."""
    return await session.get(LlmModel, entry_id)


async def lock_model(session: AsyncSession, entry_id: int) -> LlmModel | None:
    """Return one model of the catalogue, locked until the transaction ends, or None."""
    return await session.get(LlmModel, entry_id, with_for_update=True)


async def find_model_named(session: AsyncSession, provider: str, model_id: str) -> LlmModel | None:
    """Return a provider's model of the catalogue, or None."""
    return await session.scalar(
        select(LlmModel).where(LlmModel.provider == provider, LlmModel.model_id == model_id))


async def providers_of_model(session: AsyncSession, model_id: str) -> Sequence[str]:
    """Return the providers from which the catalogue has a model, by name."""
    found = await session.scalars(
        select(LlmModel.provider).where(LlmModel.model_id == model_id).order_by(LlmModel.provider))
    return found.all()


async def add_models(session: AsyncSession, rows: Sequence[dict[str, Any]], refreshed: Sequence[str]) -> None:
    """Add models that the catalogue does not have yet, and bring the columns named up to date in those nobody changed.

    What people changed stays as it is; rows that are as they should be are not touched.
    """
    statement = insert(LlmModel).values(rows)
    fresh = {name: statement.excluded[name] for name in refreshed}
    differs = or_(*(getattr(LlmModel, name).is_distinct_from(value) for name, value in fresh.items()))
    await session.execute(statement.on_conflict_do_update(
        index_elements=["provider", "model_id"], set_=fresh, where=and_(LlmModel.updated_by == "", differs)))


async def list_uses(session: AsyncSession, workspace_id: UUID, credential_id: UUID, *,
                    before: tuple[datetime, int] | None, limit: int) -> Sequence[LlmUsage]:
    """Return the calls that used a credential, the newest first, those before a time and id where one is given."""
    query = (select(LlmUsage)
             .where(LlmUsage.workspace_id == workspace_id, LlmUsage.credential_id == credential_id)
             .order_by(LlmUsage.created_at.desc(), LlmUsage.id.desc()).limit(limit))
    if before is not None:
        query = query.where(tuple_(LlmUsage.created_at, LlmUsage.id) < tuple_(*before))
    return (await session.scalars(query)).all()


async def summarise_usage(session: AsyncSession, workspace_id: UUID | None) -> dict[str, int]:
    """Return the workspace's totals: requests, failures, tokens, known micro-dollars, calls of unknown price.

    Without a workspace they are those of every workspace that the session may see.
    """
    sums = (func.coalesce(func.sum(getattr(LlmUsageDay, name)), 0).label(name) for name in SUMMED)
    found = await session.execute(select(*sums).where(in_reach(LlmUsageDay.workspace_id, workspace_id)))
    row = found.mappings().one()
    return {str(name): int(value) for name, value in row.items()}
