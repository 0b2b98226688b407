"""What can go wrong with agents."""

from collections.abc import Iterable, Sequence

from automatos.agents.types import AgentStatus, Dependent
from automatos.kernel.errors import Problem


class AgentNotFound(Problem):
    """The workspace has no such agent; those of other workspaces answer alike."""

    status = 404
    code = "agent_not_found"
    title = "There is no such agent"

    def __init__(self, agent_id: int) -> None:
        super().__init__(f"This workspace has no agent {agent_id}. It may have been deleted; see the list of agents.")


class AgentNameTaken(Problem):
    """Two agents of a workspace may not share a name, whatever its case."""

    status = 409
    code = "agent_name_taken"
    title = "The name is taken"

    def __init__(self, name: str) -> None:
        super().__init__(f"This workspace already has an agent named {name!r}. Choose another name.", field="name")


class AgentInUse(Problem):
    """Something else would break if the agent went away."""

    status = 409
    code = "agent_in_use"
    title = "The agent is in use"

    def __init__(self, name: str, dependents: Sequence[Dependent]) -> None:
        named = ", ".join(f"{one.kind} {one.name!r}" for one in dependents[:10])
        more = f" and {len(dependents) - 10} more" if len(dependents) > 10 else ""
        super().__init__(
            f"{name!r} was not deleted because it is used by {named}{more}. Give them another agent or end them first.",
            dependents=[{"kind": one.kind, "id": one.id, "name": one.name} for one in dependents],
        )


class AgentNotReady(Problem):
    """An agent can only be active when all it needs is there."""

    status = 409
    code = "agent_not_ready"
    title = "The agent is not ready"

    def __init__(self, name: str, faults: Sequence[str]) -> None:
        super().__init__(f"{name!r} cannot be active: {' '.join(faults)}", faults=list(faults))


class StatusChangeRefused(Problem):
    """The agent cannot go from its status to the asked one."""

    status = 409
    code = "status_change_refused"
    title = "The status cannot change that way"

    def __init__(self, current: AgentStatus, wanted: AgentStatus, allowed: Iterable[AgentStatus]) -> None:
        names = sorted(allowed)
        super().__init__(
            f"An agent that is {current} cannot become {wanted}; it can become {', '.join(names) or 'nothing else'}.",
            current=current, allowed=names,
        )


class UnknownTools(Problem):
    """A tool that does not exist cannot be granted."""

    status = 422
    code = "unknown_tools"
    title = "There is no such tool"

    def __init__(self, unknown: Sequence[str], known: Iterable[str]) -> None:
        super().__init__(
            f"tools: {', '.join(unknown)} not known. Known tools: {', '.join(sorted(known))}.",
            field="tools", unknown=list(unknown),
        )
