"""Runs that ended longer ago than their workspace keeps them are forgotten, a few at a time."""

import asyncio
import shutil
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import structlog

from automatos.kernel.db import Database, Scope
from automatos.kernel.errors import DatabaseUnavailable
from automatos.llm.service import forget_calls
from automatos.recipes.queries import retention as queries
from automatos.runtime.service import forget_setups, runs_of_executions
from automatos.settings.service import find_values
from automatos.settings.types import JsonValue, SettingScope

log = structlog.get_logger("automatos.recipes")
CATEGORY, KEY = "runs", "kept_days"
AT_ONCE = 100
"""Runs in one transaction: few enough that nobody waits for it."""
BEFORE_ALL = UUID(int=0)


async def forget_old_runs(database: Database, folders: Path, most_days: int | None) -> int:
    """Forget what no workspace keeps any more; returns how many runs. `most_days` is the longest the server allows.

    What ends in the middle has forgotten whole runs, and the next time goes on with the others.
    """
    async with database.recording(None, Scope.ENGINE) as connection:
        workspaces = await queries.workspaces(connection)
    forgotten = 0
    for workspace_id in workspaces:
        try:
            days = await kept_days(database, workspace_id, most_days)
            if days is not None:
                forgotten += await _forget(database, folders, workspace_id, timedelta(days=days))
        except DatabaseUnavailable:
            raise
        except Exception:
            log.exception("recipes.runs_not_forgotten", workspace_id=str(workspace_id))
    return forgotten


async def kept_days(database: Database, workspace_id: UUID, most_days: int | None) -> int | None:
    """Return for how many days a workspace keeps runs that have ended; None is for ever."""
    values = await find_values(database, workspace_id, CATEGORY)
    wanted = _days(values[SettingScope.WORKSPACE].get(KEY)) or _days(values[SettingScope.SYSTEM].get(KEY))
    return min((days for days in (wanted, most_days) if days is not None), default=None)


def _days(value: JsonValue) -> int | None:
    """Read a stored number of days; what is none, such as a note of that name from before, deletes nothing."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return int(value) if is_number and value >= 1 else None


async def _forget(database: Database, folders: Path, workspace_id: UUID, kept: timedelta) -> int:
    forgotten, after = 0, BEFORE_ALL
    while gone := await _forget_some(database, workspace_id, kept, after):
        for run_id in gone:
            await asyncio.to_thread(shutil.rmtree, folders / str(workspace_id) / str(run_id), ignore_errors=True)
        forgotten, after = forgotten + len(gone), gone[-1]
    async with database.recording(workspace_id) as connection:
        await forget_setups(connection, workspace_id)
    if forgotten:
        log.info("recipes.runs_forgotten", workspace_id=str(workspace_id), runs=forgotten, kept_days=kept.days)
    return forgotten


async def _forget_some(database: Database, workspace_id: UUID, kept: timedelta, after: UUID) -> list[UUID]:
    async with database.recording(workspace_id) as connection, connection.transaction():
        ids = await queries.lock_old(connection, workspace_id, kept, after, AT_ONCE)
        if ids:
            await forget_calls(connection, workspace_id, await runs_of_executions(connection, workspace_id, ids))
            await queries.delete_runs(connection, workspace_id, ids)
        return ids
