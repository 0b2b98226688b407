"""What can go wrong when the life of an agent changes."""

from collections.abc import Mapping, Sequence

from automatos.agents.types import Dependent
from automatos.kernel.errors import Problem


class AgentInUse(Problem):
    """Something else would break if the agent went away."""

    status = 409
    code = "agent_in_use"
    title = "The agent is in use"

    def __init__(self, name: str, dependents: Sequence[Dependent], impact: Mapping[str, object]) -> None:
        named = ", ".join(f"{one.kind} {one.name!r}" for one in dependents[:10])
        more = f" and {len(dependents) - 10} more" if len(dependents) > 10 else ""
        super().__init__(
            f"{name!r} was not deleted because it is used by {named}{more}. Give them another agent or end them first; "
            "or look at `impact` and delete it with cascade=true and its impact_token.",
            dependents=[{"kind": one.kind, "id": one.id, "name": one.name} for one in dependents], impact=dict(impact),
        )


class ImpactNotConfirmed(Problem):
    """A change with effects is made when each effect is confirmed, with the token of the preview that showed them."""

    status = 409
    code = "impact_not_confirmed"
    title = "The change has effects that were not confirmed"

    def __init__(self, name: str, missing: Sequence[str], impact: Mapping[str, object]) -> None:
        needed = ", ".join(missing) or "the impact_token of the preview"
        super().__init__(
            f"This change of {name!r} was not made because it has effects. Look at `impact`, then ask again with "
            f"{needed} and its impact_token.",
            missing=list(missing), impact=dict(impact),
        )


class ImpactChanged(Problem):
    """What was confirmed is not what would happen now."""

    status = 409
    code = "impact_changed"
    title = "The effects changed since the preview"

    def __init__(self, name: str, impact: Mapping[str, object]) -> None:
        super().__init__(
            f"What this change of {name!r} touches is not what was confirmed. Look at the new `impact` and confirm it.",
            impact=dict(impact),
        )


class AgentNotStopping(Problem):
    """Only a stop that waits can be called off."""

    status = 409
    code = "agent_not_stopping"
    title = "No stop waits"

    def __init__(self, name: str) -> None:
        super().__init__(f"No stop of {name!r} waits for work to end; there is nothing to call off.")


class DependentNotCleaned(Problem):
    """Something that had to go with an agent could not be removed, so the agent stays."""

    status = 500
    code = "dependent_not_cleaned"
    title = "The agent could not be deleted whole"

    def __init__(self, name: str, part: str) -> None:
        super().__init__(
            f"{name!r} was not deleted and nothing was changed: its {part} could not be removed. Try again; if it "
            "goes on, the server's log says why.",
            part=part,
        )


class WrongStatus(Problem):
    """The verb is for agents in another status."""

    status = 409
    code = "wrong_status"
    title = "The agent is not in the status this is for"

    def __init__(self, name: str, current: str, needed: str, done: str) -> None:
        super().__init__(f"{name!r} is {current}; only an agent that is {needed} can be {done}.", current=current)
