"""The one line that a run leaves in the server's log: how it ended, how long it took, what it used."""

from uuid import UUID

import orjson
import structlog

from automatos.durable.types import NewEvent, StoredEvent
from automatos.events.types import FINAL_EVENTS

log = structlog.get_logger("automatos.runs")


def note_end(run_id: UUID, recipe_id: int | None, event: NewEvent | StoredEvent) -> None:
    """Write the line if the event, which is recorded by now, ends the run; nothing of what was said is in it."""
    if event.type not in FINAL_EVENTS:
        return
    told = orjson.loads(event.data)
    why = {"code": told["error"]["code"]} if told.get("error") else {}
    log.info("run.ended", run_id=str(run_id), recipe_id=recipe_id, status=event.type.removeprefix("execution."),
             duration_ms=told["duration_ms"], total_tokens=told["total_tokens"], cost_usd=told["cost_usd"], **why)
