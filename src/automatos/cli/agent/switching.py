"""Stopping an agent: its impact shown, its effects confirmed, and the stop followed to its end."""

import time
from dataclasses import dataclass
from typing import Any

from automatos.cli.agent.impact import from_now, is_felt, say_impact
from automatos.cli.asking import Manner
from automatos.cli.client import Client, Refused
from automatos.cli.console import Exit, put_json, say
from automatos.kernel.figures import quantity

TRIES = 3
POLL_S = 1.0


@dataclass(frozen=True)
class Stop:
    """How an agent is stopped: what it becomes, in which way, and whether the command waits for it."""

    target: str
    shutdown_type: str
    wait: bool


def stop(client: Client, agent: dict[str, Any], order: Stop, manner: Manner) -> int:
    """Stop an agent; what changes between the question and the answer is shown and asked again."""
    changed = _change(client, agent, order, manner)
    shutdown = changed["shutdown"]
    is_waiting = shutdown is not None and not shutdown["is_done"]
    if order.wait and is_waiting:
        return _wait(client, agent, manner)
    manner.tell(changed, _said(changed["agent"], shutdown))
    if is_waiting and not manner.as_json:
        say(f"follow it with: automatos agent status {agent['id']} --watch")
        say(f"call it off with: automatos agent stop {agent['id']} --cancel")
    return Exit.OK


def _change(client: Client, agent: dict[str, Any], order: Stop, manner: Manner) -> dict[str, Any]:
    path = f"/api/agents/{agent['id']}/status"
    wanted = {"status": order.target, "shutdown_type": order.shutdown_type}
    for tries_left in reversed(range(TRIES)):
        impact = client.post(f"{path}/preview", wanted)
        if needed := impact["required_confirmations"]:
            say_impact(impact)
            for one in needed:
                say(f"to be agreed to: {one['text']}")
            manner.agree(f"Stop agent {impact['agent_name']!r}?")
        elif is_felt(impact):
            say_impact(impact)
        try:
            return client.put(path, wanted | {"confirmations": [one["id"] for one in needed],
                                              "impact_token": impact["impact_token"]})
        except Refused as refused:
            if refused.problem.get("code") != "impact_changed" or not tries_left:
                raise
            say("what it touches has changed meanwhile:")
    raise AssertionError("the last try returns or raises")


def _said(agent: dict[str, Any], shutdown: dict[str, Any] | None) -> str:
    if shutdown is None or shutdown["is_done"]:
        ended = [f"{quantity(len(shutdown[fate]), 'run')} {fate}" for fate in ("interrupted", "cancelled")
                 if shutdown[fate]] if shutdown else []
        return f"agent {agent['name']!r} is {agent['status']}" + (f"; {', '.join(ended)}" if ended else "")
    return (f"agent {agent['name']!r} stops once {quantity(len(shutdown['awaiting']), 'run')} ended: "
            f"{from_now(shutdown['inactive_at'])}")


def _wait(client: Client, agent: dict[str, Any], manner: Manner) -> int:
    """Follow a stop to its end."""
    before = ""
    try:
        while True:
            report = client.get(f"/api/agents/{agent['id']}/status")
            stopping = report["stopping"]
            if stopping is None:
                break
            line = f"waits for {quantity(stopping['awaiting_count'], 'run')}"
            if line != before:
                say(line)
            before = line
            time.sleep(POLL_S)
    except KeyboardInterrupt:
        say(f"the stop goes on; call it off with: automatos agent stop {agent['id']} --cancel")
        return Exit.INTERRUPTED
    if manner.as_json:
        put_json(report)
    else:
        say(f"agent {report['name']!r} is {report['status']}")
    return Exit.OK


def call_off(client: Client, agent: dict[str, Any], manner: Manner) -> int:
    """Call a waiting stop off."""
    changed = client.delete(f"/api/agents/{agent['id']}/status/shutdown")
    manner.tell(changed, f"agent {changed['name']!r} goes on; it is {changed['status']}")
    return Exit.OK
