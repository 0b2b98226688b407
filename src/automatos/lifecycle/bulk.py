"""Several agents at once: made all or none, or acted on each by itself."""

from collections.abc import Iterable

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents.service import Agent, AgentCreate, Readiness, change_tags, create_agent
from automatos.agents.types import AgentStatus
from automatos.kernel.errors import Problem
from automatos.lifecycle import service
from automatos.lifecycle.deletion import delete_agent
from automatos.lifecycle.deps import LifecycleDeps
from automatos.lifecycle.schemas import ActionRefusal, ActionResult, BulkActions
from automatos.lifecycle.types import StatusOrder
from automatos.workspaces.types import Caller

BECOMES = {"activate": AgentStatus.ACTIVE, "deactivate": AgentStatus.INACTIVE, "pause": AgentStatus.PAUSED,
           "archive": AgentStatus.ARCHIVED}


async def create_agents(
    session: AsyncSession, caller: Caller, bodies: Iterable[AgentCreate], readiness: Readiness
) -> list[Agent]:
    """Add agents in order, all or none; what is raised says in `index` which of them was refused."""
    made: list[Agent] = []
    for index, body in enumerate(bodies):
        try:
            made.append(await create_agent(session, caller, body, readiness))
        except Problem as problem:
            problem.detail = f"agents.{index}: {problem.detail}"
            problem.extra["index"] = index
            if "field" in problem.extra:
                problem.extra["field"] = f"agents.{index}.{problem.extra['field']}"
            raise
    return made


async def act_on_agents(
    session: AsyncSession, caller: Caller, order: BulkActions, deps: LifecycleDeps
) -> list[ActionResult]:
    """Do one thing to each agent in a savepoint of its own; what refuses one leaves the others done."""
    # In the order in which everybody locks several agents, so that nobody waits for somebody who waits for them.
    done = {agent_id: await _act_on(session, caller, agent_id, order, deps) for agent_id in sorted({*order.agent_ids})}
    return [done[agent_id] for agent_id in dict.fromkeys(order.agent_ids)]


async def _act_on(
    session: AsyncSession, caller: Caller, agent_id: int, order: BulkActions, deps: LifecycleDeps
) -> ActionResult:
    try:
        async with session.begin_nested():
            await _do(session, caller, agent_id, order, deps)
    except Problem as problem:
        refusal = ActionRefusal.model_validate({
            **problem.extra, "status": problem.status, "code": problem.code, "title": problem.title,
            "detail": problem.detail})
        return ActionResult(id=agent_id, ok=False, error=refusal)
    return ActionResult(id=agent_id, ok=True, error=None)


async def _do(session: AsyncSession, caller: Caller, agent_id: int, order: BulkActions, deps: LifecycleDeps) -> None:
    if order.action in BECOMES:
        await service.change_status(session, caller, agent_id, StatusOrder(BECOMES[order.action]), deps)
    elif order.action == "restore":
        await service.restore(session, caller, agent_id, deps)
    elif order.action == "delete":
        await delete_agent(session, caller, agent_id, deps)
    else:
        await change_tags(
            session, caller, agent_id, order.tags, deps.readiness, is_adding=order.action == "tag")
