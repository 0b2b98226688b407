"""Keeping the usage ledger true when a process dies between recording a model's answer and accounting for it."""

from datetime import datetime, timedelta

import structlog

from automatos.kernel.db import Database, Scope
from automatos.llm.service import ModelClient
from automatos.llm.types import CallContext, RecordedCall, Usage
from automatos.runtime import queries

log = structlog.get_logger("automatos.runtime")
MARGIN = timedelta(seconds=60)


async def account_for(database: Database, client: ModelClient, alive_at: datetime) -> int:
    """Account for every model turn recorded since shortly before `alive_at`; returns how many were looked at.

    The ledger keeps one row a call, so what is there already is not counted twice.
    """
    async with database.recording(None, Scope.ENGINE) as connection:
        rows = await queries.model_turns_since(connection, alive_at - MARGIN)
    for row in rows:
        body = row["body"]
        usage = Usage(row["input_tokens"], row["output_tokens"], body["cache_read_tokens"], body["cache_write_tokens"],
                      bool(body.get("is_estimated")))
        context = CallContext(row["workspace_id"], row["agent_id"], row["execution_id"], row["run_id"], row["seq"])
        await client.account_again(context, RecordedCall(
            body["provider"], body["model"], body["attempt"], body["status"], usage, row["duration_ms"]))
    log.info("runs.calls_of_dead_process_accounted_for", turns=len(rows))
    return len(rows)
