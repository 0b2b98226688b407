"""What can go wrong with agents."""

from collections.abc import Iterable, Sequence

from automatos.agents.types import AgentStatus
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
