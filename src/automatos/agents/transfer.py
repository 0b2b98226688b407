"""Agents as documents: export, import, files of recipes, and saved versions: listed, compared, restored."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents.activation import activate
from automatos.agents.configuration import AgentDefinition, AgentFile, AgentImport, PersonaChoice
from automatos.agents.deps import Readiness
from automatos.agents.documents import describe, read_definition, read_yaml, write_yaml
from automatos.agents.errors import DocumentsUnreadable, UnknownPersona, UnknownSkills, VersionNotFound
from automatos.agents.models import Agent, AgentVersion
from automatos.agents.queries import assigned
from automatos.agents.queries import records as queries
from automatos.agents.saving import Edit, chosen, configured, insert, kind_of, save
from automatos.agents.schemas import (
    AgentChange,
    AgentVersionDiff,
    AgentVersionInfo,
    AgentVersionOut,
    AgentVersions,
    ImportedAgent,
)
from automatos.agents.types import ELIGIBLE
from automatos.kernel.confined import USUAL, confined_for
from automatos.kernel.errors import Problem
from automatos.workspaces.service import hold_room
from automatos.workspaces.types import Caller

Action = Literal["created", "updated", "unchanged"]


async def export_agent(session: AsyncSession, agent: Agent) -> str:
    """Return an agent as a YAML document; it holds no secret and no status."""
    return write_yaml([await describe(session, agent)])


async def import_documents(
    session: AsyncSession, caller: Caller, body: AgentImport, readiness: Readiness
) -> list[ImportedAgent]:
    """Create or update the agents of the documents by their names, all or nothing; a new one is inactive.

    What a document leaves out gets its default. An agent that takes work must be ready for its new definition.

    Raises:
        TooCostly: the text takes too much work to read.
        DocumentsUnreadable: the text is no YAML, or a field of a document is wrong; says where.
        UnknownTools, UnknownSkills, UnknownPersona, AgentNotReady: as their names say, with the document's number.
    """
    files = body.documents or await _read(caller.workspace_id, body.yaml or "")
    names = [file.name.lower() for file in files]
    if len(set(names)) < len(names):
        raise DocumentsUnreadable("two documents name the same agent")
    await hold_room(session, caller.workspace_id)
    done: list[ImportedAgent] = []
    for number, file in enumerate(files, start=1):
        try:
            agent, action = await _put(session, caller, await _edit(session, caller, file), readiness)
        except Problem as problem:
            problem.detail = f"document {number}: {problem.detail}"
            problem.extra["document"] = number
            raise
        done.append(ImportedAgent(id=agent.id, name=agent.name, action=action))
    return done


async def _read(workspace_id: UUID, text: str) -> list[AgentFile]:
    documents = await confined_for(workspace_id, USUAL, read_yaml, text)
    return await asyncio.to_thread(_definitions, documents)


def _definitions(documents: list[Any]) -> list[AgentFile]:
    return [read_definition(found, number) for number, found in enumerate(documents, start=1)]


async def restore_version(
    session: AsyncSession, caller: Caller, agent_id: int, version: int, readiness: Readiness
) -> Agent:
    """Make an agent what it was at a version, as its next version; its status stays.

    Raises:
        AgentNotFound, VersionNotFound, AgentNameTaken, AgentNotReady: as their names say.
        UnknownTools, UnknownSkills, UnknownPersona: the version had something that is gone; names it.
    """
    found = await find_version(session, caller.workspace_id, agent_id, version)
    agent = await queries.get_agent(session, caller.workspace_id, agent_id, lock=True)
    edit = await _edit(session, caller, read_definition(found.definition))
    return await save(session, caller, agent, edit, readiness)


async def definition_in_recipe_file(session: AsyncSession, agent: Agent) -> dict[str, Any] | None:
    """Return an agent as a recipe's file writes it; None if such a file cannot say all of it.

    That is so where the agent speaks with a persona of the library or has skills: applied again, the file would take
    them away or leave them out.
    """
    whole = await describe(session, agent)
    persona = whole.pop("persona", None) or {}
    if whole.pop("skills", None) or (persona and not persona.get("use_custom")) or persona.get("slug"):
        return None
    return whole | ({"prompt": persona["custom_prompt"]} if persona else {})


async def upsert_from_file(
    session: AsyncSession, caller: Caller, definition: AgentDefinition, readiness: Readiness
) -> tuple[int, Action]:
    """Make the workspace's agent of that name as a recipe's file says, active; return its id and what was done.

    A field that the file leaves out gets its default; skills, which such files do not name, stay.

    Raises:
        UnknownTools, AgentNotReady, StatusChangeRefused: as their names say.
    """
    tools = definition.tools if "tools" in definition.model_fields_set else None
    edit = Edit({
        "name": definition.name, "description": definition.description, "tags": definition.tags,
        **kind_of(definition.agent_type, definition.marketplace_category),
        "configuration": configured(definition.configuration, tools), "llm_config": chosen(definition.llm_config),
        "custom_persona_prompt": definition.prompt, "use_custom_persona": definition.prompt is not None,
    })
    agent, action = await _put(session, caller, edit, readiness)
    if agent.status in ELIGIBLE:
        return agent.id, action
    await activate(session, caller, agent, readiness)
    return agent.id, "updated" if action == "unchanged" else action


async def _put(session: AsyncSession, caller: Caller, edit: Edit, readiness: Readiness) -> tuple[Agent, Action]:
    agent = await queries.find_agent_by_name(session, caller.workspace_id, edit.columns["name"])
    if agent is None:
        return await insert(session, caller, edit), "created"
    before = agent.version
    agent = await save(session, caller, agent, edit, readiness)
    return agent, "unchanged" if agent.version == before else "updated"


async def _edit(session: AsyncSession, caller: Caller, file: AgentFile) -> Edit:
    """Return a document as a whole edit, its names looked up among what the workspace has."""
    skills = await assigned.find_skills_by_name(session, caller.workspace_id, file.skills) if file.skills else {}
    if unknown := [name for name in file.skills if name not in skills]:
        raise UnknownSkills(unknown)
    return Edit({
        "name": file.name, "description": file.description, "tags": file.tags,
        **kind_of(file.agent_type, file.marketplace_category),
        "configuration": configured(file.configuration, file.tools), "llm_config": chosen(file.llm_config),
        **await _voice(session, caller, file.persona or PersonaChoice()),
    }, [skills[name]["id"] for name in file.skills])


async def _voice(session: AsyncSession, caller: Caller, choice: PersonaChoice) -> dict[str, Any]:
    persona = None
    if choice.slug is not None:
        persona = await assigned.find_persona_by_slug(session, caller.workspace_id, choice.slug)
        if persona is None:
            raise UnknownPersona(choice.slug)
    return {"persona_id": persona and UUID(persona["id"]), "custom_persona_prompt": choice.custom_prompt,
            "use_custom_persona": choice.use_custom}


ABSENT = object()


async def list_versions(
    session: AsyncSession, workspace_id: UUID, agent_id: int, *, skip: int, limit: int
) -> AgentVersions:
    """Return an agent's saves, newest first; raises AgentNotFound."""
    await queries.get_agent(session, workspace_id, agent_id)
    rows, total = await queries.list_versions(session, workspace_id, agent_id, skip, limit)
    return AgentVersions(items=[AgentVersionInfo.model_validate(row) for row in rows], total=total)


