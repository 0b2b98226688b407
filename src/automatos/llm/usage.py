"""The usage ledger's writer: takes a row from every call, writes them in batches, never in a call's way."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from automatos.kernel.batches import BatchWriter
from automatos.kernel.db import Database
from automatos.llm import queries
from automatos.llm.types import UsageRow

EVERY_S = 0.5
UNRECORDED_S = 0.04


class UsageRecorder:
    """Writes usage rows in transactions of its own, within half a second when the database answers; see `BatchWriter`.

    A call of which nothing else tells, because it gave no answer or was made outside of a run, is written within 50 ms:
    an answer within a run is in the run's journal, from which a crash's missing rows are made (`runtime.ledger`).
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows: BatchWriter[UsageRow] = BatchWriter("usage rows", self._write, every_s=EVERY_S)
        self.flush = self._rows.flush
        self.close = self._rows.close

    def record(self, row: UsageRow) -> None:
        """Take one row; returns at once and never raises."""
        is_recorded = row.context.run_id is not None and row.status in {"success", "fallback"}
        self._rows.add(row.context.workspace_id, row, within_s=None if is_recorded else UNRECORDED_S)

    async def _write(self, workspace_id: UUID, rows: Sequence[UsageRow]) -> None:
        async with self._database.recording(workspace_id) as connection:
            await queries.insert_usage(connection, workspace_id, [_as_columns(row) for row in rows])


def _as_columns(row: UsageRow) -> dict[str, Any]:
    context, usage, cost = row.context, row.usage, row.cost
    return {
        "agent_id": context.agent_id, "execution_id": context.execution_id, "run_id": context.run_id,
        "turn": context.turn, "attempt": row.attempt, "request_type": context.request_type, "provider": row.provider,
        "model_id": row.model_id, "input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens,
        "cache_read_tokens": usage.cache_read_tokens, "cache_write_tokens": usage.cache_write_tokens,
        "is_estimated": usage.is_estimated,
        "input_cost_micro_usd": cost.input_micro_usd if cost else None,
        "output_cost_micro_usd": cost.output_micro_usd if cost else None, "latency_ms": row.latency_ms,
        "credential_id": row.credential_id, "status": row.status, "error_message": row.error_message,
        "created_at": row.created_at.isoformat(),
    }
