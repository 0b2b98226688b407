"""Routes: runs of the workspace, their event streams, and one stream for a whole browser."""

import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Path, Query, status
from fastapi.responses import Response

from automatos.agents.deps import AgentReadiness
from automatos.durable.deps import BusDep
from automatos.durable.service import events_after, follow, follow_many, places_of
from automatos.durable.types import EventBus, StoredEvent
from automatos.events.types import FINAL_EVENTS
from automatos.kernel.db import Database
from automatos.kernel.event_stream import EventStream
from automatos.kernel.openapi import problems
from automatos.recipes import errors, fork, run_schemas, runs_view, schemas
from automatos.recipes.deps import IdempotencyKey
from automatos.recipes.queries import executions
from automatos.recipes.start import run_topic
from automatos.recipes.types import ExecutionKind, ExecutionStatus
from automatos.runs import errors as run_errors
from automatos.workspaces.deps import (
    AllWorkspacesReader,
    AppAuthenticator,
    AppDatabase,
    AppSettings,
    CurrentCaller,
    Editor,
    ReadingSession,
    Session,
)
from automatos.workspaces.types import Caller

router = APIRouter(tags=["runs"])
HINTS = ("runs", "recipes", "agents", "usage", "personas", "skills", "heartbeats", "credentials", "models")
AGENT_HINT = re.compile(r"agent:[1-9][0-9]{0,9}")
MAX_TOPICS = 50
SIGNAL = r"^[A-Za-z_][A-Za-z0-9_\-]{0,99}$"
NotThere = problems(errors.ExecutionNotFound)
UNDECIDED = problems(run_errors.StepNotFound, run_errors.StepNotWaiting, run_errors.StepAlreadyDecided,
                     run_errors.ApprovalNotAllowed)
StepOrder = Annotated[int, Path(ge=1, le=2**31 - 1, description="The step's number in the run.")]
SignalName = Annotated[str, Path(pattern=SIGNAL, description="The signal's name, as the recipe has it.")]
TopLevel = Annotated[bool, Query(description="Only runs that no step of another run has started. Without it those are "
                                 "listed, too, and name it as `parent`, whose tokens and costs hold theirs.")]
After = Annotated[int, Query(ge=0, le=2**31 - 1)]
LastEventId = Annotated[str | None, Header(alias="Last-Event-ID", max_length=20_000)]
STREAM: dict[int | str, dict[str, Any]] = {
    200: {"model": run_schemas.RunEvent,
          "description": "Server-sent events; each `data` is one event, and `event` repeats its type."},
}
TOPICS: dict[int | str, dict[str, Any]] = {
    200: {"model": run_schemas.TopicEvent,
          "description": "Server-sent events; each `data` is one event of a run, or under `changed` a list's name."},
}


