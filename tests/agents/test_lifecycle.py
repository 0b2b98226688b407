"""An agent becomes active only when it can work, and moves between statuses only as the table allows."""

import pytest

from automatos.agents import service
from automatos.agents.types import ELIGIBLE, TRANSITIONS, AgentStatus
from tests.agents.conftest import Desk


@pytest.mark.capability("S099")
async def test_start_and_stop_set_active_and_inactive(desk: Desk) -> None:
    agent = await desk.create("Ada")

    started = await desk.ask("POST", f"/{agent['id']}/activate")
    again = await desk.ask("POST", f"/{agent['id']}/activate")

    assert (started.status_code, started.json()["status"]) == (200, "active")
    assert again.json() == started.json()
    stopped = await desk.ask("POST", f"/{agent['id']}/deactivate")
    assert (stopped.status_code, stopped.json()["status"]) == (200, "inactive")
    assert (await desk.audit())[1:] == [
        ("agent.status_changed", {"name": "Ada", "before": "inactive", "after": "active"}),
        ("agent.status_changed", {"name": "Ada", "before": "active", "after": "inactive"}),
    ]


@pytest.mark.capability("S098")
async def test_activation_is_refused_with_every_fault(desk: Desk) -> None:
    agent = await desk.create(
        "Ada", tools=["shell", "calculator"], model_config={"provider": "openai", "model_id": "gpt-4o"}
    )

    refused = await desk.ask("POST", f"/{agent['id']}/activate")

    assert (refused.status_code, refused.json()["code"]) == (409, "agent_not_ready")
    faults = refused.json()["faults"]
    assert len(faults) == 2
    assert "key for" in faults[0]
    assert "shell" in faults[1]
    assert (await desk.ask("GET", f"/{agent['id']}")).json()["status"] == "inactive"
    by_save = await desk.ask("PUT", f"/{agent['id']}", json={"status": "active", "description": "x"})
    assert (by_save.status_code, by_save.json()["code"]) == (409, "agent_not_ready")
    assert (await desk.ask("GET", f"/{agent['id']}")).json()["description"] is None


async def test_an_unknown_provider_is_a_fault(desk: Desk) -> None:
    agent = await desk.create("Ada", model_config={"provider": "nobody", "model_id": "x"})
    refused = await desk.ask("POST", f"/{agent['id']}/activate")
    assert refused.status_code == 409
    assert "nobody" in refused.json()["detail"]


async def test_an_active_agent_cannot_be_saved_into_one_that_cannot_work(desk: Desk) -> None:
    agent = await desk.create("Ada")
    await desk.ask("POST", f"/{agent['id']}/activate")
    refused = await desk.ask("PUT", f"/{agent['id']}", json={"tools": ["shell"]})
    assert (refused.status_code, refused.json()["code"]) == (409, "agent_not_ready")
    assert (await desk.ask("PUT", f"/{agent['id']}", json={"tools": ["research"]})).status_code == 200


@pytest.mark.parametrize("before", list(AgentStatus))
@pytest.mark.parametrize("after", list(AgentStatus))
async def test_only_listed_changes_are_made(desk: Desk, before: AgentStatus, after: AgentStatus) -> None:
    agent = await desk.create("Ada")
    async with desk.database.recording(desk.workspace_id) as connection:
        await connection.execute("UPDATE agents SET status = $1 WHERE id = $2", before, agent["id"])

    answer = await desk.ask("PUT", f"/{agent['id']}", json={"status": after})

    if before is after or after in TRANSITIONS[before]:
        assert (answer.status_code, answer.json()["status"]) == (200, after)
    else:
        assert (answer.status_code, answer.json()["code"]) == (409, "status_change_refused")
        assert answer.json()["allowed"] == sorted(TRANSITIONS[before])


async def test_only_active_and_idle_agents_are_available_and_missing_ones_are_named(desk: Desk) -> None:
    ids: dict[AgentStatus, int] = {}
    for status in AgentStatus:
        agent = await desk.create(status.value)
        ids[status] = agent["id"]
        async with desk.database.recording(desk.workspace_id) as connection:
            await connection.execute("UPDATE agents SET status = $1 WHERE id = $2", status, agent["id"])

    async with desk.database.session(desk.workspace_id) as session:
        missing = await service.unavailable_among(session, desk.workspace_id, [*ids.values(), 2**31 - 1])
        nobody = await service.unavailable_among(session, desk.workspace_id, [])

    assert {ref.name for ref in missing} == {s.value for s in AgentStatus if s not in ELIGIBLE} | {f"agent {2**31 - 1}"}
    assert next(ref for ref in missing if ref.id == 2**31 - 1).status is None
    assert nobody == []
