"""What people are told about effects: estimates with their basis, recommendations, what they have to confirm."""

import math
from datetime import timedelta

from automatos.agents.service import capacity_of
from automatos.agents.types import ELIGIBLE, AgentStatus, PriorityLevel, ShutdownType
from automatos.kernel.clock import now
from automatos.lifecycle.impact import MUCH_PERCENT, Effects
from automatos.lifecycle.schemas import (
    AffectedWork,
    DependentAgent,
    DependentThing,
    Impact,
    ImpactAnalysis,
    ImpactRecommendation,
    RequiredConfirmation,
    SystemImpact,
)
from automatos.lifecycle.types import Confirmation
from automatos.recipes.types import ActiveWork

NAMED = 3
"""How many things a sentence names before it only counts."""


def describe_impact(effects: Effects) -> Impact:
    """Return effects as clients get them, with estimates, advice and what must be confirmed."""
    agent = effects.agent
    return Impact(
        agent_id=agent.id, agent_name=agent.name, current_status=AgentStatus(agent.status),
        proposed_status=effects.proposed, shutdown_type=effects.shutdown_type,
        impact_analysis=ImpactAnalysis(
            active_workflows=[describe_work(one, agent.configuration) for one in effects.work],
            queued_tasks=len(effects.at("queued")),
            dependent_agents=[DependentAgent.model_validate(one) for one in effects.dependent_agents],
            dependents=[DependentThing.model_validate(one) for one in effects.dependents],
            system_impact=_system_impact(effects),
            recommendations=recommend(effects),
        ),
        required_confirmations=[
            RequiredConfirmation(id=name, text=_confirmation(effects, name, count), count=count)
            for name, count in effects.required().items()
        ],
        will_interrupt=[one.id for one in effects.interrupted], will_cancel=[one.id for one in effects.cancelled],
        will_await=[one.id for one in effects.awaited], will_fail=[one.id for one in effects.failing],
        impact_token=effects.token(),
    )


def describe_work(work: ActiveWork, configuration: dict[str, object]) -> AffectedWork:
    """Return a piece of work as clients get it; without a priority of its own it has its agent's."""
    agents_own = configuration.get("priority_level", PriorityLevel.MEDIUM)
    left_s = work.remaining_s
    return AffectedWork(
        id=work.id, name=work.name, kind=work.kind, priority=work.priority or PriorityLevel(str(agents_own)),
        status=work.status, place=work.place, remaining_s=left_s,
        estimated_completion=None if left_s is None else now() + timedelta(seconds=left_s),
    )


def _system_impact(effects: Effects) -> SystemImpact:
    recovery_s, basis = estimate_recovery(effects)
    return SystemImpact(
        performance_degradation=effects.performance_degradation,
        availability_impact="High" if effects.is_grave else "Low",
        recovery_time_estimate=spell(recovery_s), recovery_time_s=recovery_s, basis=basis,
    )


def estimate_recovery(effects: Effects) -> tuple[float | None, str]:
    """Return how long the agent would need to make up for what is lost, in seconds, and what that rests on.

    None means that there is no history to tell from.
    """
    lost = len(effects.interrupted) + len(effects.cancelled)
    if not lost:
        return 0.0, "No work is lost."
    median_s = effects.history.median_step_s
    if median_s is None:
        return None, f"No history: the agent finished no step in the last {effects.history.days} days."
    slots = max(capacity_of(effects.agent), 1)
    basis = (f"{counted(lost, 'task')} to do again, {slots} at a time, at a median of {spell(median_s)} a step over "
             f"{counted(effects.history.steps, 'step')} in the last {effects.history.days} days.")
    return round(math.ceil(lost / slots) * median_s, 1), basis


def recommend(effects: Effects) -> list[ImpactRecommendation]:
    """Return what is worth knowing before the change; at least one sentence for every kind of change."""
    if effects.proposed in ELIGIBLE:
        said = _about_starting(effects)
    elif effects.proposed == AgentStatus.PAUSED:
        said = _about_pausing(effects)
    elif effects.loses_agent:
        said = [*_about_work(effects), *_about_dependents(effects)]
    else:
        said = []
    if effects.proposed == AgentStatus.MAINTENANCE:
        said.append(_info("New work is refused until the agent is active again; its configuration and history stay."))
    return said or [_info("Nothing needs this agent now; the change touches nothing else.")]


def _about_starting(effects: Effects) -> list[ImpactRecommendation]:
    said: list[ImpactRecommendation] = []
    if waiting := len(effects.at("queued")):
        said.append(_info(f"{counted(waiting, 'queued task')} of the agent {_verb(waiting, 'goes', 'go')} on."))
    if recipes := _recipes(effects):
        said.append(_info(f"{counted(recipes, 'recipe')} that {_verb(recipes, 'names', 'name')} it can start again."))
    return said or [_info("The agent takes work from now on; nothing waits for it.")]


