"""SQL about what is assigned to agents: their skills, personas and work, which other packages keep.

Those packages' rows are read through functions of the database; they see what the session's workspace sees.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Integer, Text, Uuid, bindparam, delete, func, literal, null, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents.models import Agent, AgentSkill
from automatos.agents.types import AgentStatus
from automatos.skills.types import SkillUser

Card = Mapping[str, Any]

COMPANIONS = text("""
SELECT (SELECT jsonb_agg(jsonb_build_array(l.agent_id, l.skill_id) ORDER BY l.agent_id, l.position, l.skill_id)
        FROM agent_skills l WHERE l.workspace_id = ANY(:workspaces) AND l.agent_id = ANY(:agents)) AS links,
       skill_cards(ARRAY(SELECT DISTINCT l.skill_id FROM agent_skills l
                         WHERE l.workspace_id = ANY(:workspaces) AND l.agent_id = ANY(:agents)), NULL) AS skills,
       persona_cards(:personas, NULL) AS personas,
       (SELECT jsonb_object_agg(lane, jsonb_build_array(running, waiting))
        FROM durable.lane_counts(:lanes)) AS workloads
""").bindparams(
    bindparam("workspaces", type_=ARRAY(Uuid())), bindparam("agents", type_=ARRAY(Integer())),
    bindparam("personas", type_=ARRAY(Uuid())), bindparam("lanes", type_=ARRAY(Text())),
)


@dataclass(frozen=True, slots=True)
class Companions:
    """The skills of agents in the order of their prompts, and personas by id; those nobody sees are left out.

    `workloads` says how many tasks run and how many wait in each group that was asked for; empty ones are left out.
    """

    skills: Mapping[int, Sequence[Card]]
    personas: Mapping[UUID, Card]
    workloads: Mapping[str, tuple[int, int]]


async def read_companions(
    session: AsyncSession, workspace_ids: Iterable[UUID], agent_ids: Iterable[int], persona_ids: Iterable[UUID],
    groups: Iterable[str] = (),
) -> Companions:
    """Return the skills and personas of agents of these workspaces, however many, and what their groups hold.

    All in one statement; what other packages keep is read through their functions of the database.
    """
    row = (await session.execute(COMPANIONS, {
        "workspaces": list(workspace_ids), "agents": list(agent_ids), "personas": list(persona_ids),
        "lanes": list(groups),
    })).one()
    cards = {card["id"]: card for card in row.skills or ()}
    skills: dict[int, list[Card]] = {}
    for agent_id, skill_id in row.links or ():
        if skill_id in cards:
            skills.setdefault(agent_id, []).append(cards[skill_id])
    workloads = {group: (running, waiting) for group, (running, waiting) in (row.workloads or {}).items()}
    return Companions(skills, {UUID(card["id"]): card for card in row.personas or ()}, workloads)


async def find_persona(session: AsyncSession, workspace_id: UUID, persona_id: UUID) -> Card | None:
    """Return a persona that the workspace sees."""
    return _first(await _ask(session, workspace_id, func.persona_cards(literal([persona_id], ARRAY(Uuid())), null())))


async def find_persona_by_slug(session: AsyncSession, workspace_id: UUID, slug: str) -> Card | None:
    """Return the active persona of that name that the workspace sees; its own comes before a global one."""
    found = await _ask(session, workspace_id, func.persona_cards(null(), slug))
    return _first([card for card in found if card["is_active"]])


async def find_skills(session: AsyncSession, workspace_id: UUID, skill_ids: Iterable[int]) -> list[Card]:
    """Return those of the named skills that the workspace sees."""
    return await _ask(session, workspace_id, func.skill_cards(literal(list(skill_ids), ARRAY(Integer())), null()))


async def find_skills_by_name(session: AsyncSession, workspace_id: UUID, names: Iterable[str]) -> dict[str, Card]:
    """Return the active skills of these names that the workspace sees; its own come before global ones."""
    named = literal(list(names), ARRAY(Text()))
    found = await _ask(session, workspace_id, func.skill_cards(null(), named))
    return {card["name"]: card for card in reversed(found) if card["is_active"]}


async def _ask(session: AsyncSession, workspace_id: UUID, question: Any) -> list[Card]:
    del workspace_id  # row-level security inside the functions goes by the session's
    return await session.scalar(select(question)) or []


def _first(cards: Sequence[Card]) -> Card | None:
    return cards[0] if cards else None


async def list_skill_ids(session: AsyncSession, workspace_id: UUID, agent_id: int) -> list[int]:
    """Return the ids of an agent's skills in the order of its prompt."""
    rows = await session.scalars(
        select(AgentSkill.skill_id).where(AgentSkill.workspace_id == workspace_id, AgentSkill.agent_id == agent_id)
        .order_by(AgentSkill.position, AgentSkill.skill_id))
    return list(rows)


async def replace_skills(session: AsyncSession, workspace_id: UUID, agent_id: int, skill_ids: Sequence[int]) -> None:
    """Give an agent exactly these skills, in this order; those it keeps remember since when."""
    await session.execute(delete(AgentSkill).where(
        AgentSkill.workspace_id == workspace_id, AgentSkill.agent_id == agent_id,
        AgentSkill.skill_id.not_in(skill_ids)))
    if not skill_ids:
        return
    added = insert(AgentSkill).values([
        {"workspace_id": workspace_id, "agent_id": agent_id, "skill_id": skill_id, "position": place}
        for place, skill_id in enumerate(skill_ids)
    ])
    await session.execute(added.on_conflict_do_update(
        index_elements=[AgentSkill.agent_id, AgentSkill.skill_id], set_={"position": added.excluded.position}))


async def read_voice(
    session: AsyncSession, workspace_id: UUID, persona_id: UUID | None, skill_ids: Sequence[int]
) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    """Return a persona and skills as runs get them; what the workspace does not see, or is switched off, is left out.

    The functions see what the session's workspace sees.
    """
    del workspace_id  # row-level security inside the functions goes by the session's
    row = (await session.execute(select(
        func.persona_for_run(persona_id), func.skills_for_run(list(skill_ids)),
    ))).one()
    return row[0], row[1] or []


async def count_by_persona(
    session: AsyncSession, workspace_id: UUID, persona_ids: Sequence[UUID]
) -> Mapping[UUID, int]:
    """Return how many of a workspace's agents speak with each persona; those that nobody uses are left out."""
    if not persona_ids:
        return {}
    rows = await session.execute(
        select(Agent.persona_id, func.count()).where(
            Agent.workspace_id == workspace_id, Agent.persona_id.in_(persona_ids), Agent.status != AgentStatus.ARCHIVED,
        ).group_by(Agent.persona_id))
    return {persona_id: count for persona_id, count in rows if persona_id is not None}


async def users_of_skills(
    session: AsyncSession, workspace_id: UUID, skill_ids: Sequence[int]
) -> Mapping[int, Sequence[SkillUser]]:
    """Return which of a workspace's agents have each skill, by name; skills that nobody has are left out."""
    rows = await session.execute(
        select(AgentSkill.skill_id, Agent.id, Agent.name).join(Agent, Agent.id == AgentSkill.agent_id).where(
            AgentSkill.workspace_id == workspace_id, AgentSkill.skill_id.in_(skill_ids),
            Agent.workspace_id == workspace_id, Agent.status != AgentStatus.ARCHIVED,
        ).order_by(Agent.name, Agent.id))
    users: dict[int, list[SkillUser]] = {}
    for skill_id, agent_id, name in rows:
        users.setdefault(skill_id, []).append(SkillUser(agent_id, name))
    return users
