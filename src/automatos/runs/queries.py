"""SQL of runs that are graphs: the run's row is locked first, then its steps are read and written."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from automatos.durable.types import Job, NewEvent
from automatos.kernel.db import dump_json
from automatos.runs.types import JsonObject, RunInput, RunRow, StepPath, TakenStep, Written

_RUN = ("id", "workspace_id", "kind", "recipe_id", "recipe_version", "definition", "status", "last_seq", "input_data",
        "error", "cancel_requested_by", "paused_by", "created_at", "started_at", "deadline_at", "finished_at", "parent")
_SUMS = ("current_step", "input_tokens", "output_tokens", "cost_micro_usd", "unpriced_calls", "is_estimated",
         "is_cut_off")
_TAKEN = (*_RUN, "at", "waited")
_STORED = (*_TAKEN, *_SUMS)
# What was recorded last of a run that waits is that it began to.
_NOW = """clock_timestamp() AS at, CASE WHEN status IN ('waiting', 'paused') THEN clock_timestamp() - (
           SELECT (v.events->-1->>1)::timestamptz FROM event_records v
           WHERE v.workspace_id = e.workspace_id AND v.stream = 'run:' || e.id AND v.seq <= e.last_seq
           ORDER BY v.seq DESC LIMIT 1) END AS waited"""
LOCK = f"""
SELECT {', '.join(_RUN)}, {_NOW} FROM recipe_executions e WHERE id = $1 AND workspace_id = $2 FOR UPDATE
"""  # noqa: S608 - no input

# The writer is known to the step's row alone and need not reach the disk by itself: if the database forgets it in a
# crash, it has forgotten everything written by it too. `coalesce` keeps every index but the primary key out.
TAKE = f"""
WITH r AS (
    SELECT {', '.join(_RUN + _SUMS)}, {_NOW} FROM recipe_executions e
    WHERE id = $1 AND workspace_id = $2 AND coalesce(finished_at, 'infinity') = 'infinity' FOR UPDATE
), t AS (
    UPDATE recipe_execution_steps s SET epoch = epoch + 1 FROM r
    WHERE s.execution_id = r.id AND s.path = $3 AND s.kind = 'agent' AND s.status IN ('pending', 'running')
          AND r.paused_by IS NULL
    RETURNING s.*
)
SELECT t.*, {', '.join(f'r.{name} AS r_{name}' for name in _STORED)},
       set_config('synchronous_commit', 'off', true)
FROM r LEFT JOIN t ON true
"""  # noqa: S608 - no input

# How many items there are is in the window, so that the items are not read for it. `coalesce` keeps the index of paths
# out, by which all steps of the run would be read.
_STEP = """
SELECT path, step_order, step_id, kind, status, error, detail, started_at,
       coalesce((detail->'window'->>'count')::int, jsonb_array_length(items)) AS items,
       CASE WHEN step_id = ANY($2) THEN output END AS output
FROM recipe_execution_steps WHERE execution_id = $1 AND coalesce(path, '') <> '' AND step_order"""
OWN_STEPS = f"{_STEP} <= $3"
STEPS_NUMBERED = f"{_STEP} = ANY($3::int[]) UNION ALL {_STEP} > $4"

PUT = """
INSERT INTO recipe_execution_steps AS s
    (execution_id, workspace_id, step_order, path, kind, step_id, agent_id, agent_name, status, prompt, output_key,
     output, error, items, detail, started_at, finished_at)
SELECT $1, $2, r.step_order, r.path, r.kind, r.step_id, r.agent_id, r.agent_name, r.status, coalesce(r.prompt, ''),
       r.output_key, r.output, r.error, r.items, r.detail, r.started_at, r.finished_at
FROM jsonb_to_recordset($3) AS r (
    step_order int, path text, kind text, step_id text, agent_id int, agent_name text, status text, prompt text,
    output_key text, output text, error jsonb, items jsonb, detail jsonb, started_at timestamptz,
    finished_at timestamptz)
