"""What can go wrong with agents."""

from collections.abc import Iterable, Mapping, Sequence

from automatos.agents.types import AgentStatus, Dependent
from automatos.kernel.confined import comes_back
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

    def __init__(self, name: str, dependents: Sequence[Dependent], impact: Mapping[str, object]) -> None:
        named = ", ".join(f"{one.kind} {one.name!r}" for one in dependents[:10])
        more = f" and {len(dependents) - 10} more" if len(dependents) > 10 else ""
        super().__init__(
            f"{name!r} was not deleted because it is used by {named}{more}. Give them another agent or end them first; "
            "or look at `impact` and delete it with cascade=true and its impact_token.",
            dependents=[{"kind": one.kind, "id": one.id, "name": one.name} for one in dependents], impact=dict(impact),
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


class UnknownSkills(Problem):
    """A skill that the workspace does not have, or that is switched off, cannot be assigned."""

    status = 422
    code = "unknown_skills"
    title = "There is no such skill"

    def __init__(self, unknown: Sequence[int | str]) -> None:
        super().__init__(
            f"skills: {', '.join(str(one) for one in unknown)} not among this workspace's active skills. "
            "See the list of skills.",
            field="skills", unknown=list(unknown),
        )


class UnknownPersona(Problem):
    """A persona that the workspace does not have, or that is switched off, cannot be given to an agent."""

    status = 422
    code = "unknown_persona"
    title = "There is no such persona"

    def __init__(self, persona: object) -> None:
        super().__init__(
            f"persona: {persona} is not among this workspace's active personas. See the list of personas.",
            field="persona", unknown=[str(persona)],
        )


class PersonaNotFound(UnknownPersona):
    """The persona that an address or a choice of one names is not there."""

    status = 404
    code = "persona_not_found"


class SkillNotAssigned(Problem):
    """The agent does not have the skill."""

    status = 404
    code = "skill_not_assigned"
    title = "The agent does not have this skill"

    def __init__(self, name: str, skill_id: int) -> None:
        super().__init__(f"{name!r} does not have skill {skill_id}. See the list of its skills.")


class VersionNotFound(Problem):
    """The agent was never saved under that version number."""

    status = 404
    code = "agent_version_not_found"
    title = "There is no such version"

    def __init__(self, name: str, version: int) -> None:
        super().__init__(f"{name!r} has no saved version {version}. See the list of its versions.")


@comes_back
class DocumentsUnreadable(Problem):
    """The YAML text does not hold agents as documents."""

    status = 422
    code = "documents_unreadable"
    title = "The documents cannot be read"

    def __init__(self, reason: str, *, document: int | None = None, errors: Sequence[object] = ()) -> None:
        where = "yaml" if document is None else f"document {document}"
        super().__init__(f"{where}: {reason}", field="yaml", document=document, errors=list(errors))


class CursorUnreadable(Problem):
    """A cursor is only good for the list it came from, in the same order."""

    status = 422
    code = "cursor_unreadable"
    title = "The cursor cannot be used here"

    def __init__(self) -> None:
        super().__init__(
            "cursor: it is not one that this list gave in this order. Start again without it, or with the same sort "
            "and order as before.", field="cursor")


class WrongStatus(Problem):
    """The verb is for agents in another status."""

    status = 409
    code = "wrong_status"
    title = "The agent is not in the status this is for"

    def __init__(self, name: str, current: str, needed: str, done: str) -> None:
        super().__init__(f"{name!r} is {current}; only an agent that is {needed} can be {done}.", current=current)
