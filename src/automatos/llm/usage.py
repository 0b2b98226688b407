"""The usage ledger's writer: takes a row from every call, writes them in batches, never in a call's way."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog

from automatos.kernel.db import Database
from automatos.llm import queries
from automatos.llm.types import UsageRow

BATCH_S = 0.04
MAX_BATCH = 500
MAX_WAITING = 50_000
MAX_TRIES = 8
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 10.0
CLOSE_S = 10.0

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Batch:
    workspace_id: UUID
    rows: list[dict[str, Any]]
    tries: int = 0
    due_at: float = 0.0


class UsageRecorder:
    """Writes usage rows in transactions of its own, within 50 ms when the database answers.

    A failed write is logged and tried again for about half a minute, then given up and logged as lost: a run never
    waits for it or fails with it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows: list[UsageRow] = []
        self._late: list[_Batch] = []
        self._task: asyncio.Task[None] | None = None

    def record(self, row: UsageRow) -> None:
        """Take one row; returns at once and never raises."""
        if len(self._rows) >= MAX_WAITING:
            log.error("usage_row_lost", reason="too many rows wait for the database", provider=row.provider)
            return
        self._rows.append(row)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write_all())

    async def flush(self) -> None:
        """Wait until every row taken so far is written or given up."""
        if self._task:
            await asyncio.shield(self._task)

    async def close(self) -> None:
        """Write what is left, for at most ten seconds."""
        if self._task is None:
            return
        try:
            await asyncio.wait_for(self._task, CLOSE_S)
        except TimeoutError:
            lost = len(self._rows) + sum(len(batch.rows) for batch in self._late)
            log.error("usage_rows_lost", reason="the server stopped before the database answered", rows=lost)

    async def _write_all(self) -> None:
        await asyncio.sleep(BATCH_S)
        while self._rows or self._late:
            for batch in self._due_batches():
                await self._write(batch)
            if not self._rows and self._late:
                await asyncio.sleep(max(0.0, min(b.due_at for b in self._late) - asyncio.get_running_loop().time()))

    def _due_batches(self) -> list[_Batch]:
        now_s = asyncio.get_running_loop().time()
        due = [batch for batch in self._late if batch.due_at <= now_s]
        self._late = [batch for batch in self._late if batch.due_at > now_s]
        rows, self._rows = self._rows, []
        grouped: defaultdict[UUID, list[dict[str, Any]]] = defaultdict(list)
        for row in rows:
            grouped[row.context.workspace_id].append(_as_columns(row))
        fresh = [_Batch(workspace_id, found[at: at + MAX_BATCH]) for workspace_id, found in grouped.items()
                 for at in range(0, len(found), MAX_BATCH)]
        return due + fresh

    async def _write(self, batch: _Batch) -> None:
        try:
            async with self._database.recording(batch.workspace_id) as connection:
                await queries.insert_usage(connection, batch.workspace_id, batch.rows)
        except Exception as error:  # noqa: BLE001
            self._try_later(batch, error)

    def _try_later(self, batch: _Batch, error: Exception) -> None:
        batch.tries += 1
        details = {"workspace_id": str(batch.workspace_id), "rows": len(batch.rows), "tries": batch.tries,
                   "error": f"{type(error).__name__}: {error}"[:300]}
        if batch.tries >= MAX_TRIES:
            log.error("usage_rows_lost", **details)
            return
        log.warning("usage_rows_delayed", **details)
        pause_s = min(FIRST_PAUSE_S * 3 ** (batch.tries - 1), LONGEST_PAUSE_S)
        batch.due_at = asyncio.get_running_loop().time() + pause_s
        self._late.append(batch)


def _as_columns(row: UsageRow) -> dict[str, Any]:
    context, usage, cost = row.context, row.usage, row.cost
    return {
        "agent_id": context.agent_id, "execution_id": context.execution_id, "run_id": context.run_id,
        "turn": context.turn, "attempt": row.attempt, "request_type": context.request_type, "provider": row.provider,
        "model_id": row.model_id, "input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens,
        "cache_read_tokens": usage.cache_read_tokens, "cache_write_tokens": usage.cache_write_tokens,
        "input_cost_micro_usd": cost.input_micro_usd if cost else None,
        "output_cost_micro_usd": cost.output_micro_usd if cost else None, "latency_ms": row.latency_ms,
        "credential_id": row.credential_id, "status": row.status, "error_message": row.error_message,
        "created_at": row.created_at.isoformat(),
    }
