"""What runs and recipes ask of agents: one read for a run, and agents as files describe them."""

from uuid import UUID

import pytest

from automatos.agents import service
from automatos.agents.errors import AgentNotReady, UnknownTools
from automatos.agents.service import AgentDefinition
from automatos.agents.types import AgentStatus, PersonaSpec
from automatos.kernel.ids import new_id
from automatos.llm.types import ModelChoice
from tests.agents.conftest import AgentDeps


async def test_a_run_reads_all_it_needs_at_once(desk: AgentDeps) -> None:
    ada = await desk.create(
        "Ada", description="Finds bugs", tools=["calculator", "calculator"], custom_persona_prompt="You are Ada.",
        configuration={"max_iterations": 7, "timeout_seconds": 60, "retry_attempts": 0},
        model_config={"provider": "demo", "model_id": "demo", "temperature": 0.5, "fallback_model_id": "other"},
    )
    bob = await desk.create("Bob", custom_persona_prompt="Unused", use_custom_persona=False)

    specs = await service.load_for_run(desk.database, desk.workspace_id, [bob["id"], ada["id"], ada["id"], 2**31 - 1])

    found = {spec.name: spec for spec in specs}
    ada_spec = found["Ada"].settings
    assert len(specs) == 2
    assert found["Ada"].model == ModelChoice("demo", "demo", temperature=0.5, fallback_model_id="other")
    assert (found["Ada"].tools, found["Ada"].persona) == (("calculator",), PersonaSpec("custom", "You are Ada."))
    assert (ada_spec.max_iterations, ada_spec.timeout_seconds, ada_spec.retry_attempts) == (7, 60, 0)
    assert (found["Ada"].status, found["Ada"].is_eligible, found["Ada"].version) == (AgentStatus.INACTIVE, False, 1)
    assert (found["Bob"].model, found["Bob"].tools, found["Bob"].persona) == (None, (), None)
    assert await service.load_for_run(desk.database, new_id(), [ada["id"]]) == []


async def apply(desk: AgentDeps, **definition: object) -> tuple[int, str]:
    async with desk.database.session(desk.workspace_id) as session:
        return await service.upsert_from_file(
            session, desk.caller, AgentDefinition.model_validate(definition), desk.readiness
        )


async def test_applying_a_file_creates_updates_and_then_leaves_alone(desk: AgentDeps) -> None:
    definition = {
        "name": "Editor", "agent_type": "custom", "marketplace_category": "Content Creation", "prompt": "You edit.",
        "tools": ["text_stats"], "tags": "words, Text", "configuration": {"max_iterations": 5},
        "model_config": {"provider": "demo", "model_id": "demo"},
    }
    agent_id, action = await apply(desk, **definition)
    agent = (await desk.ask("GET", f"/{agent_id}")).json()

    assert action == "created"
    assert (agent["status"], agent["tools"], agent["tags"]) == ("active", ["text_stats"], ["words", "text"])
    assert (agent["custom_persona_prompt"], agent["use_custom_persona"]) == ("You edit.", True)
    assert await apply(desk, **definition) == (agent_id, "unchanged")
    assert (await desk.ask("GET", f"/{agent_id}")).json() == agent
    assert await apply(desk, **(definition | {"prompt": "You edit well."})) == (agent_id, "updated")
    await desk.ask("POST", f"/{agent_id}/deactivate")
    assert await apply(desk, **(definition | {"prompt": "You edit well."})) == (agent_id, "updated")
    assert (await desk.ask("GET", f"/{agent_id}")).json()["status"] == "active"


async def test_a_file_that_cannot_work_leaves_nothing(desk: AgentDeps) -> None:
    with pytest.raises(AgentNotReady):
        await apply(desk, name="Editor", tools=["shell"])
    with pytest.raises(UnknownTools):
        await apply(desk, name="Editor", tools=["rm"])
    assert (await desk.ask("GET")).json()["total"] == 0


async def test_references_carry_name_and_status(desk: AgentDeps, workspace_id: UUID) -> None:
    ada = await desk.create("Ada")
    async with desk.database.session(workspace_id) as session:
        refs = await service.describe(session, workspace_id, [ada["id"], 2**31 - 1])
    assert (refs[ada["id"]].name, refs[ada["id"]].status) == ("Ada", AgentStatus.INACTIVE)
    assert refs[2**31 - 1].status is None


async def test_other_rooms_learn_who_has_their_skills(desk: AgentDeps) -> None:
    shared, own, unused = [await desk.skill(name) for name in ("shared", "own", "unused")]
    bea, ada = await desk.create("Bea", skill_ids=[shared, own]), await desk.create("Ada", skill_ids=[shared])

    async with desk.database.session(desk.workspace_id) as session:
        users = await service.users_of_skills(session, desk.workspace_id, [shared, own, unused])
        elsewhere = await service.users_of_skills(session, new_id(), [shared])

    assert {skill: [user.agent_id for user in found] for skill, found in users.items()} == {
        shared: [ada["id"], bea["id"]], own: [bea["id"]]}
    assert elsewhere == {}
