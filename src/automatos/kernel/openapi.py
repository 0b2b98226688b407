"""How routes announce their errors in the API description."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from automatos.kernel.errors import Problem

MEDIA_TYPE = "application/problem+json"


class ProblemDocument(BaseModel):
    """An error as clients get it (RFC 9457); single errors add fields of their own."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="A URI that names the kind of error.")
    title: str = Field(description="The kind of error in words, the same each time.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What happened this time, and what to do next.")
    code: str = Field(description="The stable name of the error, for programs.")
    instance: str = Field(description="The path that was asked for.")
    request_id: str | None = Field(description="Finds this request in the server's log.")


def problems(*errors: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """Describe the errors of a route for its `responses=`, one entry per status, naming each code and its title."""
    by_status: dict[int | str, dict[str, Any]] = {}
    for error in errors:
        line = f"`{error.code}`: {error.title}"
        if error.status in by_status:
            by_status[error.status]["description"] += f"; {line}"
        else:
            by_status[error.status] = {
                "description": line,
                "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
            }
    return by_status
