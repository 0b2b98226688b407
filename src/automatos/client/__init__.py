"""The official Python client: a server's routes as calls that block, or that are awaited.

    with Client("http://127.0.0.1:8000", api_key="...") as client:
        started = client.start_recipe("morning-report", {"topic": "tea"})
        for event in client.follow(started.run_id):
            print(event.type)
"""

from automatos.client.awaited import AsyncClient
from automatos.client.blocking import Client
from automatos.client.errors import ApiProblem, ClientError, Unreachable
from automatos.client.types import Answer, Run, RunError, RunEvent, Started

__all__ = [
    "Answer", "ApiProblem", "AsyncClient", "Client", "ClientError", "Run", "RunError", "RunEvent", "Started",
    "Unreachable",
]
