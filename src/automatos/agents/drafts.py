"""Agents that are not saved: what a run of one would need, to show its prompt or try it out."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents.create import columns_of
from automatos.agents.errors import UnknownPersona, UnknownSkills, UnknownTools
from automatos.agents.queries import assigned as queries
from automatos.agents.schemas import AgentCreate
from automatos.agents.specs import spec_of
from automatos.agents.types import AgentSpec, AgentStatus
from automatos.tools.service import known_names

DRAFT_ID = 0
"""The id of an agent that is not stored."""


async def draft_spec(session: AsyncSession, workspace_id: UUID, body: AgentCreate) -> AgentSpec:
    """Return what a run would need of an agent that is written down but not saved; stores nothing.

    Raises:
        UnknownTools, UnknownSkills, UnknownPersona: it names something that the workspace does not have.
    """
    columns = columns_of(body)
    known = known_names()
    if unknown := [name for name in columns["configuration"]["tools"] if name not in known]:
        raise UnknownTools(unknown, known)
    persona, skills = await queries.read_voice(session, workspace_id, body.persona_id, body.skill_ids)
    if body.persona_id is not None and persona is None:
        raise UnknownPersona(body.persona_id)
    found = {skill["id"] for skill in skills}
    if missing := [skill_id for skill_id in body.skill_ids if skill_id not in found]:
        raise UnknownSkills(missing)
    return spec_of({**columns, "id": DRAFT_ID, "status": AgentStatus.INACTIVE, "version": 1,
                    "model_config": columns["llm_config"], "persona": persona, "skills": skills})
