"""Commands about heartbeats: get, set, on, off, run, last, history, status."""

import time
from typing import Annotated, Any

import typer

from automatos.cli.asking import Manner
from automatos.cli.changes import read_fields, save
from automatos.cli.client import Client
from automatos.cli.console import Exit, misuse, put, put_json, put_table, say
from automatos.cli.figures import cost
from automatos.cli.finding import find_agent
from automatos.cli.options import AgentName, Document, Json, NoInput, Sets, Yes
from automatos.cli.pages import put_fields, short_time
from automatos.cli.watch import watch

app = typer.Typer()
PATIENCE_S = 15.0
POLL_S = 0.2
FIELDS = ("enabled", "interval", "hours", "run_when", "watch", "auto_act", "report_to", "prompt", "checklist",
          "next_at", "version")
BEATS = ("started", "status", "by", "tokens", "cost", "findings", "reason")
LISTED = ("agent", "status", "on", "every", "runs_when", "next", "last")


@app.command("get")
def get_heartbeat(agent: AgentName, as_json: Json = False) -> None:
    """Show when an agent checks in by itself, and what it does then."""

    client = Client()
    _show(client.get(f"{_path(client, agent)}/config"), as_json=as_json)


@app.command("set")
def set_heartbeat(
    *, agent: AgentName, file: Document = None, assignments: Sets = None,
    every: Annotated[int | None, typer.Option(min=1, max=43_200, help="Minutes between two beats.")] = None,
    hours: Annotated[
        str | None, typer.Option(metavar="START-END", help="Its own active hours, such as 08:00-20:00.")
    ] = None,
    timezone: Annotated[str | None, typer.Option(help="The time zone of its own hours, such as Europe/Berlin.")] = None,
    prompt: Annotated[str | None, typer.Option(help="What to look after.")] = None,
    check: Annotated[list[str] | None, typer.Option(help="A line of its checklist; may be repeated.")] = None,
    always: Annotated[
        bool | None, typer.Option("--always/--changed", help="Beat always, or only when something changed.")
    ] = None,
    yes: Yes = False, no_input: NoInput = False, as_json: Json = False,
) -> None:
    """Change an agent's heartbeat; what is left out stays. Shows the difference and asks."""

    given: dict[str, Any] = {
        "interval_minutes": every, "timezone": timezone, "prompt": prompt, "checklist": check or None,
        "run_when": None if always is None else "always" if always else "changed", **_hours(hours),
    }
    body = read_fields(file, assignments) | {name: value for name, value in given.items() if value is not None}
    if not body:
        misuse("there is nothing to change", "give --every, --hours or another option; see --help")
    client = Client()
    path = f"{_path(client, agent)}/config"
    now = client.get(path)
    save(client, path, now, body, Manner(as_json, yes, no_input), version=now["version"], name="the heartbeat")


