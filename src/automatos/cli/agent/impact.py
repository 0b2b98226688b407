"""What a change of an agent's status would touch, as people read it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from automatos.cli.console import say
from automatos.kernel.figures import duration, quantity

NAMED = 10


def is_felt(impact: dict[str, Any]) -> bool:
    """Say whether anything would notice the change."""
    found = impact["impact_analysis"]
    return bool(found["active_workflows"] or found["queued_tasks"] or found["dependent_agents"] or found["dependents"])


def say_impact(impact: dict[str, Any]) -> None:
    """Tell what a change touches, what it costs and what is advised."""
    how = f", {impact['shutdown_type']}" if impact["shutdown_type"] else ""
    say(f"{impact['agent_name']}: {impact['current_status']} -> {impact['proposed_status']}{how}")
    for line in _lines(impact):
        say(f"  {line}")


def _lines(impact: dict[str, Any]) -> Iterator[str]:
    found = impact["impact_analysis"]
    yield from _work(impact)
    if queued := found["queued_tasks"]:
        yield f"{quantity(queued, 'task')} in its queue"
    used_by = [f"{one['kind']} {one['name']!r}" for one in found["dependents"]]
    used_by += [f"agent {one['name']!r} ({one['dependency_type']})" for one in found["dependent_agents"]]
    yield from (f"used by {line}" for line in _first(used_by))
    system = found["system_impact"]
    if system["performance_degradation"]:
        yield f"the workspace loses {system['performance_degradation']:g}% of what it gets done"
    if impact["will_interrupt"] or impact["will_cancel"]:
        basis, recovery = system["basis"].rstrip("."), system["recovery_time_estimate"]
        yield f"availability impact {system['availability_impact'].lower()}, made good in {recovery} ({basis})"
    yield from (f"{one['type']}: {one['message']}" for one in found["recommendations"])


def _work(impact: dict[str, Any]) -> Iterator[str]:
    """Yield each unfinished run with what becomes of it."""
    fates = {run: fate for fate in ("interrupt", "cancel", "await") for run in impact[f"will_{fate}"]}
    said = {"interrupt": "will be interrupted", "cancel": "will be cancelled", "await": "will be waited for"}
    yield from _first([
        f"{one['place']} {one['kind']} {one['name']!r} (run ...{one['id'][-6:]}{ends_in(one)})"
        f"{' ' + said[fates[one['id']]] if one['id'] in fates else ''}"
        for one in impact["impact_analysis"]["active_workflows"]])


def _first(lines: list[str]) -> Iterator[str]:
    yield from lines[:NAMED]
    if len(lines) > NAMED:
        yield f"and {len(lines) - NAMED} more"


def ends_in(work: dict[str, Any]) -> str:
    """Write when unfinished work is likely to end; nothing where nobody can know."""
    remaining = work["remaining_s"]
    return "" if remaining is None else f", about {duration(int(remaining * 1000))} to go"


def from_now(at: str | None) -> str:
    """Write a time to come as a distance from now."""
    if at is None:
        return "nobody can say when"
    seconds = (datetime.fromisoformat(at) - datetime.now(UTC)).total_seconds()
    return "now" if seconds < 1 else f"in about {duration(int(seconds * 1000))}"
