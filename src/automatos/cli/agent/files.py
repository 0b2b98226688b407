"""Agents as files: export, import."""

from pathlib import Path
from typing import Annotated, Any

import typer

from automatos.cli.changes import read_text
from automatos.cli.client import Client
from automatos.cli.console import CommandFailed, put, put_json
from automatos.cli.documents import put_document
from automatos.cli.finding import agent_path
from automatos.cli.options import AgentNames, Json, Output
from automatos.kernel.figures import quantity

app = typer.Typer()
MARK = "---\n"


@app.command("export")
def export_agents(
    agents: AgentNames,
    output: Output = None,
    as_json: Json = False,
) -> None:
    """Write agents as YAML that import takes; no secret is in it."""

    client = Client()
    texts: list[str] = [client.get(f"{agent_path(client, agent)}/export") for agent in agents]
    if as_json:
        import yaml

        for text in texts:
            put_json(yaml.safe_load(text))
        return
    whole = texts[0] if len(texts) == 1 else "".join(MARK + text.removeprefix(MARK) for text in texts)
    put_document(whole, output, quantity(len(texts), "agent"))


@app.command("import")
def import_agents(
    files: Annotated[list[Path], typer.Argument(help="Files with agents, as export writes them.", metavar="FILE")],
    as_json: Json = False,
) -> None:
    """Create or update the agents of files by their names, each file whole or not at all; new ones are inactive."""

    client = Client()
    texts = [(file, read_text(str(file))) for file in files]
    for file, text in texts:
        try:
            found: dict[str, Any] = client.post("/api/agents/import", {"yaml": text})
        except CommandFailed as failure:
            raise CommandFailed(f"{file}: {failure.what}", *failure.next_steps, code=failure.code) from failure
        for each in found["items"]:
            if as_json:
                put_json(each)
            else:
                put(f"agent {each['name']} {each['action']}")
