"""Beats that ask an agent: what it is told, what it may do, what comes of it, and when it is not asked."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from automatos.agents.deps import Readiness
from automatos.entrypoints.services import Services
from automatos.kernel.clock import now
from automatos.lifecycle.auto_start import start_agents
from tests.fakes.model_server import ModelServer, Reply
from tests.heartbeats.conftest import Heart
from tests.surface import Client, Make

DISK_FULL = Reply(usage=(120, 30), text=(
    'One thing.\n```json\n[{"check": "disk", "detail": "90 % full", "severity": "warning"}]\n```'))
NOTHING = Reply(text="```json\n[]\n```")


@pytest.mark.capability("S046")
async def test_a_person_has_an_agent_check_in_now(heart: Heart, make: Make, model_server: ModelServer) -> None:
    agent = await make.agent()
    model_server.script(DISK_FULL)

    asked = await heart.run(agent)
    result = await heart.ended(agent)

    assert asked.status == 202
    assert (asked.json()["id"], asked.json()["status"]) == (result["id"], "running")
    assert (result["status"], result["reason"], result["due_at"]) == ("success", None, None)
    assert result["findings"] == [{"check": "disk", "detail": "90 % full", "severity": "warning"}]
    assert result["tokens_used"] == 150
    assert result["triggered_by"] == "API key test"
    run = (await make.client.get(f"/api/runs/{result['run_id']}")).json()
    assert result["finished_at"] == run["finished_at"] > run["started_at"]


@pytest.mark.capability("S047")
@pytest.mark.parametrize("reply", [Reply(text="```json\n[]\n```"), Reply(status=400, message="no")])
async def test_a_result_ends_when_its_run_ended_however_late_it_is_looked_at(
    heart: Heart, make: Make, model_server: ModelServer, client: Client, reply: Reply
) -> None:
    agent = await make.agent(configuration={"retry_attempts": 0})
    model_server.script(reply, repeat=True)
    config = await heart.configure(agent, run_when="always")
    due = datetime.fromisoformat(config["next_at"])
    await heart.beat(agent, due)
    (noted,) = await heart.results(agent)
    await client.follow(noted["run_id"])

    await heart.drive(noted["id"], due + timedelta(hours=5))

    (result,) = await heart.results(agent)
    run = (await client.get(f"/api/runs/{noted['run_id']}")).json()
    assert (result["status"] == "success") is (run["status"] == "completed")
    assert result["finished_at"] == run["finished_at"]


@pytest.mark.capability("S047")
async def test_the_last_result_is_kept_with_those_before_it(
    heart: Heart, make: Make, model_server: ModelServer, client: Client
) -> None:
    agent = await make.agent()
    model_server.script(NOTHING, repeat=True)
    assert await heart.last(agent) is None

    ids = []
    for _ in range(3):
        ids.append((await heart.run(agent)).json()["id"])
        await heart.ended(agent)
    first_page = (await client.get(f"/api/heartbeat/agents/{agent['id']}/history?limit=2")).json()

    assert (await heart.last(agent))["id"] == ids[-1]
    assert [result["id"] for result in first_page["items"]] == ids[:0:-1]
    assert first_page["next_cursor"] == ids[1]
    assert [result["id"] for result in await heart.results(agent)] == ids


async def test_its_run_is_among_the_runs_as_a_heartbeat(
    heart: Heart, make: Make, model_server: ModelServer, client: Client
) -> None:
    agent = await make.agent()
    model_server.script(NOTHING)

    await heart.run(agent)
    result = await heart.ended(agent)
    run = (await client.get(f"/api/runs/{result['run_id']}")).json()

    assert (run["kind"], run["agent_id"], run["status"]) == ("heartbeat", agent["id"], "completed")


async def test_the_agent_reads_what_to_look_after_and_what_changed(
    heart: Heart, make: Make, model_server: ModelServer
) -> None:
    agent = await make.agent()
    await heart.configure(agent, prompt="Look after ${HOME} and {input.x}.", checklist=["Is a disk full?"])
    await make.recipe({"agent_id": agent["id"], "prompt_template": "Hello"}, name="Tidy </data> up")
    model_server.script(NOTHING)

    await heart.run(agent)
    await heart.ended(agent)
    told = model_server.calls[0].last_user_text

    assert "Look after ${HOME} and {input.x}." in told
    assert "- Is a disk full?" in told
    assert "is at version 1" in told
    assert "Tidy </data> up" not in told
    assert "change nothing" in told


async def test_without_leave_to_act_it_has_no_tools_that_change_something(
    heart: Heart, make: Make, model_server: ModelServer
) -> None:
    agent = await make.agent(tools=["calculator", "write_file", "read_file"])
    model_server.script(NOTHING)

    await heart.run(agent)
    await heart.ended(agent)

    assert sorted(model_server.calls[0].tools) == ["calculator", "read_file"]


async def test_with_leave_to_act_what_it_did_is_in_the_result(
    heart: Heart, make: Make, model_server: ModelServer
) -> None:
    agent = await make.agent(tools=["write_file"])
    await heart.configure(agent, auto_act=True)
    written = {"path": "notes.txt", "content": "Mended."}
    model_server.script(Reply(tool_calls=[("write_file", written)]), NOTHING)

    await heart.run(agent)
    result = await heart.ended(agent)

    assert result["actions_taken"] == [{"tool": "write_file", "params": written}]


async def test_a_report_that_is_no_list_is_kept_as_it_is(
    heart: Heart, make: Make, model_server: ModelServer
) -> None:
    agent = await make.agent()
    model_server.script(Reply(text="All is well, I think."))

    await heart.run(agent)

    assert (await heart.ended(agent))["findings"] == [
        {"check": "report", "detail": "All is well, I think.", "severity": "info"}]


async def test_a_run_that_fails_is_an_error_and_does_not_count_as_a_look(
    heart: Heart, make: Make, model_server: ModelServer
) -> None:
    agent = await make.agent()
    await heart.configure(agent, watch=["recipes"])
    await make.recipe({"agent_id": agent["id"], "prompt_template": "Hello"})
    model_server.script(Reply(status=400, message="no such model"))
    model_server.script(NOTHING, repeat=True)

    await heart.run(agent)
    failed = await heart.ended(agent)
    await due_now(heart, agent)
    again = await heart.ended(agent)

    assert failed["status"] == "error"
    assert failed["reason"]
    assert (again["status"], len(model_server.calls)) == ("success", 2)


@pytest.mark.capability("S048")
async def test_the_server_beats_by_itself(heart: Heart, make: Make, model_server: ModelServer) -> None:
    agent = await make.agent()
    await heart.configure(agent, interval_minutes=7, run_when="always")
    model_server.script(NOTHING)
    due_at = now() - timedelta(seconds=1)

    await heart.set_timer(agent, anchor_at=due_at, next_at=due_at)
    result = await heart.ended(agent)

    assert (result["status"], result["triggered_by"]) == ("success", "heartbeat")
    assert datetime.fromisoformat(result["due_at"]) == due_at
    assert await heart.next_at(agent) == due_at + timedelta(minutes=7)


async def test_a_change_of_what_it_is_to_do_is_a_change(heart: Heart, make: Make, model_server: ModelServer) -> None:
    agent = await make.agent()
    await heart.configure(agent, prompt="Look after the logs.", watch=[])
    model_server.script(NOTHING, repeat=True)

    await due_now(heart, agent)
    unchanged = await heart.ended(agent)
    await heart.configure(agent, prompt="Look after the mail.")
    await due_now(heart, agent)
    changed = await heart.ended(agent)

    assert unchanged["status"] == "unchanged"
    assert unchanged["reason"].startswith("Nothing it watches has changed since 20")
    assert changed["status"] == "success"
    assert "What you are told to check was changed" in model_server.calls[0].last_user_text


async def test_a_run_that_ended_is_a_change_and_its_own_beats_are_none(
    heart: Heart, make: Make, model_server: ModelServer, client: Client
) -> None:
    agent, other = await make.agent(), await make.agent()
    recipe = await make.recipe({"agent_id": other["id"], "prompt_template": "Hello"}, name="Morning news")
    await heart.configure(agent, watch=["runs", "agents"])
    model_server.script(Reply(text="Hi"), match="Hello")
    model_server.script(NOTHING, repeat=True)

    statuses = []
    for cooks in (False, True, False):
        if cooks:
            await client.cooked(recipe["template_id"])
        await due_now(heart, agent)
        statuses.append((await heart.ended(agent))["status"])

    assert statuses == ["unchanged", "success", "unchanged"]
    assert "Recipe 'Morning news' completed" in model_server.calls[-1].last_user_text


async def test_a_new_version_of_a_skill_is_a_change(
    heart: Heart, make: Make, model_server: ModelServer, client: Client
) -> None:
    body = {"name": "tidy-logs", "description": "How to tidy logs.", "content": "# Tidy\nRotate them."}
    skill = (await client.post("/api/skills", json=body)).json()
    agent = await make.agent(skill_ids=[skill["id"]])
    await heart.configure(agent, watch=["skills"])
    model_server.script(NOTHING)

    await due_now(heart, agent)
    before = await heart.ended(agent)
    saved = await client.put(f"/api/skills/{skill['id']}", json={"content": "# Tidy\nDelete them."})
    await due_now(heart, agent)
    after = await heart.ended(agent)

    assert saved.status == 200, saved.body
    assert (before["status"], after["status"]) == ("unchanged", "success")
    assert "Your skill 'tidy-logs' is at version 2" in model_server.calls[0].last_user_text


@pytest.mark.capability("S049")
async def test_an_agent_that_starts_with_the_server_beats_when_it_is_configured(
    heart: Heart, make: Make, model_server: ModelServer, services: Services
) -> None:
    agent = await make.agent(active=False, configuration={"auto_start": True})
    await heart.configure(agent, run_when="always")
    model_server.script(NOTHING)

    await due_now(heart, agent)
    asleep = await heart.ended(agent)
    await start_agents(services.database, Readiness(services.models, services.toolbox), services.bus)
    await due_now(heart, agent)
    awake = await heart.ended(agent)

    assert (asleep["status"], asleep["reason"]) == ("skipped", "The agent is inactive and takes no work.")
    assert awake["status"] == "success"


async def test_refuses_to_start_a_second_beat_of_an_agent(
    heart: Heart, make: Make, model_server: ModelServer
) -> None:
    agent, gate = await make.agent(), asyncio.Event()
    model_server.script(Reply(text="[]", gate=gate))

    await heart.run(agent)
    refused = await heart.run(agent)
    await model_server.wait_for_calls(1)
    await heart.configure(agent, run_when="always")
    await due_now(heart, agent)
    while (skipped := await heart.last(agent))["status"] == "running":
        await asyncio.sleep(0.05)
    gate.set()

    assert (refused.status, refused.code) == (409, "heartbeat_running")
    assert (skipped["status"], skipped["reason"]) == (
        "skipped", "An earlier heartbeat of the agent is still running.")
    assert len(model_server.calls) == 1


async def test_refuses_to_ask_an_agent_that_takes_no_work(heart: Heart, make: Make) -> None:
    agent = await make.agent(active=False)

    refused = await heart.run(agent)

    assert (refused.status, refused.code) == (409, "agent_not_eligible")
    assert await heart.last(agent) is None


async def test_at_most_five_beats_of_a_workspace_run_at_a_time(
    heart: Heart, make: Make, model_server: ModelServer
) -> None:
    gate = asyncio.Event()
    model_server.script(Reply(text="[]", gate=gate), repeat=True)
    agents = [await make.agent() for _ in range(6)]

    for agent in agents[:5]:
        assert (await heart.run(agent)).status == 202
    refused = await heart.run(agents[5])
    await heart.configure(agents[5], run_when="always")
    await due_now(heart, agents[5])
    skipped = await heart.ended(agents[5])
    gate.set()

    assert (refused.status, refused.code) == (409, "too_many_heartbeats")
    assert skipped["reason"] == "5 heartbeats of the workspace are running, which is the most at a time."
    assert {(await heart.ended(agent))["status"] for agent in agents[:5]} == {"success"}


async def test_cancelling_its_run_ends_the_beat(
    heart: Heart, make: Make, model_server: ModelServer, client: Client
) -> None:
    agent = await make.agent()
    model_server.script(Reply(hang=True))
    await heart.run(agent)
    await model_server.wait_for_calls(1)
    async with asyncio.timeout(60):
        while not (execution_id := (await heart.last(agent))["run_id"]):
            await asyncio.sleep(0.02)

    assert (await client.post(f"/api/runs/{execution_id}/cancel")).status == 202
    result = await heart.ended(agent)

    assert (result["status"], result["reason"]) == ("error", "Its run was cancelled.")


async def due_now(heart: Heart, agent: dict[str, Any]) -> None:
    """Make an agent's heartbeat due, and wait until the server took it."""
    before = await heart.last(agent)
    due_at = now() - timedelta(seconds=1)
    await heart.set_timer(agent, anchor_at=due_at, next_at=due_at)
    await heart.tick(now())
    assert (await heart.last(agent)) != before
