"""How heartbeats stand in a workspace: what is planned, what runs, what was found, what it cost."""

from datetime import datetime, timedelta

from automatos.kernel.clock import now
from tests.fakes.model_server import ModelServer, Reply
from tests.heartbeats.conftest import Heart
from tests.surface import Client, Make

NOTHING = Reply(text="```json\n[]\n```", usage=(100, 20))


async def test_a_workspace_without_heartbeats(client: Client, make: Make) -> None:
    agent = await make.agent(active=False)

    status = (await client.get("/api/heartbeat/status")).json()
    analytics = (await client.get("/api/heartbeat/analytics")).json()

    assert status == {"active": True, "running": 0, "due": 0, "jobs": [], "total": 0}
    assert (await client.get("/api/heartbeat/workspace")).json() == {"items": [], "total": 0}
    assert (await client.get(f"/api/heartbeat/agents/{agent['id']}/history")).json() == {
        "items": [], "next_cursor": None}
    assert analytics["recent_events"] == []
    assert analytics["today"] | {"since": None} == {
        "since": None, "total_heartbeats": 0, "successes": 0, "errors": 0, "unchanged": 0, "skipped": 0,
        "total_tokens": 0, "total_cost_usd": "0.000000", "known_cost_usd": "0.000000", "unpriced_heartbeats": 0}


async def test_lists_what_is_planned_the_soonest_first(heart: Heart, make: Make, client: Client) -> None:
    late, soon, off = [await make.agent(name, active=False) for name in ("Late", "Soon", "Off")]
    await heart.configure(late, interval_minutes=600)
    await heart.configure(soon, interval_minutes=60)
    await heart.configure(off, enabled=False)

    status = (await client.get("/api/heartbeat/status")).json()
    listed = (await client.get("/api/heartbeat/workspace")).json()

    assert [job["agent_name"] for job in status["jobs"]] == ["Soon", "Late"]
    assert (status["total"], status["due"], status["running"]) == (2, 0, 0)
    assert [(one["agent_name"], one["enabled"], one["interval_minutes"]) for one in listed["items"]] == [
        ("Soon", True, 60), ("Late", True, 600), ("Off", False, 60)]
    assert [one["agent_status"] for one in listed["items"]] == ["inactive"] * 3
    assert listed["total"] == 3


async def test_counts_the_day_and_lists_the_newest(
    heart: Heart, make: Make, client: Client, model_server: ModelServer
) -> None:
    agent, asleep = await make.agent("Awake"), await make.agent("Asleep", active=False)
    model_server.script(NOTHING)
    for one in (agent, asleep):
        await heart.configure(one, watch=[])
    await heart.run(agent)
    success = await heart.ended(agent)
    for one in (agent, asleep):
        await heart.set_timer(one, anchor_at=now(), next_at=now() - timedelta(seconds=5))
    await heart.tick(now())
    await heart.ended(agent)
    await heart.ended(asleep)

    analytics = (await client.get("/api/heartbeat/analytics")).json()
    last = {one["agent_name"]: one["last"]["status"]
            for one in (await client.get("/api/heartbeat/workspace")).json()["items"]}
    today = analytics["today"]

    assert datetime.fromisoformat(today["since"]) <= now()
    assert (today["total_heartbeats"], today["successes"], today["unchanged"], today["skipped"]) == (3, 1, 1, 1)
    assert (today["errors"], today["total_tokens"]) == (0, 120)
    assert [event["status"] for event in analytics["recent_events"]][-1] == "success"
    assert analytics["recent_events"][-1] == success | {"agent_name": "Awake"}
    assert last == {"Awake": "unchanged", "Asleep": "skipped"}


async def test_the_day_begins_in_the_time_zone_of_the_workspace(client: Client) -> None:
    assert (await client.put("/api/settings/heartbeat/timezone", json={"value": "Asia/Kolkata"})).status == 200

    since = (await client.get("/api/heartbeat/analytics")).json()["today"]["since"]

    assert since.endswith("T00:00:00+05:30")


async def test_odd_cursors_and_limits_are_refused(client: Client, make: Make) -> None:
    agent = await make.agent(active=False)
    path = f"/api/heartbeat/agents/{agent['id']}/history"

    for query in ("limit=0", "limit=201", "limit=x", "cursor=nonsense", "cursor=%00"):
        assert (await client.get(f"{path}?{query}")).status == 422