async def get_version(session: AsyncSession, workspace_id: UUID, agent_id: int, version: int) -> AgentVersionOut:
    """Return one save with its definition; raises AgentNotFound, VersionNotFound."""
    return AgentVersionOut.model_validate(await find_version(session, workspace_id, agent_id, version))


async def compare(
    session: AsyncSession, workspace_id: UUID, agent_id: int, before: int, after: int
) -> AgentVersionDiff:
    """Return what changed from one version to another; raises AgentNotFound, VersionNotFound."""
    old = await find_version(session, workspace_id, agent_id, before)
    new = await find_version(session, workspace_id, agent_id, after)
    return AgentVersionDiff(from_version=before, to_version=after, changes=list(changes_between(
        old.definition, new.definition)))


async def find_version(session: AsyncSession, workspace_id: UUID, agent_id: int, version: int) -> AgentVersion:
    """Return the row of one save; raises AgentNotFound, VersionNotFound."""
    agent = await queries.get_agent(session, workspace_id, agent_id)
    found = await queries.find_version(session, workspace_id, agent_id, version)
    if found is None:
        raise VersionNotFound(agent.name, version)
    return found


def changes_between(before: Mapping[str, Any], after: Mapping[str, Any], at: str = "") -> Iterator[AgentChange]:
    """Say what differs, setting by setting, in the order of the names; lists count as wholes, absent is null."""
    for name in sorted({*before, *after}):
        old, new = before.get(name, ABSENT), after.get(name, ABSENT)
        path = f"{at}/{name.replace('~', '~0').replace('/', '~1')}"
        if isinstance(old, Mapping) or isinstance(new, Mapping):
            fits = _fit(old, new)
            yield from changes_between(_inside(old), _inside(new), path) if fits else [_change(path, old, new)]
        elif old != new:
            yield _change(path, old, new)


def _fit(old: Any, new: Any) -> bool:
    """Say whether both sides are objects, or one is and the other is not there at all."""
    return all(side is ABSENT or side is None or isinstance(side, Mapping) for side in (old, new))


def _inside(side: Any) -> Mapping[str, Any]:
    return side if isinstance(side, Mapping) else {}


def _change(path: str, old: Any, new: Any) -> AgentChange:
    return AgentChange(path=path, before=None if old is ABSENT else old, after=None if new is ABSENT else new)