ON CONFLICT (execution_id, step_order) DO UPDATE SET
    status = excluded.status, output = excluded.output, error = excluded.error, finished_at = excluded.finished_at,
    detail = coalesce(s.detail, '{}') || coalesce(excluded.detail, '{}')
"""

SAVE = """
WITH e AS (
    UPDATE recipe_executions
    SET last_seq = last_seq + cardinality($3::text[]), status = $6, started_at = $7, deadline_at = $8,
        finished_at = $9, output_data = coalesce($10, output_data), error = coalesce($11, error)
    WHERE id = $1 AND workspace_id = $2 RETURNING id, workspace_id, last_seq
)
SELECT durable.append_events(workspace_id, 'run:' || id, last_seq - cardinality($3::text[]), $3::text[], $4::jsonb[],
                             $5) FROM e
"""


async def lock(connection: asyncpg.Connection, workspace_id: UUID, run_id: UUID) -> RunRow | None:
    """Lock a run until the transaction ends."""
    row = await connection.fetchrow(LOCK, run_id, workspace_id)
    return RunRow(**row) if row else None


async def own_steps(
    connection: asyncpg.Connection, run_id: UUID, with_output: Sequence[str], up_to: int
) -> list[asyncpg.Record]:
    """Return the steps of a run that have begun, those of items left out; outputs only of those whose keys are named.
    """
    return await connection.fetch(OWN_STEPS, run_id, list(with_output), up_to)


async def steps_numbered(
    connection: asyncpg.Connection, run_id: UUID, with_output: Sequence[str], orders: Sequence[int], above: int
) -> list[asyncpg.Record]:
    """Return steps of items by their numbers, and all with higher ones than a number."""
    return await connection.fetch(STEPS_NUMBERED, run_id, list(with_output), list(orders), above)


async def last_order(connection: asyncpg.Connection, run_id: UUID) -> int:
    """Return the highest number that a step of a run has."""
    return await connection.fetchval(
        "SELECT max(step_order) FROM recipe_execution_steps WHERE execution_id = $1", run_id) or 0


async def put_steps(connection: asyncpg.Connection, run: RunRow, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write steps that begin or end; of those that are there already only the state changes."""
    await connection.execute(PUT, run.id, run.workspace_id, dump_json(list(rows)))


async def save(
    connection: asyncpg.Connection, run: RunRow, events: Sequence[NewEvent], *, status: str,
    started_at: datetime | None, deadline_at: datetime | None, finished_at: datetime | None = None,
    output_data: JsonObject | None = None, error: JsonObject | None = None,
) -> None:
    """Write what has become of a run, with its events."""
    await connection.execute(
        SAVE, run.id, run.workspace_id, [event.type for event in events], [event.data for event in events], run.at,
        status, started_at, deadline_at, finished_at, output_data, error)


async def outputs_of_items(
    connection: asyncpg.Connection, run_id: UUID, path: StepPath, last_key: str
) -> dict[str, str | None]:
    """Return what the last step of each item gave, by path."""
    rows = await connection.fetch(
        "SELECT path, output FROM recipe_execution_steps WHERE execution_id = $1 AND step_id = $2 "
        "AND starts_with(path, $3) AND status = 'completed'", run_id, last_key, f"{path}[")
    return {row["path"]: row["output"] for row in rows}


async def item_of(connection: asyncpg.Connection, run_id: UUID, path: str, index: int) -> Any:
    """Return one item of a for-each."""
    return await connection.fetchval(
        "SELECT items -> $3::int FROM recipe_execution_steps WHERE execution_id = $1 AND path = $2",
        run_id, path, index)


async def items_at(
    connection: asyncpg.Connection, run_id: UUID, path: str, indexes: Sequence[int]
) -> dict[int, Any]:
    """Return items of a for-each by their places."""
    rows = await connection.fetch(
        "SELECT i.index, s.items -> i.index AS item FROM unnest($3::int[]) AS i (index) CROSS JOIN ("
        "SELECT items FROM recipe_execution_steps WHERE execution_id = $1 AND path = $2 OFFSET 0) s",
        run_id, path, list(indexes))
    return {row["index"]: row["item"] for row in rows}


