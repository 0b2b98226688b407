"""The official Python client: a server's routes as calls that block, or that are awaited.

    with Client("http://127.0.0.1:8000", api_key="...") as client:
        started = client.start_recipe("morning-report", {"topic": "tea"})
        for event in client.follow(started.run_id):
            print(event.type)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from automatos.client import events
from automatos.client.errors import ApiProblem, ClientError, Unreachable
from automatos.client.frames import Frame
from automatos.client.requests import Call, part
from automatos.client.types import Answer, Run, RunError, RunEvent, Started

if TYPE_CHECKING:
    from automatos.client.awaited import AsyncClient
    from automatos.client.blocking import Client

__all__ = [
    "Answer", "ApiProblem", "AsyncClient", "Call", "Client", "ClientError", "Frame", "Run", "RunError", "RunEvent",
    "Started", "Unreachable", "events", "part",
]
LOADED_WHEN_ASKED_FOR = {"AsyncClient": "awaited", "Client": "blocking"}
"""Names whose modules bring the HTTP library along, which costs more than the rest of a short command."""


def __getattr__(name: str) -> Any:
    if name not in LOADED_WHEN_ASKED_FOR:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{LOADED_WHEN_ASKED_FOR[name]}"), name)
