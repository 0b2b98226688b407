"""Several agents at once: made all or none, or acted on each by itself."""

from collections.abc import Iterable

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents import deletion, status
from automatos.agents.create import create_agent
from automatos.agents.lifecycle import Lifecycle
from automatos.agents.models import Agent
from automatos.agents.readiness import Readiness
from automatos.agents.saving import Edit, save
from automatos.agents.schemas import ActionRefusal, ActionResult, AgentCreate, BulkActions
from automatos.agents.types import AgentStatus, StatusOrder
from automatos.agents.update import take
from automatos.kernel.errors import InvalidRequest, Problem
from automatos.workspaces.types import Caller

MAX_TAGS = 50
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


async def act(session: AsyncSession, caller: Caller, order: BulkActions, means: Lifecycle) -> list[ActionResult]:
    """Do one thing to each agent in a savepoint of its own; what refuses one leaves the others done."""
    # In the order in which everybody locks several agents, so that nobody waits for somebody who waits for them.
    done = {agent_id: await _act_on(session, caller, agent_id, order, means) for agent_id in sorted({*order.agent_ids})}
    return [done[agent_id] for agent_id in dict.fromkeys(order.agent_ids)]


async def _act_on(
    session: AsyncSession, caller: Caller, agent_id: int, order: BulkActions, means: Lifecycle
) -> ActionResult:
    try:
        async with session.begin_nested():
            await _do(session, caller, agent_id, order, means)
    except Problem as problem:
        refusal = ActionRefusal.model_validate({
            **problem.extra, "status": problem.status, "code": problem.code, "title": problem.title,
            "detail": problem.detail})
        return ActionResult(id=agent_id, ok=False, error=refusal)
    return ActionResult(id=agent_id, ok=True, error=None)


async def _do(session: AsyncSession, caller: Caller, agent_id: int, order: BulkActions, means: Lifecycle) -> None:
    if order.action in BECOMES:
        await status.change(session, caller, agent_id, StatusOrder(BECOMES[order.action]), means)
    elif order.action == "restore":
        await status.restore(session, caller, agent_id, means)
    elif order.action == "delete":
        await deletion.delete_agent(session, caller, agent_id, means)
    else:
        agent = await take(session, caller, agent_id, means, None)
        tags = _tagged(agent.tags, order.tags, is_adding=order.action == "tag")
        await save(session, caller, agent, Edit({"tags": tags}), means.readiness)


def _tagged(had: list[str], named: list[str], *, is_adding: bool) -> list[str]:
    if not is_adding:
        return [tag for tag in had if tag not in named]
    tags = list(dict.fromkeys([*had, *named]))
    if len(tags) > MAX_TAGS:
        raise InvalidRequest(f"tags: an agent has at most {MAX_TAGS}; this one would have {len(tags)}.", field="tags")
    return tags
