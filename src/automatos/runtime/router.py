"""Routes: what an agent reads before it works, and one answer of it before it is saved."""

from typing import Any

from fastapi import APIRouter

from automatos.agents.errors import AgentNotFound, AgentNotReady, UnknownPersona, UnknownSkills, UnknownTools
from automatos.agents.service import draft_spec
from automatos.kernel.event_stream import EventStream
from automatos.kernel.openapi import problems
from automatos.runtime import schemas
from automatos.runtime.assembled import Assembled
from automatos.runtime.deps import AppAssembler
from automatos.runtime.trial import try_agent
from automatos.workspaces.deps import CurrentCaller, Editor, Session

STREAM: dict[int | str, dict[str, Any]] = {
    200: {"model": schemas.TryEvent, "description": "Server-sent events: `delta`, then `done` or `failed`."}}

router = APIRouter(prefix="/api/agents", tags=["agents"])


@router.post("/assembled-context", response_model=schemas.AssembledContext,
             responses=problems(UnknownPersona, UnknownSkills, UnknownTools))
async def assemble_draft_context(
    body: schemas.Draft, caller: Editor, session: Session, assembler: AppAssembler
) -> Assembled:
    """Show what an agent would read if it were saved like this; stores nothing."""
    return await assembler.of_spec(await draft_spec(session, caller.workspace_id, body.agent), None)


@router.post("/try", response_class=EventStream,
             responses=problems(UnknownPersona, UnknownSkills, UnknownTools, AgentNotReady) | STREAM)
async def try_agent_draft(
    body: schemas.Trial, caller: Editor, session: Session, assembler: AppAssembler
) -> EventStream:
    """Ask an agent that need not be saved for one answer, streamed; tools are not called, and only usage is stored."""
    agent = await draft_spec(session, caller.workspace_id, body.agent)
    if obstacle := await assembler.models.find_obstacle(caller.workspace_id, agent.model):
        raise AgentNotReady(agent.name, [f"Its model cannot be asked: {obstacle}"])
    frames = try_agent(assembler.models, caller.workspace_id, assembler.ready(agent, None), body.messages)
    return EventStream(frames)


@router.get("/{agent_id}/assembled-context", response_model=schemas.AssembledContext, responses=problems(AgentNotFound))
async def assemble_agent_context(
    agent_id: schemas.AgentId, caller: CurrentCaller, assembler: AppAssembler
) -> Assembled:
    """Show what a run of an agent that starts now would read: its whole system prompt, part by part."""
    del caller
    return await assembler.of_agent(agent_id)
