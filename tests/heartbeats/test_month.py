"""Time passes, by an injected clock: what a month costs, when beats happen, and that none is doubled or lost."""

import asyncio
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from automatos.entrypoints.migrate import Migrated
from automatos.heartbeats.due import take_due
from automatos.kernel.clock import now
from automatos.kernel.db import Database
from tests.fakes.model_server import ModelServer, Reply
from tests.heartbeats.conftest import Heart, SilentBus
from tests.surface import Make

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = {"inherit_active_hours": False, "active_hours_start": "08:00", "active_hours_end": "20:00",
          "timezone": "Europe/Berlin"}
NOTHING = Reply(text="```json\n[]\n```")


def october() -> datetime:
    """The first of an October that is still to come; clocks in Berlin go back on its last Sunday."""
    return datetime(now().year + 1, 10, 1, tzinfo=BERLIN).astimezone(UTC)


async def begin(heart: Heart, agent: dict[str, Any], at: datetime, first_after: timedelta) -> None:
    """Set an agent's heartbeat as if it had been configured then."""
    await heart.set_timer(agent, anchor_at=at, next_at=at + first_after)


@pytest.mark.capability("S048")
async def test_a_month_in_which_nothing_changes_asks_no_model(
    heart: Heart, make: Make, model_server: ModelServer
) -> None:
    agent, began = await make.agent(), october()
    await heart.configure(agent, interval_minutes=60, **OFFICE)
    await begin(heart, agent, began, timedelta(hours=8))

    at = await heart.next_at(agent)
    while at < began + timedelta(days=31):
        at = await heart.beat(agent, at + timedelta(seconds=0.7))
    results = await heart.results(agent)

    due = [datetime.fromisoformat(result["due_at"]).astimezone(BERLIN) for result in results]
    assert Counter(result["status"] for result in results if result["due_at"]) == {"unchanged": len(results)}
    per_day = Counter(one.date() for one in due)
    days = {date(began.year, 10, number): 12 for number in range(1, 32)}
    assert {day: count for day, count in per_day.items() if day in days} == days
    assert {one.hour for one in due} == set(range(8, 20))
    assert model_server.calls == []


async def test_beats_after_a_change_ask_the_model_and_no_others(
    heart: Heart, make: Make, model_server: ModelServer
) -> None:
    agent, began = await make.agent(), october()
    await heart.configure(agent, interval_minutes=240, watch=["recipes"], **OFFICE)
    await begin(heart, agent, began, timedelta(hours=8))
    model_server.script(NOTHING, repeat=True)

    statuses: list[tuple[int, str]] = []
    for number in range(9):
        if number in {3, 7}:
            await make.recipe({"agent_id": agent["id"], "prompt_template": "Hello"})
        await heart.beat(agent, await heart.next_at(agent))
        statuses.append((number, (await heart.ended(agent))["status"]))

    assert [number for number, status in statuses if status == "success"] == [3, 7]
    assert {status for number, status in statuses if number not in {3, 7}} == {"unchanged"}
    assert len(model_server.calls) == 2


async def test_two_servers_that_look_at_once_take_each_beat_once(heart: Heart, make: Make, migrated: Migrated) -> None:
    agents = [await make.agent(active=False) for _ in range(8)]
    at = october()
    for agent in agents:
        await heart.configure(agent, interval_minutes=60)
        await begin(heart, agent, at - timedelta(hours=1), timedelta(hours=1))
    other = Database(migrated.url, role=migrated.role)
    await other.open()

    try:
        for hour in range(3):
            moment = at + timedelta(hours=hour, seconds=1)
            await asyncio.gather(*(take_due(database, SilentBus(), moment)
                                   for database in (heart.database, other, heart.database, other)))
    finally:
        await other.close()

    expected = [at + timedelta(hours=hour) for hour in range(3)]
    for agent in agents:
        due = [datetime.fromisoformat(result["due_at"]) for result in await heart.results(agent)]
        assert due == expected
        assert await heart.next_at(agent) == at + timedelta(hours=3)


async def test_a_server_that_was_down_makes_up_for_all_it_missed_with_one_beat(heart: Heart, make: Make) -> None:
    agent, began = await make.agent(), october()
    await heart.configure(agent, interval_minutes=90)
    await begin(heart, agent, began, timedelta(minutes=90))

    await heart.beat(agent, began + timedelta(days=7, minutes=1))
    await heart.beat(agent, began + timedelta(days=7, minutes=2))

    assert len(await heart.results(agent)) == 1
    assert await heart.next_at(agent) == began + timedelta(minutes=90 * 113)


async def test_a_beat_that_comes_so_late_that_it_is_night_is_skipped(
    heart: Heart, make: Make, model_server: ModelServer
) -> None:
    agent, began = await make.agent(), october()
    await heart.configure(agent, interval_minutes=60, run_when="always", **OFFICE)
    await heart.set_timer(agent, anchor_at=began, next_at=began + timedelta(hours=19))

    await heart.beat(agent, began + timedelta(hours=23))
    result = await heart.last(agent)

    assert (result["status"], result["run_id"]) == ("skipped", None)
    assert "outside the active hours, 08:00 to 20:00 in Europe/Berlin" in result["reason"]
    assert await heart.next_at(agent) == began + timedelta(hours=32)
    assert model_server.calls == []


async def test_hours_that_cannot_be_read_allow_no_beat_and_the_timer_goes_on(
    heart: Heart, make: Make, model_server: ModelServer
) -> None:
    agent, began = await make.agent(), october()
    await heart.configure(agent, interval_minutes=60, run_when="always", inherit_active_hours=True)
    await write_setting(heart, "timezone", "Mars/Olympus")
    await begin(heart, agent, began, timedelta(hours=1))

    await heart.beat(agent, began + timedelta(hours=1))
    result = await heart.last(agent)

    assert result["status"] == "skipped"
    assert "timezone is 'Mars/Olympus'" in result["reason"]
    assert (await heart.config(agent))["active_hours"] is None
    assert await heart.next_at(agent) == began + timedelta(hours=2)
    assert model_server.calls == []


async def write_setting(heart: Heart, key: str, value: str) -> None:
    """Put a value where the settings room would refuse it today: an older server may have stored it."""
    async with heart.database.recording(heart.client.workspace_id) as connection:
        await connection.execute(
            "INSERT INTO system_settings (workspace_id, category, key, value, value_type, updated_by) "
            "VALUES ($1, 'heartbeat', $2, $3, 'string', 'test') "
            "ON CONFLICT (workspace_id, category, key) DO UPDATE SET value = excluded.value",
            heart.client.workspace_id, key, f'"{value}"')
