"""What a run needs of an agent is read from its row again whenever anything in it has changed, and only then."""

import pytest

from automatos.agents import specs
from automatos.agents.service import load_for_run
from automatos.kernel.db import Database
from tests.surface import Client, Make


async def test_an_agent_whose_row_is_the_same_is_the_same(client: Client, make: Make, database: Database) -> None:
    agent = await make.agent()

    first, second = [await load_for_run(database, client.workspace_id, [agent["id"]]) for _ in range(2)]

    assert second[0] is first[0]


async def test_whatever_changes_of_an_agent_counts_for_the_next_run(
    client: Client, make: Make, database: Database
) -> None:
    personas = f"/api/workspaces/{client.workspace_id}/personas"
    persona = (await client.post(personas, json={
        "name": "Captain", "category": "custom", "system_prompt": "You speak as a captain."})).json()
    agent = await make.agent(persona_id=persona["id"])

    async def spec() -> specs.AgentSpec:
        return (await load_for_run(database, client.workspace_id, [agent["id"]]))[0]

    before = await spec()
    assert (await client.put(f"{personas}/{persona['id']}", json={"system_prompt": "Aye."})).status == 200
    with_persona = await spec()
    assert (await client.put(f"/api/agents/{agent['id']}", json={"configuration": {"max_iterations": 3}})).status == 200
    with_limit = await spec()
    assert (await client.post(f"/api/agents/{agent['id']}/pause")).status == 200

    assert [before.persona and before.persona.system_prompt, with_persona.persona and with_persona.persona.system_prompt
            ] == ["You speak as a captain.", "Aye."]
    assert (before.settings.max_iterations, with_limit.settings.max_iterations) == (25, 3)
    assert (with_limit.status, (await spec()).status) == ("active", "paused")


async def test_so_many_agents_are_kept_and_no_more(
    client: Client, make: Make, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(specs, "MOST_KEPT", 1)
    agents = [(await make.agent())["id"] for _ in range(2)]

    await load_for_run(database, client.workspace_id, agents)

    assert list(specs._kept) == [max(agents)]