async def enqueue_later(connection: asyncpg.Connection, run: RunRow, key: str, seconds: float) -> None:
    """Queue the job of a step that waits for a time."""
    await connection.execute(
        "SELECT durable.enqueue($1, $2, $3, 1, clock_timestamp() + make_interval(secs => $4), '')",
        run.job.name, key, run.workspace_id, seconds)


async def finish_jobs(connection: asyncpg.Connection, job: Job, keys: Sequence[str]) -> None:
    """Delete jobs of steps."""
    await connection.execute("SELECT durable.finish($1, key) FROM unnest($2::text[]) AS k (key)", job.name, list(keys))


async def take_step(connection: asyncpg.Connection, workspace_id: UUID, key: str) -> TakenStep | None:
    """Become the one writer of a step that an agent does and that is not over, of no paused run; older writers fail.

    `key` is that of the step's job. The step's row has no `path` where there is no such step (`follow_untaken` says
    what then). None when the run is over or gone.
    """
    run_id, _, path = key.partition("/")
    row = await connection.fetchrow(TAKE, UUID(run_id), workspace_id, path)
    if row is None:
        return None
    stored = {name: row[f"r_{name}"] for name in _STORED}
    run = RunRow(**{name: stored[name] for name in _TAKEN})
    return TakenStep(run, StepPath(path), row, stored, is_stopping=bool(run.cancel_requested_by or run.error))


async def find_waiting(connection: asyncpg.Connection, run_id: UUID, path: StepPath) -> asyncpg.Record | None:
    """Return a step that waits for a person or a time."""
    return await connection.fetchrow(
        "SELECT * FROM recipe_execution_steps WHERE execution_id = $1 AND path = $2 AND status = 'waiting'",
        run_id, path)


async def find_step(connection: asyncpg.Connection, run_id: UUID, order: int) -> asyncpg.Record | None:
    """Return a step by its number."""
    return await connection.fetchrow(
        "SELECT * FROM recipe_execution_steps WHERE execution_id = $1 AND step_order = $2", run_id, order)


async def place_of(
    connection: asyncpg.Connection, workspace_id: UUID, run_id: UUID, order: int
) -> tuple[int, int] | None:
    """Return a step's epoch and the number of the last event that its writer wrote."""
    row = await connection.fetchrow(
        "SELECT epoch, last_seq FROM recipe_execution_steps WHERE execution_id = $1 AND step_order = $2 "
        "AND workspace_id = $3", run_id, order, workspace_id)
    return (row["epoch"], row["last_seq"]) if row else None


async def record_step(
    connection: asyncpg.Connection, run_id: UUID, workspace_id: UUID, order: int, epoch: int, seen: int,
    types: Sequence[str], bodies: Sequence[str], at: datetime, *, step: str | None, agent_runs: str | None,
    turns: str | None, used: JsonObject, run_input: RunInput | None = None, known: int | None = None,
    ending: JsonObject | None = None, output: JsonObject | None = None, following: JsonObject | None = None,
) -> Written | None:
    """Write one record of a step, and what follows from it; None when somebody else writes the step by now.

    With `known`, the number of the run's last event, nothing is written where something else has happened since.
    """
    row = await connection.fetchrow(
        "SELECT * FROM record_step_v2($1, $2, $3, $4, $5, $6::text[], $7::jsonb[], $8, $9, $10, $11, $12, $13, $14, "
        "$15, $16, $17)", run_id, workspace_id, order, epoch, seen, list(types), list(bodies), at, step, agent_runs,
        turns, used, {"from": run_input.before, "started_at": run_input.started_at,
                      "deadline_at": run_input.deadline_at}
        if run_input else None, known, ending, output, following)
    return Written(**row) if row else None