@router.get("/api/runs")
async def list_runs(
    caller: AllWorkspacesReader, session: ReadingSession, status: Annotated[ExecutionStatus | None, Query()] = None,
    recipe: Annotated[str | None, Query(max_length=100)] = None,
    agent_id: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    kind: Annotated[ExecutionKind | None, Query()] = None, top_level: TopLevel = False, cursor: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> run_schemas.RunPage:
    """List what the workspace's recipes and agents have worked on, newest first; system admins may name `__all__`."""
    items, total = await runs_view.page(
        session, caller.reach, status=status, recipe=recipe, agent_id=agent_id, kind=kind, top_level=top_level,
        before=cursor, limit=limit + 1)
    more = str(items[limit - 1].id) if len(items) > limit else None
    return run_schemas.RunPage(
        items=items[:limit], total=total.count, is_total_exact=total.is_exact, next_cursor=more)


@router.get("/api/runs/{run_id}", responses=NotThere)
async def get_run(run_id: UUID, caller: CurrentCaller, session: Session, database: AppDatabase) -> run_schemas.RunOut:
    """Return one run with its steps, turns, tokens and cost."""
    return await runs_view.show(session, database, caller.workspace_id, run_id)


@router.post("/api/runs/{run_id}/cancel", status_code=status.HTTP_202_ACCEPTED,
             responses=problems(errors.ExecutionNotFound, errors.ExecutionOver))
async def cancel_run(run_id: UUID, caller: Editor, database: AppDatabase, bus: BusDep) -> run_schemas.Cancelling:
    """Cancel a run; whoever works on it stops within two seconds. A second call changes nothing."""
    await runs_view.cancel_execution(database, bus, caller, run_id)
    return run_schemas.Cancelling.of(run_id)


@router.post("/api/runs/{run_id}/pause", status_code=status.HTTP_202_ACCEPTED,
             responses=problems(errors.ExecutionNotFound, errors.ExecutionOver))
async def pause_run(run_id: UUID, caller: Editor, database: AppDatabase, bus: BusDep) -> run_schemas.Pausing:
    """Pause a run: what is at work is finished, nothing begins until it is resumed. A second call changes nothing."""
    await runs_view.pause_execution(database, bus, caller, run_id)
    return run_schemas.Pausing(id=run_id, message="The run is paused; what is at work is finished first.")


@router.post("/api/runs/{run_id}/resume", status_code=status.HTTP_202_ACCEPTED,
             responses=problems(errors.ExecutionNotFound, errors.ExecutionOver, run_errors.RunNotPaused))
async def resume_run(run_id: UUID, caller: Editor, database: AppDatabase, bus: BusDep) -> run_schemas.Pausing:
    """Let a run that somebody paused go on from where it stands."""
    await runs_view.resume_execution(database, bus, caller, run_id)
    return run_schemas.Pausing(id=run_id, message="The run goes on.")


@router.post("/api/runs/{run_id}/signals/{name}", status_code=status.HTTP_202_ACCEPTED, responses=problems(
    errors.ExecutionNotFound, errors.ExecutionOver, run_errors.SignalUnknown, run_errors.SignalAlreadySent))
async def send_signal(
    run_id: UUID, name: SignalName, body: run_schemas.SignalIn, caller: Editor, database: AppDatabase, bus: BusDep
) -> run_schemas.Signalled:
    """Send a run a signal, once: steps that wait for it end with its data, and those that come to it later find it."""
    await runs_view.signal_execution(database, bus, caller, run_id, name, body.data)
    return run_schemas.Signalled(id=run_id, name=name, message=f"The run has the signal {name}.")


@router.post("/api/runs/{run_id}/fork", status_code=status.HTTP_202_ACCEPTED, responses=problems(
    errors.ExecutionNotFound, run_errors.ForkNotPossible, errors.RecipeNotFound, errors.RecipeNotReady,
    errors.InputsInvalid, errors.IdempotencyKeyReused))
async def fork_run(
    run_id: UUID, body: schemas.ForkStart, caller: Editor, database: AppDatabase, bus: BusDep,
    readiness: AgentReadiness, settings: AppSettings, idempotency_key: IdempotencyKey = None,
) -> schemas.Started:
    """Queue a run of the same version that begins at a step, with what the steps before it gave in this run."""
    forking = fork.Forking(database, bus, readiness.models, settings.home / "executions")
    accepted = await fork.fork_run(
        forking, caller, fork.ForkOrder(run_id, body.from_step, body.input_data, idempotency_key))
    return schemas.Started.of(accepted, accepted.definition.template_id or "", caller.workspace_id)


@router.post("/api/runs/{run_id}/steps/{order}/approve", responses=UNDECIDED)
async def approve_step(
    run_id: UUID, order: StepOrder, body: run_schemas.Decision, caller: Editor, database: AppDatabase, bus: BusDep
) -> run_schemas.Decided:
    """Approve what a step waits for; the run goes on."""
    await runs_view.decide(database, bus, caller, run_id, order, body.comment, is_approved=True)
    return run_schemas.Decided(id=run_id, order=order, is_approved=True, message="Approved; the run goes on.")


@router.post("/api/runs/{run_id}/steps/{order}/reject", responses=UNDECIDED)
async def reject_step(
    run_id: UUID, order: StepOrder, body: run_schemas.Decision, caller: Editor, database: AppDatabase, bus: BusDep
) -> run_schemas.Decided:
    """Reject what a step waits for; the step fails, and with it the run unless the step may be skipped."""
    await runs_view.decide(database, bus, caller, run_id, order, body.comment, is_approved=False)
    return run_schemas.Decided(id=run_id, order=order, is_approved=False, message="Rejected; the step has failed.")


@router.get("/api/runs/{run_id}/events.json", response_model=run_schemas.EventPage, responses=NotThere)
async def list_run_events(
    run_id: UUID, caller: CurrentCaller, database: AppDatabase, after: After = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 500,
) -> Response:
    """Return a part of a run's stored event log.

    Events are given as they were recorded, those of earlier versions too.
    """
    total, _ = await _followed(database, caller, run_id)
    events = await events_after(database, caller.workspace_id, run_topic(run_id), after, limit)
    more = events[-1].seq if len(events) == limit else "null"
    items = ",".join(event.envelope() for event in events)
    return Response(f'{{"items":[{items}],"total":{total},"next_after":{more}}}', media_type="application/json")


@router.get("/api/runs/{run_id}/events", response_class=EventStream, responses=NotThere | STREAM)
async def follow_run(
    run_id: UUID, caller: CurrentCaller, database: AppDatabase, bus: BusDep, gate: AppAuthenticator, after: After = 0,
    last_event_id: LastEventId = None,
) -> EventStream:
    """Follow a run: what has happened after `Last-Event-ID` (or `after`), then live, until it is over."""
    seen = int(last_event_id) if last_event_id and last_event_id.isdecimal() and len(last_event_id) < 10 else after
    recent = bus.recent.find((caller.workspace_id, run_topic(run_id)))  # nearly always, where the run was just accepted
    if recent and seen <= recent[-1].seq:
        last_seq, is_over = recent[-1].seq, _is_last(recent[-1])
    else:
        last_seq, is_over = await _followed(database, caller, run_id)
    if is_over and seen >= last_seq:
        return EventStream(_nothing())
    frames = follow(
        bus, database, caller.workspace_id, run_topic(run_id), min(seen, last_seq), _is_last, _permitted(gate, caller))
    return EventStream(frames)


@router.get("/api/events", response_class=EventStream, responses=TOPICS)
async def follow_topics(
    caller: CurrentCaller, database: AppDatabase, bus: BusDep, gate: AppAuthenticator,
    topics: Annotated[str, Query(min_length=1, max_length=4000)],
    cursor: Annotated[str | None, Query(max_length=20_000)] = None, last_event_id: LastEventId = None,
) -> EventStream:
    """Follow several runs (`run:ID`) and lists (`runs`, `recipes`, `agents`, `usage`) over one connection.

    The frame's id is a cursor; a reconnect with it (as Last-Event-ID or `cursor`) goes on without gap or repeat.
    """
    wanted = [topic.strip() for topic in topics.split(",") if topic.strip()][:MAX_TOPICS]
    seen = places_of(last_event_id or cursor or "")
    places = {run_topic(run_id): 0 for topic in wanted if (run_id := _run_of(topic))}
    places |= {topic: seen[topic] for topic in places if topic in seen}
    hints = [topic for topic in wanted if topic in HINTS or AGENT_HINT.fullmatch(topic)]
    return EventStream(_guarded(bus, database, caller, places, hints, _permitted(gate, caller)))


async def _followed(database: Database, caller: Caller, run_id: UUID) -> tuple[int, bool]:
    async with database.recording(caller.workspace_id) as connection:
        row = await executions.followed(connection, caller.workspace_id, run_id)
    if row is None:
        raise errors.ExecutionNotFound(run_id)
    return row["last_seq"], row["is_over"]


def _run_of(topic: str) -> UUID | None:
    kind, _, key = topic.partition(":")
    try:
        return UUID(key) if kind == "run" else None
    except ValueError:
        return None


def _is_last(event: StoredEvent) -> bool:
    return event.type in FINAL_EVENTS


def _permitted(gate: AppAuthenticator, caller: Caller) -> Callable[[], Awaitable[bool]]:
    async def ask() -> bool:
        return await gate.is_still_allowed(caller)

    return ask


async def _guarded(
    bus: EventBus, database: Database, caller: Caller, places: dict[str, int], hints: list[str],
    permitted: Callable[[], Awaitable[bool]],
) -> AsyncGenerator[str]:
    yield ": following\n\n"
    async for frame in follow_many(bus, database, caller.workspace_id, places, hints, permitted):
        yield frame


async def _nothing() -> AsyncGenerator[str]:
    yield ": this run is over and you have seen all of it\n\n"