def _hours(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    start, dash, end = text.partition("-")
    if not dash:
        misuse(f"{text!r} are no hours", "write START-END, for example 08:00-20:00")
    return {"active_hours_start": start.strip(), "active_hours_end": end.strip(), "inherit_active_hours": False}


@app.command("on")
def switch_on(agent: AgentName, as_json: Json = False) -> None:
    """Let an agent check in by itself."""
    _toggle(agent, is_on=True, as_json=as_json)


@app.command("off")
def switch_off(agent: AgentName, as_json: Json = False) -> None:
    """Let an agent check in no more."""
    _toggle(agent, is_on=False, as_json=as_json)


def _toggle(agent: str, *, is_on: bool, as_json: bool) -> None:
    client = Client()
    found = find_agent(client, agent)
    now = client.call("PATCH", f"/api/heartbeat/{found['id']}/toggle", body={"enabled": is_on}).body
    when = f"; next at {short_time(now['next_at'])} UTC" if now["next_at"] else ""
    Manner(as_json).tell(now, f"the heartbeat of agent {found['name']!r} is {'on' if now['enabled'] else 'off'}{when}")


@app.command("run")
def run_heartbeat(
    agent: AgentName,
    watching: Annotated[bool, typer.Option("--watch", "-w", help="Follow the run to its end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON; with --watch one event a line.")] = False,
) -> int:
    """Have an agent check in now; works while its heartbeat is off."""

    client = Client()
    path = _path(client, agent)
    result = client.post(f"{path}/run")
    result = _begun(client, path, result) if watching else result
    if watching and result["run_id"]:
        return watch(client, result["run_id"], as_json=as_json, exit_status=False, is_new=True)
    if as_json:
        put_json(result)
        return Exit.OK
    put(result["id"])
    say(f"see what came of it with: automatos heartbeat last {agent!r}")
    return Exit.OK


def _begun(client: Client, path: str, result: dict[str, Any]) -> dict[str, Any]:
    """Return a beat once its run has begun, or once it is over without one."""
    until = time.monotonic() + PATIENCE_S
    while result["status"] == "running" and not result["run_id"] and time.monotonic() < until:
        time.sleep(POLL_S)
        latest = client.get(f"{path}/last")
        result = latest if latest["id"] == result["id"] else result
    return result


@app.command("last")
def last_heartbeat(agent: AgentName, as_json: Json = False) -> None:
    """Show what an agent found when it last checked in."""

    client = Client()
    result = client.get(f"{_path(client, agent)}/last")
    if as_json:
        put_json(result)
        return
    if result is None:
        say("it has not checked in yet; have it do so with: automatos heartbeat run AGENT")
        return
    put_fields(_row(result) | {"run": result["run_id"]},
               ("id", "status", "reason", "started", "by", "run", "tokens", "cost"))
    for finding in result["findings"]:
        put(f"{finding['severity']}: {finding['check']}: {finding['detail']}")
    for action in result["actions_taken"]:
        put(f"used {action['tool']}")


@app.command("history")
def list_history(
    agent: AgentName, limit: Annotated[int, typer.Option(min=1, max=200)] = 20, as_json: Json = False
) -> None:
    """List what an agent found when it checked in, newest first."""

    client = Client()
    page = client.get(f"{_path(client, agent)}/history", limit=limit)
    if as_json:
        put_json(page)
        return
    put_table(map(_row, page["items"]), BEATS, spare=("tokens", "by", "cost"))
    if not page["items"]:
        say("it has not checked in yet; have it do so with: automatos heartbeat run AGENT")


@app.command("status")
def show_status(as_json: Json = False) -> None:
    """Show how the workspace's heartbeats stand."""

    client = Client()
    status, heartbeats = client.get("/api/heartbeat/status"), client.get("/api/heartbeat/workspace")["items"]
    if as_json:
        put_json(status | {"heartbeats": heartbeats})
        return
    say(f"heartbeats are {'on' if status['active'] else 'off on this server (HEARTBEAT_ENABLED)'}: "
        f"{status['total']} planned, {status['due']} due, {status['running']} running")
    put_table(({
        "agent": each["agent_name"], "status": each["agent_status"], "on": "on" if each["enabled"] else "off",
        "every": f"{each['interval_minutes']} min", "runs_when": each["run_when"], "next": short_time(each["next_at"]),
        "last": (each["last"] or {}).get("status"),
    } for each in heartbeats), LISTED, spare=("runs_when", "status"))
    if not heartbeats:
        say("none yet; begin with: automatos heartbeat on AGENT")


def _path(client: Client, agent: str) -> str:
    return f"/api/heartbeat/agents/{find_agent(client, agent)['id']}"


def _show(config: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        put_json(config)
        return
    hours = config["active_hours"]
    put_fields(config | {
        "interval": f"{config['interval_minutes']} minutes",
        "hours": f"{hours['start']}-{hours['end']} {hours['timezone']}, of the {hours['source']}" if hours else None,
    }, FIELDS)


def _row(result: dict[str, Any]) -> dict[str, Any]:
    return {"id": result["id"], "status": result["status"], "reason": result["reason"],
            "started": short_time(result["created_at"]), "by": result["triggered_by"],
            "tokens": result["tokens_used"], "cost": cost(result["cost_usd"]), "findings": len(result["findings"])}
