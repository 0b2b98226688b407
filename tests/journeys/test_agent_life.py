"""The whole life of an agent, as its people live it: made, configured, active, at work, drained, deleted."""

import asyncio

import pytest

from automatos.kernel.db import Database
from tests.fakes.model_server import ModelServer, Reply
from tests.surface import Client


@pytest.mark.capability("S010", "S015", "S093", "S099", "S101", "S016", "S109")
async def test_create_configure_activate_execute_drain_delete(
    client: Client, model_server: ModelServer, database: Database
) -> None:
    made = await client.post("/api/agents", json={
        "name": "Ada", "marketplace_category": "Data Analysis", "tags": ["Numbers, sums"], "tools": ["calculator"]})
    agent = made.json()
    path = f"/api/agents/{agent['id']}"
    assert (made.status, agent["status"], agent["agent_type"]) == (201, "inactive", "data_analyst")

    configured = await client.put(path, headers={"If-Match": made.headers["ETag"]}, json={
        "description": "Reckons", "custom_persona_prompt": "You reckon.", "use_custom_persona": True,
        "model_config": {"provider": "openai", "model_id": "fake-model", "temperature": 0.1},
        "configuration": {"max_concurrent_tasks": 1, "retry_attempts": 0}})
    assert configured.status == 200, configured.body
    active = await client.post(f"{path}/activate")
    assert active.json()["status"] == "active"

    gate = asyncio.Event()
    model_server.script(Reply(text="Done.", gate=gate))
    first, second = [
        (await client.post(f"{path}/execute", json={"prompt": prompt})).json() for prompt in ("one", "two")]
    await model_server.wait_for_calls(1)
    assert model_server.calls[0].body["temperature"] == 0.1
    assert (await client.get(f"{path}/status")).json()["workload"] | {"active": []} == {
        "running": 1, "queued": 1, "capacity": 1, "active": []}

    unconfirmed = await client.post(f"{path}/deactivate")
    assert (unconfirmed.status, unconfirmed.code) == (409, "impact_not_confirmed")
    preview = (await client.post(f"{path}/status/preview", json={"status": "inactive"})).json()
    drained = await client.put(f"{path}/status", json={
        "status": "inactive", "impact_token": preview["impact_token"],
        "confirmations": [one["id"] for one in preview["required_confirmations"]]})
    assert drained.json()["shutdown"]["awaiting"] == [first["execution_id"]]
    assert (await client.post(f"{path}/execute", json={"prompt": "three"})).code == "agent_not_eligible"
    await client.follow(second["execution_id"])
    gate.set()
    async with asyncio.timeout(60):
        while (await client.get(path)).json()["status"] != "inactive":
            await asyncio.sleep(0.05)

    runs = [(await client.get(f"/api/runs/{task['execution_id']}")).json()["status"] for task in (first, second)]
    assert runs == ["completed", "cancelled"]
    deleted = await client.delete(path)
    assert deleted.status == 204, deleted.body
    assert (await client.get(path)).status == 404
    assert (await client.get(f"/api/runs/{first['execution_id']}")).json()["status"] == "completed"
    async with asyncio.timeout(60), database.recording(client.workspace_id) as connection:
        while not (usage := await connection.fetch("SELECT agent_id FROM llm_usage")):
            await asyncio.sleep(0.05)  # the ledger follows the answer
    assert [row["agent_id"] for row in usage] == [None]
