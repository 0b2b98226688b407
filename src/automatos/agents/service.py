"""Verbs of agents: create, change, activate, remove, and what other rooms need to know of them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents.configuration import AgentDefinition
from automatos.agents.errors import (
    AgentInUse,
    AgentNameTaken,
    AgentNotFound,
    AgentNotReady,
    StatusChangeRefused,
    UnknownTools,
)
from automatos.agents.models import Agent
from automatos.agents.queries import records as queries
from automatos.agents.queries.records import AgentFilter
from automatos.agents.readiness import Readiness
from automatos.agents.schemas import Agent as AgentDocument
from automatos.agents.schemas import AgentCreate, AgentUpdate
from automatos.agents.types import (
    ELIGIBLE,
    TRANSITIONS,
    AgentRef,
    AgentSpec,
    AgentStatus,
    AgentType,
    Category,
    Dependents,
    category_of,
    type_of,
)
from automatos.kernel.db import Database
from automatos.kernel.errors import StaleEdit
from automatos.llm.types import ModelChoice
from automatos.tools.service import known_names
from automatos.workspaces.service import write_audit
from automatos.workspaces.types import Caller

__all__ = [
    "AgentDefinition", "AgentFilter", "Readiness", "activate", "create_agent", "deactivate", "delete_agent", "describe",
    "get_agent", "list_agents", "load_for_run", "unavailable_among", "update_agent", "upsert_from_file",
]


async def list_agents(
    session: AsyncSession, workspace_id: UUID | None, wanted: AgentFilter, *, skip: int, limit: int
) -> tuple[Sequence[Agent], int]:
    """Return one page of a workspace's agents, or of all that the session may see, and how many fit the filter."""
    return await queries.list_agents(session, workspace_id, wanted, skip, limit)


async def get_agent(session: AsyncSession, workspace_id: UUID, agent_id: int, *, lock: bool = False) -> Agent:
    """Return an agent of the workspace; raises AgentNotFound."""
    agent = await queries.find_agent(session, workspace_id, agent_id, lock=lock)
    if agent is None:
        raise AgentNotFound(agent_id)
    return agent


async def create_agent(session: AsyncSession, caller: Caller, body: AgentCreate) -> Agent:
    """Add an inactive agent to the caller's workspace.

    Raises:
        AgentNameTaken: another agent of the workspace has the name.
        UnknownTools: a granted tool does not exist; names each.
    """
    has_persona = body.custom_persona_prompt is not None
    return await _insert(session, caller, {
        "name": body.name, "description": body.description, "tags": body.tags,
        **_kind(body.agent_type, body.marketplace_category),
        "configuration": _with_tools(body.configuration.model_dump(mode="json"), body.tools),
        "llm_config": body.llm_config.model_dump(mode="json") if body.llm_config else None,
        "custom_persona_prompt": body.custom_persona_prompt,
        "use_custom_persona": has_persona if body.use_custom_persona is None else body.use_custom_persona,
    })


async def update_agent(
    session: AsyncSession, caller: Caller, agent_id: int, body: AgentUpdate, readiness: Readiness,
    *, expected: frozenset[int] | None = None,
) -> Agent:
    """Change what the body names and return the agent; nothing named differently means nothing changes.

    `expected` holds the versions the client believes to be current; None means whichever is. An agent that is active
    after the change must be ready for it.

    Raises:
        AgentNotFound, AgentNameTaken, UnknownTools, AgentNotReady: as their names say.
        StatusChangeRefused: the status cannot follow the current one; names those that can.
        StaleEdit: somebody else saved first; carries what is stored.
    """
    agent = await get_agent(session, caller.workspace_id, agent_id, lock=True)
    if expected is not None and agent.version not in expected:
        current = AgentDocument.model_validate(agent).model_dump(mode="json", by_alias=True)
        raise StaleEdit(
            f"{agent.name!r} is at version {agent.version} now. Load it again, redo your change and save.",
            current=current,
        )
    changes = {name: value for name, value in _changes(agent, body).items() if getattr(agent, name) != value}
    return await _apply(session, caller, agent, changes, readiness)


async def activate(session: AsyncSession, caller: Caller, agent_id: int, readiness: Readiness) -> Agent:
    """Make an agent take work; an active one stays as it is.

    Raises:
        AgentNotFound, StatusChangeRefused: as their names say.
        AgentNotReady: its model cannot be used or a tool is off; lists every fault.
    """
    return await _change_status(session, caller, agent_id, AgentStatus.ACTIVE, readiness)


