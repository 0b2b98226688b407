"""Signals: what somebody outside tells a run by a name, once; steps that wait for it end with what was told."""

from typing import Any

import asyncpg
import orjson

from automatos.events.types import ExecutionSignalled
from automatos.runs import queries
from automatos.runs.driver import change_of
from automatos.runs.errors import SignalAlreadySent, SignalUnknown
from automatos.runs.graph import Planner
from automatos.runs.types import Followed, RunRow


async def signal_run(
    connection: asyncpg.Connection, planner: Planner, run: RunRow, name: str, data: Any, by: str
) -> Followed:
    """Tell a locked run something, in this transaction; a step that does not wait for it yet will find it.

    Raises:
        SignalUnknown: no step of the run waits for such a signal, ever.
        SignalAlreadySent: it was sent before.
    """
    change = await change_of(connection, planner, run)
    if name not in change.signal_names:
        raise SignalUnknown(name, change.signal_names)
    text = orjson.dumps(data).decode()
    if not await queries.keep_signal(connection, run, name, text):
        raise SignalAlreadySent(name)
    change.note(ExecutionSignalled(name=name, by=by))
    change.end_signalled(name, text)
    return await change.follow()