def _about_pausing(effects: Effects) -> list[ImpactRecommendation]:
    running, waiting = len(effects.at("running")), len(effects.at("queued"))
    said: list[str] = []
    if running:
        said.append(f"{counted(running, 'running task')} {_verb(running, 'freezes', 'freeze')} at the next turn")
    if waiting:
        said.append(f"{counted(waiting, 'queued task')} {_verb(waiting, 'waits', 'wait')}")
    held = f"{' and '.join(said)}, until the agent is resumed. " if said else ""
    return [_info(f"{held}New work waits until the agent is resumed; nothing is lost.")]


def _about_work(effects: Effects) -> list[ImpactRecommendation]:
    said: list[ImpactRecommendation] = []
    if cut := effects.interrupted:
        said.append(_critical(f"{counted(len(cut), 'running task')} will be interrupted: {named(cut)}. What has been "
                              "recorded stays, the step under way fails."))
        if effects.shutdown_type is ShutdownType.IMMEDIATE:
            said.append(_warning(f"A graceful stop lets {_verb(len(cut), 'it', 'them')} finish first."))
    if refused := effects.cancelled:
        instead = " A scheduled stop works them off first." if effects.shutdown_type else ""
        said.append(_warning(f"{counted(len(refused), 'queued task')} will be cancelled: {named(refused)}.{instead}"))
    if awaited := effects.awaited:
        said.append(_info(f"The stop waits for {counted(len(awaited), 'task')}: {named(awaited)}."))
    if later := effects.failing:
        said.append(_warning(f"{counted(len(later), 'execution')} will need the agent at a later step: {named(later)}. "
                             "That step fails unless the agent works again by then."))
    return said


def _about_dependents(effects: Effects) -> list[ImpactRecommendation]:
    said: list[ImpactRecommendation] = []
    if recipes := _recipes(effects):
        end = "until its steps have another agent" if effects.proposed == "deleted" else "until it is active again"
        which = _verb(recipes, "needs", "need")
        said.append(_warning(f"{counted(recipes, 'recipe')} that {which} the agent cannot start {end}."))
    if others := [one for one in effects.dependents if one.kind != "recipe"]:
        kinds = ", ".join(sorted({one.kind for one in others}))
        said.append(_warning(f"{len(others)} more {_verb(len(others), 'depends', 'depend')} on it ({kinds})."))
    if agents := effects.dependent_agents:
        names = ", ".join(one.name for one in agents[:NAMED]) + _and_more(len(agents))
        work = _verb(len(agents), "works", "work")
        said.append(_warning(f"{counted(len(agents), 'agent')} {work} with what it gives: {names}."))
    if (share := effects.performance_degradation) > MUCH_PERCENT:
        said.append(_warning(f"It did {share:g} % of the workspace's steps in the last {effects.history.days} days."))
    return said


def _confirmation(effects: Effects, name: Confirmation, count: int) -> str:
    texts = {
        Confirmation.WORKFLOWS: f"{counted(count, 'execution')} under way {_verb(count, 'needs', 'need')} this agent.",
        Confirmation.QUEUE: f"{counted(count, 'queued task')} will be cancelled.",
        Confirmation.DEPENDENCIES: f"{counted(count, 'dependent')} cannot count on this agent any more.",
        Confirmation.SHUTDOWN: "Delete the agent for good." if effects.proposed == "deleted" else "Stop the agent.",
    }
    return texts[name]


def counted(count: int, noun: str) -> str:
    """Return a number with its noun in the right form."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def named(work: list[ActiveWork]) -> str:
    """Return the names of the first pieces of work, and how many more there are."""
    return ", ".join(one.name for one in work[:NAMED]) + _and_more(len(work))


def spell(seconds: float | None) -> str:
    """Return a duration in words, as exact as an estimate deserves."""
    if seconds is None:
        return "unknown"
    if seconds == 0:
        return "none"
    if seconds < 90:
        return counted(max(round(seconds), 1), "second")
    if seconds < 5400:
        return counted(round(seconds / 60), "minute")
    return counted(round(seconds / 3600), "hour")


def _verb(count: int, of_one: str, of_many: str) -> str:
    return of_one if count == 1 else of_many


def _and_more(count: int) -> str:
    return f" and {count - NAMED} more" if count > NAMED else ""


def _recipes(effects: Effects) -> int:
    return sum(one.kind == "recipe" for one in effects.dependents)


def _info(message: str) -> ImpactRecommendation:
    return ImpactRecommendation(type="info", message=message)


def _warning(message: str) -> ImpactRecommendation:
    return ImpactRecommendation(type="warning", message=message)


def _critical(message: str) -> ImpactRecommendation:
    return ImpactRecommendation(type="critical", message=message)