async def deactivate(session: AsyncSession, caller: Caller, agent_id: int, readiness: Readiness) -> Agent:
    """Make an agent take no more work; an inactive one stays as it is."""
    return await _change_status(session, caller, agent_id, AgentStatus.INACTIVE, readiness)


async def delete_agent(session: AsyncSession, caller: Caller, agent_id: int, dependents: Iterable[Dependents]) -> None:
    """Remove an agent that nothing uses; its usage and past runs stay, without it.

    Raises:
        AgentNotFound: the caller's workspace has no such agent.
        AgentInUse: recipes or running executions need it; names each.
    """
    agent = await get_agent(session, caller.workspace_id, agent_id, lock=True)
    using = [one for ask in dependents for one in await ask(session, caller.workspace_id, agent_id)]
    if using:
        raise AgentInUse(agent.name, using)
    await queries.delete_agent(session, caller.workspace_id, agent_id)
    await _note(session, caller, "agent.deleted", agent_id, name=agent.name)


async def upsert_from_file(
    session: AsyncSession, caller: Caller, definition: AgentDefinition, readiness: Readiness
) -> tuple[int, str]:
    """Make the workspace's agent of that name as the file says, active; return its id and what was done.

    What was done is "created", "updated" or "unchanged". A field that the file leaves out gets its default.

    Raises:
        UnknownTools, AgentNotReady, StatusChangeRefused: as their names say.
    """
    tools = definition.tools if "tools" in definition.model_fields_set else None
    wanted: dict[str, Any] = {
        "name": definition.name, "description": definition.description, "tags": definition.tags,
        **_kind(definition.agent_type, definition.marketplace_category),
        "configuration": _with_tools(definition.configuration.model_dump(mode="json"), tools),
        "llm_config": definition.llm_config.model_dump(mode="json") if definition.llm_config else None,
        "custom_persona_prompt": definition.prompt, "use_custom_persona": definition.prompt is not None,
    }
    agent = await queries.find_agent_by_name(session, caller.workspace_id, definition.name)
    action = "updated"
    if agent is None:
        agent, action = await _insert(session, caller, wanted), "created"
    changes = {name: value for name, value in wanted.items() if getattr(agent, name) != value}
    if agent.status not in ELIGIBLE:
        changes["status"] = AgentStatus.ACTIVE
    if not changes:
        return agent.id, "unchanged"
    return (await _apply(session, caller, agent, changes, readiness)).id, action


async def describe(
    session: AsyncSession, workspace_id: UUID | None, agent_ids: Iterable[int], *, lock: bool = False
) -> dict[int, AgentRef]:
    """Return name and status of each named agent, one statement; those that do not exist have status None.

    With `lock` those that exist cannot be deleted before the transaction ends. Without a workspace it answers for
    every agent that the session may see.
    """
    wanted = set(agent_ids)
    found = {agent.id: AgentRef(agent.id, agent.name, AgentStatus(agent.status))
             for agent in await queries.list_by_ids(session, workspace_id, wanted, lock=lock)} if wanted else {}
    return {one: found.get(one, AgentRef(one, f"agent {one}", None)) for one in wanted}


async def unavailable_among(session: AsyncSession, workspace_id: UUID, agent_ids: Iterable[int]) -> list[AgentRef]:
    """Return those of the named agents that take no work, missing ones included, in order of id."""
    known = await describe(session, workspace_id, agent_ids)
    return [ref for _, ref in sorted(known.items()) if ref.status not in ELIGIBLE]


async def load_for_run(database: Database, workspace_id: UUID, agent_ids: Iterable[int]) -> list[AgentSpec]:
    """Return what a run needs of each named agent, one statement; agents that do not exist are left out."""
    async with database.recording(workspace_id) as connection:
        return [_spec(row) for row in await queries.read_for_run(connection, workspace_id, sorted(set(agent_ids)))]


async def _change_status(
    session: AsyncSession, caller: Caller, agent_id: int, status: AgentStatus, readiness: Readiness
) -> Agent:
    agent = await get_agent(session, caller.workspace_id, agent_id, lock=True)
    is_there = agent.status == status or (status is AgentStatus.ACTIVE and agent.status in ELIGIBLE)
    return agent if is_there else await _apply(session, caller, agent, {"status": status}, readiness)


async def _insert(session: AsyncSession, caller: Caller, values: dict[str, Any]) -> Agent:
    _refuse_unknown_tools(values["configuration"]["tools"])
    agent = await queries.insert_agent(session, caller.workspace_id, values | {"created_by": caller.actor})
    if agent is None:
        raise AgentNameTaken(values["name"])
    await _note(session, caller, "agent.created", agent.id, name=agent.name)
    return agent


