"""Changing an agent's definition."""

import typer

from automatos.cli.agent.definition import body_of, current_fields
from automatos.cli.asking import Manner
from automatos.cli.changes import read_fields, save
from automatos.cli.client import Client
from automatos.cli.console import misuse
from automatos.cli.finding import find_agent
from automatos.cli.options import AgentName, Document, Json, NoInput, Sets, Yes

app = typer.Typer()


@app.command("edit")
def edit_agent(
    agent: AgentName, file: Document = None, assignments: Sets = None, yes: Yes = False, no_input: NoInput = False,
    as_json: Json = False,
) -> None:
    """Change an agent by a file, by --set or by both; what is left out stays. Shows the difference and asks.

    For example: automatos agent edit Scout --set description="Finds things" --set configuration.max_iterations=10
    """

    document = read_fields(file, assignments)
    if not document:
        misuse("there is nothing to change", "give --set FIELD=VALUE or --file FILE",
               "a file to begin with: automatos agent export AGENT -o FILE")
    client, manner = Client(), Manner(as_json, yes, no_input)
    found = find_agent(client, agent)
    body = body_of(client, document)
    save(client, f"/api/agents/{found['id']}", found | current_fields(found), body, manner,
         version=found["version"], name=f"agent {found['name']!r}")