async def reserve_tokens(
    connection: asyncpg.Connection, workspace_id: UUID, run_id: UUID, order: int, epoch: int, wanted: int, needed: int,
    limit: int | None, seconds: float,
) -> asyncpg.Record:
    """Reserve tokens of a run, and of those above it, for a step: `answer` is open, held, exceeded or lost.

    With `granted`, and `used` and `allowed` of the run whose limit was looked at last.
    """
    rows = await connection.fetch(
        "SELECT * FROM reserve_tokens_v2($1, $2, $3, $4, $5, $6, $7, $8)", run_id, workspace_id, order, epoch,
        wanted, needed, limit, seconds)
    return rows[0]


async def fail_run(connection: asyncpg.Connection, run: RunRow, error: JsonObject) -> None:
    """Say that a run is to end as failed, and why."""
    await connection.execute(
        "UPDATE recipe_executions SET error = $3 WHERE id = $1 AND workspace_id = $2 AND finished_at IS NULL "
        "AND error IS NULL", run.id, run.workspace_id, error)


async def set_paused(connection: asyncpg.Connection, run: RunRow, by: str | None) -> None:
    """Say who paused a run, or that it goes on."""
    await connection.execute(
        "UPDATE recipe_executions SET paused_by = $3 WHERE id = $1 AND workspace_id = $2", run.id, run.workspace_id, by)


async def keep_signal(connection: asyncpg.Connection, run: RunRow, name: str, text: str) -> bool:
    """Keep a signal of a run, as JSON text; False when it has one of that name."""
    return await connection.fetchval(
        "UPDATE recipe_executions SET signals = coalesce(signals, '{}') || jsonb_build_object($3::text, $4::text) "
        "WHERE id = $1 AND workspace_id = $2 AND NOT coalesce(signals, '{}') ? $3 RETURNING true",
        run.id, run.workspace_id, name, text) or False


async def signals_of(connection: asyncpg.Connection, run: RunRow) -> dict[str, str]:
    """Return the signals that a run was sent, by name, as JSON text."""
    return await connection.fetchval(
        "SELECT signals FROM recipe_executions WHERE id = $1 AND workspace_id = $2", run.id, run.workspace_id) or {}


async def request_cancel(connection: asyncpg.Connection, run: RunRow, by: str) -> None:
    """Say who asked to cancel a run that is not over."""
    await connection.execute(
        "UPDATE recipe_executions SET cancel_requested_by = coalesce(cancel_requested_by, $3) "
        "WHERE id = $1 AND workspace_id = $2 AND finished_at IS NULL", run.id, run.workspace_id, by)


async def find_child(connection: asyncpg.Connection, workspace_id: UUID, run_id: UUID) -> asyncpg.Record | None:
    """Return what the step that started a run needs to know of it."""
    return await connection.fetchrow(
        "SELECT id, status, finished_at, output_data, error, input_tokens, output_tokens, cost_micro_usd, "
        "unpriced_calls, is_estimated FROM recipe_executions WHERE id = $1 AND workspace_id = $2", run_id, workspace_id)


async def count_child(connection: asyncpg.Connection, run: RunRow, order: int, child_id: UUID) -> None:
    """Add what a run has used to the step that started it, and to the step's run."""
    await connection.execute(
        "WITH c AS (SELECT * FROM recipe_executions WHERE id = $4 AND workspace_id = $2), s AS ("
        "UPDATE recipe_execution_steps s SET input_tokens = c.input_tokens, output_tokens = c.output_tokens, "
        "cost_micro_usd = c.cost_micro_usd, unpriced_calls = c.unpriced_calls, is_estimated = c.is_estimated, "
        "is_cut_off = c.is_cut_off FROM c WHERE s.execution_id = $1 AND s.step_order = $3) "
        "UPDATE recipe_executions e SET input_tokens = e.input_tokens + c.input_tokens, "
        "output_tokens = e.output_tokens + c.output_tokens, cost_micro_usd = e.cost_micro_usd + c.cost_micro_usd, "
        "unpriced_calls = e.unpriced_calls + c.unpriced_calls, is_estimated = e.is_estimated OR c.is_estimated, "
        "is_cut_off = e.is_cut_off OR c.is_cut_off FROM c WHERE e.id = $1 AND e.workspace_id = $2",
        run.id, run.workspace_id, order, child_id)
