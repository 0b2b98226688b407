"""Configuring heartbeats: what is assumed, what is saved, what is refused, and who may."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from automatos.kernel.clock import now
from automatos.kernel.db import Database
from tests.heartbeats.conftest import Heart
from tests.surface import Client, Make, add_key

DEFAULTS: dict[str, Any] = {
    "enabled": False, "interval_minutes": 60, "inherit_active_hours": True, "active_hours_start": "08:00",
    "active_hours_end": "20:00", "timezone": "UTC", "prompt": "", "checklist": [], "run_when": "changed",
    "watch": ["agents", "recipes", "runs", "skills"], "auto_act": False, "report_to": "history",
}
WANTED: dict[str, Any] = {
    "enabled": True, "interval_minutes": 90, "inherit_active_hours": False, "active_hours_start": "22:00",
    "active_hours_end": "06:30", "timezone": "Europe/Berlin", "prompt": "Look after the logs.",
    "checklist": ["Is a disk full?"], "run_when": "always", "watch": ["runs"], "auto_act": True, "report_to": "history",
}


@pytest.mark.capability("S045")
async def test_shows_what_is_assumed_before_it_was_ever_configured(heart: Heart, make: Make) -> None:
    agent = await make.agent(active=False)

    config = await heart.config(agent)

    assert {name: config[name] for name in DEFAULTS} == DEFAULTS
    assert (config["agent_id"], config["version"], config["next_at"]) == (agent["id"], 0, None)
    assert config["active_hours"] == {"start": "08:00", "end": "20:00", "timezone": "UTC", "source": "workspace"}


@pytest.mark.capability("S045")
async def test_saves_a_configuration_and_shows_it(heart: Heart, make: Make) -> None:
    agent = await make.agent(active=False)

    saved = (await heart.save(agent, WANTED)).json()

    assert {name: saved[name] for name in WANTED} == WANTED
    assert saved["active_hours"] == {
        "start": "22:00", "end": "06:30", "timezone": "Europe/Berlin", "source": "agent"}
    assert await heart.config(agent) == saved


async def test_what_a_save_leaves_out_stays(heart: Heart, make: Make) -> None:
    agent = await make.agent(active=False)
    await heart.save(agent, WANTED)

    await heart.save(agent, {"prompt": "Look after the mail."})
    config = await heart.config(agent)

    assert {name: config[name] for name in WANTED} == WANTED | {"prompt": "Look after the mail."}
    assert config["version"] == 2


async def test_the_first_beat_comes_one_interval_after_it_was_switched_on(heart: Heart, make: Make) -> None:
    agent = await make.agent(active=False)

    config = await heart.configure(agent, interval_minutes=90)

    wait = datetime.fromisoformat(config["next_at"]) - now()
    assert timedelta(minutes=89) < wait <= timedelta(minutes=90)


async def test_a_save_that_leaves_the_interval_leaves_the_timer(heart: Heart, make: Make) -> None:
    agent = await make.agent(active=False)
    before = await heart.configure(agent, interval_minutes=90)

    after = await heart.configure(agent, interval_minutes=90, prompt="Look after the logs.")

    assert after["next_at"] == before["next_at"]


async def test_switches_on_and_off(heart: Heart, make: Make, client: Client) -> None:
    agent = await make.agent(active=False)
    await heart.save(agent, {"prompt": "Look after the logs."})
    path = f"/api/heartbeat/{agent['id']}/toggle"

    on = (await client.send("PATCH", path, json={"enabled": True})).json()
    off = (await client.send("PATCH", path, json={"enabled": False})).json()

    assert on["enabled"]
    assert on["next_at"]
    assert not off["enabled"]
    assert off["next_at"] is None
    assert off["prompt"] == "Look after the logs."


async def test_uses_the_hours_of_the_workspace_unless_it_has_its_own(heart: Heart, make: Make, client: Client) -> None:
    agent = await make.agent(active=False)
    for key, value in {"active_hours_start": "09:00", "active_hours_end": "17:00", "timezone": "Asia/Kolkata"}.items():
        assert (await client.put(f"/api/settings/heartbeat/{key}", json={"value": value})).status == 200

    config = await heart.config(agent)

    assert config["active_hours"] == {
        "start": "09:00", "end": "17:00", "timezone": "Asia/Kolkata", "source": "workspace"}


async def test_refuses_to_overwrite_what_somebody_else_saved(heart: Heart, make: Make) -> None:
    agent = await make.agent(active=False)
    seen = await heart.save(agent, {"prompt": "Mine"})
    await heart.save(agent, {"prompt": "Theirs"})

    refused = await heart.save(agent, {"prompt": "Mine again"}, headers={"If-Match": seen.headers["ETag"]})

    assert (refused.status, refused.code) == (412, "stale_edit")
    assert refused.json()["current"]["prompt"] == "Theirs"
    assert (await heart.config(agent))["prompt"] == "Theirs"


@pytest.mark.parametrize(("field", "value"), [
    ("interval_minutes", 0), ("interval_minutes", 43_201), ("interval_minutes", 1.5), ("interval_minutes", "60"),
    ("interval_minutes", True), ("interval_minutes", None), ("enabled", "yes"), ("enabled", 1),
    ("active_hours_start", "8:00"), ("active_hours_start", "24:00"), ("active_hours_end", "12:60"),
    ("active_hours_end", "\u0661\u0662:00"), ("active_hours_end", ""), ("timezone", "Mars/Olympus"), ("timezone", ""),
    ("timezone", "../../etc/passwd"), ("timezone", "/etc/localtime"), ("timezone", "x" * 5000),
    ("prompt", "x" * 8001), ("prompt", "a\x00b"), ("checklist", ["x"] * 51), ("checklist", ["x" * 501]),
    ("checklist", 5), ("run_when", "sometimes"), ("watch", ["files"]), ("watch", "runs"),
    ("watch", ["runs"] * 21), ("auto_act", "no"), ("report_to", "webhook"), ("webhook_url", "http://10.0.0.1/"),
    ("channel_id", "C07"), ("report_to", "channel"), ("proactive_level", "silent"), ("proactive_level", "autonomous"),
    ("proactive_level", 3), ("agent_id", 7), ("next_at", "2026-01-01T00:00:00Z"),
])
async def test_refuses_what_it_cannot_keep_and_names_the_field(
    heart: Heart, make: Make, field: str, value: object
) -> None:
    agent = await make.agent(active=False)

    refused = await heart.save(agent, {field: value})

    assert refused.status == 422
    assert field in refused.body.decode() or "NUL" in refused.body.decode()
    assert (await heart.config(agent))["version"] == 0


@pytest.mark.parametrize(("level", "may_act"), [("notify", False), ("act_notify", True)])
async def test_a_level_of_the_published_description_says_whether_it_may_act(
    heart: Heart, make: Make, level: str, may_act: bool
) -> None:
    agent = await make.agent(active=False)

    saved = await heart.save(agent, {"proactive_level": level})
    again = await heart.save(agent, {"proactive_level": level, "auto_act": may_act})
    contradicting = await heart.save(agent, {"proactive_level": level, "auto_act": not may_act})

    assert (saved.json()["auto_act"], again.json()["version"]) == (may_act, saved.json()["version"])
    assert (contradicting.status, "contradict" in contradicting.body.decode()) == (422, True)
    assert (await heart.config(agent))["auto_act"] is may_act


async def test_lists_each_thing_it_watches_once_and_no_empty_lines(heart: Heart, make: Make) -> None:
    agent = await make.agent(active=False)

    saved = (await heart.save(agent, {"watch": ["runs", "agents", "runs"], "checklist": [" a ", "", "  "]})).json()

    assert (saved["watch"], saved["checklist"]) == (["runs", "agents"], ["a"])


ROUTES = [
    ("GET", "/api/heartbeat/agents/{id}/config", None), ("PUT", "/api/heartbeat/agents/{id}/config", {"enabled": True}),
    ("POST", "/api/heartbeat/agents/{id}/run", None), ("GET", "/api/heartbeat/agents/{id}/last", None),
    ("GET", "/api/heartbeat/agents/{id}/history", None),
    ("PATCH", "/api/heartbeat/{id}/toggle", {"enabled": True}),
]


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
async def test_a_foreign_agent_answers_like_an_absent_one(
    make: Make, stranger: Client, method: str, path: str, body: Any
) -> None:
    agent = await make.agent()

    foreign = await stranger.send(method, path.format(id=agent["id"]), json=body)
    absent = await stranger.send(method, path.format(id=2**31 - 1), json=body)

    assert (foreign.status, foreign.code) == (absent.status, absent.code) == (404, "agent_not_found")


async def test_another_workspace_sees_none_of_it(heart: Heart, make: Make, stranger: Client) -> None:
    agent = await make.agent()
    await heart.configure(agent)

    assert (await stranger.get("/api/heartbeat/workspace")).json()["items"] == []
    assert (await stranger.get("/api/heartbeat/status")).json()["jobs"] == []
    assert (await stranger.get("/api/heartbeat/analytics")).json()["recent_events"] == []


@pytest.mark.parametrize(("method", "path", "body"), [route for route in ROUTES if route[0] != "GET"])
async def test_viewers_may_look_and_change_nothing(
    make: Make, client: Client, database: Database, method: str, path: str, body: Any
) -> None:
    agent = await make.agent()
    viewer = Client(client.http, client.workspace_id,
                    {"X-API-Key": await add_key(database, client.workspace_id, "viewer")})

    refused = await viewer.send(method, path.format(id=agent["id"]), json=body)

    assert (refused.status, refused.code) == (403, "role_too_low")
    assert (await viewer.get(f"/api/heartbeat/agents/{agent['id']}/config")).json()["version"] == 0


async def test_every_save_is_in_the_audit_log(heart: Heart, make: Make, client: Client) -> None:
    agent = await make.agent(active=False)

    await heart.save(agent, {"prompt": "Look after the logs."})
    await heart.save(agent, {"prompt": "Look after the logs."})
    entries = (await client.get("/api/audit?action=heartbeat")).json()["items"]

    assert [(entry["action"], entry["target_id"]) for entry in entries] == [
        ("heartbeat.configured", str(agent["id"]))]
    assert entries[0]["detail"]["new"]["prompt"] == "Look after the logs."


async def test_an_agent_whose_heartbeat_is_on_is_in_use(heart: Heart, make: Make, client: Client) -> None:
    agent = await make.agent(active=False)
    await heart.configure(agent, interval_minutes=90)

    found = (await client.get(f"/api/agents/{agent['id']}/deletion")).json()["impact_analysis"]["dependents"]

    assert {"kind": "heartbeat", "id": str(agent["id"]), "name": "Every 90 minutes"} in found