async def _apply(
    session: AsyncSession, caller: Caller, agent: Agent, changes: Mapping[str, Any], readiness: Readiness
) -> Agent:
    """Check and save changes to a locked agent, with their audit entry."""
    if not changes:
        return agent
    before, name = AgentStatus(agent.status), agent.name
    after = AgentStatus(changes.get("status", before))
    if after is not before and after not in TRANSITIONS[before]:
        raise StatusChangeRefused(before, after, TRANSITIONS[before])
    configuration = changes.get("configuration", agent.configuration)
    tools = configuration.get("tools", [])
    _refuse_unknown_tools(tools)
    if after in ELIGIBLE and changes.keys() & {"status", "configuration", "llm_config"}:
        model = model_choice(changes.get("llm_config", agent.llm_config))
        if faults := await readiness.find_faults(caller.workspace_id, model, tools):
            raise AgentNotReady(name, faults)
    changed = await queries.update_agent(session, caller.workspace_id, agent.id, changes)
    if changed is None:
        raise AgentNameTaken(str(changes["name"]))
    if after is not before:
        await _note(session, caller, "agent.status_changed", agent.id, name=name, before=before, after=after)
    if fields := sorted(changes.keys() - {"status"}):
        await _note(session, caller, "agent.updated", agent.id, name=changed.name, fields=fields)
    return changed


async def _note(session: AsyncSession, caller: Caller, action: str, agent_id: int, **detail: object) -> None:
    await write_audit(session, caller, action, target_type="agent", target_id=agent_id, detail=detail)


def _changes(agent: Agent, body: AgentUpdate) -> dict[str, Any]:
    """Return the columns that the body sets, with the values they would get."""
    given = body.model_fields_set
    plain = ("name", "description", "status", "tags", "custom_persona_prompt", "use_custom_persona")
    changes: dict[str, Any] = {field: getattr(body, field) for field in plain if field in given}
    if "llm_config" in given:
        changes["llm_config"] = body.llm_config.model_dump(mode="json") if body.llm_config else None
    if body.configuration is not None or body.tools is not None:
        merged = body.configuration.model_dump(mode="json", exclude_unset=True) if body.configuration else {}
        changes["configuration"] = _with_tools({**agent.configuration, **merged}, body.tools)
    if given & {"agent_type", "marketplace_category"}:
        changes["marketplace_category"] = body.marketplace_category
        if body.agent_type is not None:
            changes["agent_type"] = body.agent_type
        elif body.marketplace_category is not None:
            changes["agent_type"] = type_of(body.marketplace_category, AgentType(agent.agent_type))
        if "marketplace_category" not in given:
            del changes["marketplace_category"]
    return changes


def _kind(agent_type: AgentType | None, category: Category | None) -> dict[str, Any]:
    """Return type and category, each following from the other where only one is given."""
    kind = agent_type or (type_of(category) if category else AgentType.CUSTOM)
    return {"agent_type": kind, "marketplace_category": category or category_of(kind)}


def _with_tools(configuration: dict[str, Any], tools: list[str] | None) -> dict[str, Any]:
    return configuration if tools is None else {**configuration, "tools": tools}


def _refuse_unknown_tools(tools: Iterable[str]) -> None:
    known = known_names()
    if unknown := [name for name in tools if name not in known]:
        raise UnknownTools(unknown, known)


def model_choice(settings: Mapping[str, Any] | None) -> ModelChoice | None:
    """Return the stored model settings as a choice; None means the default model answers."""
    return ModelChoice(**settings) if settings else None


def _spec(row: Mapping[str, Any]) -> AgentSpec:
    configuration: dict[str, Any] = row["configuration"]
    return AgentSpec(
        id=row["id"], name=row["name"], description=row["description"] or "", agent_type=row["agent_type"],
        status=AgentStatus(row["status"]),
        persona_prompt=row["custom_persona_prompt"] if row["use_custom_persona"] else None,
        model=model_choice(row["model_config"]), tools=tuple(configuration.get("tools", ())),
        max_iterations=int(configuration.get("max_iterations", 25)),
        retry_attempts=int(configuration.get("retry_attempts", 3)),
        timeout_s=int(configuration.get("timeout_seconds", 300)),
        max_concurrent_tasks=int(configuration.get("max_concurrent_tasks", 5)),
        configuration=configuration, version=row["version"],
    )


async def find_id_by_name(session: AsyncSession, workspace_id: UUID, name: str) -> int | None:
    """Return the id of the workspace's agent of that name, whatever its case."""
    agent = await queries.find_agent_by_name(session, workspace_id, name)
    return agent.id if agent else None
