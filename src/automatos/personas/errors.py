"""What can go wrong with personas."""

from collections.abc import Iterable
from uuid import UUID

from automatos.kernel.errors import Problem


class PersonaNotFound(Problem):
    """The workspace sees no such persona; those of other workspaces answer alike."""

    status = 404
    code = "persona_not_found"
    title = "There is no such persona"

    def __init__(self, persona_id: UUID) -> None:
        super().__init__(f"This workspace has no persona {persona_id}. It may have been deleted; see the library.")


class PersonaIsGlobal(Problem):
    """Personas that came with the product belong to everybody and are changed by nobody."""

    status = 403
    code = "persona_is_global"
    title = "The persona belongs to every workspace"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name!r} came with the product and cannot be changed or deleted. Make a persona of this workspace with "
            "its text, and change that."
        )


class UnknownAgentCategory(Problem):
    """The library can be narrowed to the categories that agents are shown under only."""

    status = 422
    code = "unknown_agent_category"
    title = "There is no such category of agents"

    def __init__(self, category: str, known: Iterable[str]) -> None:
        super().__init__(
            f"marketplace_category: {category!r} is not known. Known categories: {', '.join(sorted(known))}.",
            field="marketplace_category")


class UnknownAgentType(Problem):
    """The library can be narrowed to known types of agents only."""

    status = 422
    code = "unknown_agent_type"
    title = "There is no such type of agent"

    def __init__(self, agent_type: str, known: Iterable[str]) -> None:
        super().__init__(
            f"agent_type: {agent_type!r} is not known. Known types: {', '.join(sorted(known))}.", field="agent_type")
