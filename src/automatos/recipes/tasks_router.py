"""Routes: tasks for one agent, and what an agent has worked on."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, status

from automatos.agents import service as agents
from automatos.agents.deps import AgentReadiness
from automatos.agents.errors import AgentNotFound
from automatos.agents.types import PRIORITIES
from automatos.durable.deps import BusDep
from automatos.kernel.openapi import problems
from automatos.recipes import errors, run_schemas
from automatos.recipes.deps import IdempotencyKey, RunsHereDep
from automatos.recipes.preflight import require_models
from automatos.recipes.queries import agent_work
from automatos.recipes.tasks import start_task
from automatos.recipes.types import ExecutionStatus, StepStatus, TaskOrder, TaskStarted
from automatos.skills import service as skills
from automatos.skills.errors import PatternNotFound
from automatos.workspaces.deps import AppDatabase, CurrentCaller, Editor, Session
from automatos.workspaces.types import Caller

router = APIRouter(prefix="/api/agents", tags=["agents"])
AgentId = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.post("/{agent_id}/execute", status_code=status.HTTP_202_ACCEPTED,
             responses=problems(AgentNotFound, errors.AgentNotExecutable, errors.RecipeNotReady,
                                errors.IdempotencyKeyReused, PatternNotFound))
async def execute_agent(
    *, agent_id: AgentId, body: run_schemas.TaskNew | None = None, caller: Editor, database: AppDatabase, bus: BusDep,
    readiness: AgentReadiness, here: RunsHereDep, idempotency_key: IdempotencyKey = None,
) -> run_schemas.TaskStarted:
    """Give an agent a task; follow it on its `/events` stream. A paused agent takes it up when it is resumed."""
    body = body or run_schemas.TaskNew()
    prompt = body.prompt
    if body.pattern_slug:
        async with database.session(caller.workspace_id) as session:
            pattern = await skills.get_pattern(session, caller.workspace_id, body.pattern_slug)
        prompt = f"{prompt}\n\n{skills.words_of(pattern)}"
    order = TaskOrder(
        agent_id, prompt, data=body.material, priority=PRIORITIES[body.priority] if body.priority else None,
        max_iterations=body.max_iterations, timeout_s=body.timeout_s, idempotency_key=idempotency_key,
    )
    await require_models(database, readiness.models, caller.workspace_id, [agent_id])
    try:
        started = await start_task(database, bus, caller.workspace_id, caller.actor, order, here)
    except errors.AgentNotEligible as refusal:
        raise errors.AgentNotExecutable(refusal.name, refusal.why) from refusal
    async with database.session(caller.workspace_id) as session:
        usual = await agent_work.median_durations(session, caller.workspace_id, agent_id, [])
    return _shown(started, body, usual.get(agent_work.TASKS), caller)


@router.get("/{agent_id}/runs", responses=problems(AgentNotFound))
async def list_agent_runs(
    agent_id: AgentId, caller: CurrentCaller, session: Session, status: Annotated[StepStatus | None, Query()] = None,
    skip: Annotated[int, Query(ge=0, le=1_000_000_000)] = 0, limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> run_schemas.AgentRuns:
    """List the steps an agent has worked on, in recipes and tasks, newest first."""
    await agents.get_agent(session, caller.workspace_id, agent_id)
    rows, total = await agent_work.steps_of_agent(
        session, caller.workspace_id, agent_id, status=status, skip=skip, limit=limit)
    items = [run_schemas.AgentRun.model_validate(row) for row in rows]
    return run_schemas.AgentRuns(
        items=items, total=total.count, is_total_exact=total.is_exact, skip=skip, limit=limit)


def _shown(
    started: TaskStarted, body: run_schemas.TaskNew, usual_s: float | None, caller: Caller
) -> run_schemas.TaskStarted:
    said = "Queued."
    if started.waits_for:
        said = f"Queued: {started.agent_name} is paused and begins when it is resumed."
    if started.is_repeat:
        said = "This Idempotency-Key already started this task."
    return run_schemas.TaskStarted(
        run_id=started.execution_id, execution_id=started.execution_id, agent_id=started.agent_id,
        agent_name=started.agent_name,
        status=ExecutionStatus.QUEUED, waits_for=started.waits_for, parameters=body,
        estimated_duration_s=usual_s, message=said,
        url=f"/w/{caller.workspace_id}/runs/{started.execution_id}",
        events_url=f"/api/runs/{started.execution_id}/events",
    )
