"""A process dies at the worst moments of a beat: the beat goes on, and the model is asked once."""

from datetime import datetime, timedelta
from typing import Any

from automatos.durable.types import HeldJob
from automatos.heartbeats.due import follow_hours, forget_old_results
from automatos.heartbeats.jobs import handlers, periodic_tasks
from automatos.kernel.clock import now
from automatos.kernel.ids import new_id
from tests.fakes.model_server import ModelServer, Reply
from tests.heartbeats.conftest import Heart
from tests.surface import Make

NOTHING = Reply(text="```json\n[]\n```")


async def test_a_beat_whose_run_was_started_and_not_noted_finds_that_run_again(
    heart: Heart, make: Make, model_server: ModelServer
) -> None:
    agent = await make.agent()
    model_server.script(NOTHING, repeat=True)
    asked = (await heart.run(agent)).json()
    first = await heart.ended(agent)

    await undo(heart, asked, execution_id=None, status="running", finished_at=None)
    await heart.save(agent, {"prompt": "Something else by now."})
    while not await heart.drive(asked["id"], now()):
        pass
    again = await heart.last(agent)

    assert again["run_id"] == first["run_id"]
    assert again["status"] == "success"
    assert len(model_server.calls) == 1


async def test_two_who_drive_the_same_beat_start_one_run(heart: Heart, make: Make, model_server: ModelServer) -> None:
    agent = await make.agent()
    await heart.configure(agent, run_when="always")
    model_server.script(NOTHING, repeat=True)
    at = now() - timedelta(seconds=1)
    await heart.set_timer(agent, anchor_at=at, next_at=at)

    await heart.beat(agent, now())
    await heart.ended(agent)

    assert len(await heart.results(agent)) == 1
    assert len(model_server.calls) == 1


async def test_an_end_is_written_once(heart: Heart, make: Make, model_server: ModelServer) -> None:
    agent = await make.agent()
    model_server.script(NOTHING)
    asked = (await heart.run(agent)).json()
    before = await heart.ended(agent)

    await handlers(heart.database, heart.bus)["heartbeats.beat"].give_up(job_of(heart, asked), "its worker stopped")

    assert await heart.last(agent) == before


async def test_a_beat_that_kills_its_workers_is_given_up(heart: Heart, make: Make) -> None:
    agent = await make.agent()
    asked = await open_result(heart, agent)

    await handlers(heart.database, heart.bus)["heartbeats.beat"].give_up(job_of(heart, asked), "its worker stopped")

    assert (await heart.last(agent))["reason"] == "The beat was given up: its worker stopped."


async def test_old_results_are_forgotten(heart: Heart, make: Make, model_server: ModelServer) -> None:
    agent = await make.agent()
    model_server.script(NOTHING, repeat=True)
    old = (await heart.run(agent)).json()
    await heart.ended(agent)
    kept = (await heart.run(agent)).json()
    await heart.ended(agent)
    await undo(heart, old, created_at=now() - timedelta(days=91))

    await forget_old_results(heart.database, now())

    assert [result["id"] for result in await heart.results(agent)] == [kept["id"]]


async def test_a_heartbeat_that_cannot_be_taken_stands_in_no_others_way(heart: Heart, make: Make) -> None:
    broken, whole = await make.agent(active=False), await make.agent(active=False)
    at = now()
    for agent in (broken, whole):
        await heart.configure(agent)
    await heart.set_timer(broken, config={"interval_minutes": "odd"}, next_at=at - timedelta(seconds=9))
    await heart.set_timer(whole, next_at=at - timedelta(seconds=5))

    await heart.tick(at)

    assert await heart.last(broken) is None
    assert (await heart.ended(whole))["status"] == "skipped"
    assert await heart.next_at(broken) > at


async def test_a_save_does_not_lose_a_beat_that_is_due(heart: Heart, make: Make) -> None:
    agent = await make.agent(active=False)
    await heart.configure(agent, interval_minutes=60)
    due_at = now() + timedelta(seconds=0.3)
    await heart.set_timer(agent, anchor_at=due_at, next_at=due_at)

    await heart.configure(agent, interval_minutes=60, prompt="Look after the logs.")
    planned = await heart.next_at(agent)

    assert planned in {due_at, due_at + timedelta(minutes=60)}
    await heart.tick(due_at)
    assert datetime.fromisoformat((await heart.ended(agent))["due_at"]) == due_at


async def test_timers_follow_the_hours_of_the_workspace(heart: Heart, make: Make) -> None:
    agent = await make.agent(active=False)
    await heart.save(agent, {"enabled": True, "interval_minutes": 1})
    hour = (now() + timedelta(hours=3)).hour
    for key, value in {"active_hours_start": f"{hour:02}:00", "active_hours_end": f"{hour:02}:30"}.items():
        answer = await heart.client.put(f"/api/settings/heartbeat/{key}", json={"value": value})
        assert answer.status == 200, answer.body

    await follow_hours(heart.database, now())
    planned = await heart.next_at(agent)

    assert (planned.hour, planned.minute) == (hour, 0)


def test_switched_off_it_plans_nothing_and_still_tidies_up(heart: Heart) -> None:
    on = {task.name for task in periodic_tasks(heart.database, heart.bus)}
    off = {task.name for task in periodic_tasks(heart.database, heart.bus, is_enabled=False)}

    assert on - off == {"heartbeats.take_due", "heartbeats.follow_hours"}
    assert off == {"heartbeats.forget_old_results"}


async def undo(heart: Heart, result: dict[str, Any], **columns: Any) -> None:
    """Set columns of a result back, as if the process had died before it wrote them."""
    async with heart.database.recording(heart.client.workspace_id) as connection:
        for name, value in columns.items():
            await connection.execute(f"UPDATE heartbeat_results SET {name} = $2 WHERE id = $1", result["id"], value)


async def open_result(heart: Heart, agent: dict[str, Any]) -> dict[str, Any]:
    """Add a beat that nobody drives."""
    result = {"id": str(new_id())}
    async with heart.database.recording(heart.client.workspace_id) as connection:
        await connection.execute(
            "INSERT INTO heartbeat_results (id, workspace_id, agent_id, status) VALUES ($1, $2, $3, 'running')",
            result["id"], heart.client.workspace_id, agent["id"])
    return result


def job_of(heart: Heart, result: dict[str, Any]) -> HeldJob:
    return HeldJob("heartbeats.beat", result["id"], heart.client.workspace_id, 4, new_id())
