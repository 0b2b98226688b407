"""Runs and turns as they are stored, and back."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg

from automatos.kernel.db import Database
from automatos.llm.types import ModelChoice
from automatos.runtime import queries
from automatos.runtime.types import JsonObject, Limits, RunInput, Turn


def run_input_of(stored: Mapping[str, Any]) -> RunInput:
    """Read a run's beginning back."""
    return RunInput(stored["system_prompt"], stored["prompt"], ModelChoice(**stored["model"]), tuple(stored["tools"]),
                   Limits(**stored["limits"]))


def turns_to_json(turns: Sequence[Turn]) -> list[JsonObject]:
    """Return turns as the rows that `append_turns` takes."""
    return [
        {"run_id": turn.run_id, "seq": turn.seq, "kind": turn.kind, "body": turn.body,
         "input_tokens": turn.input_tokens, "output_tokens": turn.output_tokens, "cost_micro_usd": turn.cost_micro_usd,
         "duration_ms": turn.duration_ms, "error": turn.error}
        for turn in turns
    ]


def turn_from_row(row: asyncpg.Record) -> Turn:
    """Read one stored turn."""
    return Turn(row["run_id"], row["seq"], row["kind"], row["body"], row["input_tokens"], row["output_tokens"],
                row["cost_micro_usd"], row["duration_ms"], row["error"])


async def read_run(database: Database, workspace_id: UUID, run_id: UUID) -> tuple[int, RunInput, list[Turn]]:
    """Return a stored run: its agent, what it started from, its turns in order."""
    async with database.recording(workspace_id) as connection:
        row = await queries.run_input(connection, run_id)
        if row is None:
            raise LookupError(f"run {run_id} is not stored")
        turns = await queries.turns(connection, [run_id])
    return row["agent_id"], run_input_of(row["opening"]), [turn_from_row(turn) for turn in turns]


async def read_turns(database: Database, workspace_id: UUID, run_ids: Sequence[UUID]) -> dict[UUID, list[Turn]]:
    """Return the turns of several runs, by run."""
    async with database.recording(workspace_id) as connection:
        rows = await queries.turns(connection, run_ids)
    found: dict[UUID, list[Turn]] = {}
    for row in rows:
        found.setdefault(row["run_id"], []).append(turn_from_row(row))
    return found
