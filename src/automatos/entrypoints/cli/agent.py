"""Commands about agents: list, get, create, activate, deactivate."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from automatos.entrypoints.cli.console import CommandFailed, misuse, put, put_json, put_table, say

if TYPE_CHECKING:
    from automatos.entrypoints.cli.client import Client

app = typer.Typer(help="List, create and switch agents.", no_args_is_help=True)
Named = Annotated[str, typer.Argument(help="The agent's id or name.", metavar="AGENT")]
Json = Annotated[bool, typer.Option("--json", help="Write JSON.")]
COLUMNS = ("id", "name", "agent_type", "status", "model", "tools")
FIELDS = ("id", "name", "description", "agent_type", "marketplace_category", "status", "model", "tools", "tags",
          "priority_level", "version", "created_by", "created_at", "updated_at")
PAGE = 1000


@app.command("list")
def list_agents(
    search: Annotated[str | None, typer.Option(help="Only agents with this text in name or description.")] = None,
    status: Annotated[str | None, typer.Option(help="Only agents of this status.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=PAGE)] = 100, as_json: Json = False,
) -> None:
    """List the workspace's agents."""
    from automatos.entrypoints.cli.client import Client

    page = Client().get("/api/agents", search=search, status=status, limit=limit)
    if as_json:
        put_json(page)
        return
    put_table((agent | {"model": _model(agent)} for agent in page["items"]), COLUMNS)
    if not page["items"]:
        say("no agents yet; make one with: automatos agent create --name NAME, or apply a recipe file")


@app.command("get")
def get_agent(agent: Named, as_json: Json = False) -> None:
    """Show one agent."""
    from automatos.entrypoints.cli.client import Client
    from automatos.entrypoints.cli.pages import put_fields

    found = _find(Client(), agent)
    if as_json:
        put_json(found)
        return
    put_fields(found | {"model": _model(found)}, FIELDS)
    if found["custom_persona_prompt"]:
        put(f"\n{found['custom_persona_prompt'].strip()}")


@app.command("create")
def create_agent(
    name: Annotated[str | None, typer.Option(help="Its name.")] = None,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="A YAML or JSON file with the agent's fields.", exists=True,
                                  dir_okay=False)
    ] = None,
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    agent_type: Annotated[str | None, typer.Option("--type", help="Its type, such as data_analyst.")] = None,
    prompt: Annotated[str | None, typer.Option(help="Its persona: who it is and how it works.")] = None,
    tool: Annotated[list[str] | None, typer.Option(help="A tool to grant; may be repeated.")] = None,
    activate: Annotated[bool, typer.Option(help="Activate it at once.")] = True,
    as_json: Json = False,
) -> None:
    """Make an agent, from options or a file; options win over the file."""
    from automatos.entrypoints.cli.client import Client
    from automatos.entrypoints.cli.documents import read_document

    body: dict[str, Any] = read_document(file) if file else {}
    given = {"name": name, "description": description, "agent_type": agent_type, "tools": tool or None,
             "custom_persona_prompt": prompt, "use_custom_persona": True if prompt else None}
    body |= {field: value for field, value in given.items() if value is not None}
    if not body.get("name"):
        misuse("an agent needs a name", "give --name, or a file with `name:`")
    client = Client()
    made = client.post("/api/agents", body)
    if activate:
        made = client.post(f"/api/agents/{made['id']}/activate")
    if as_json:
        put_json(made)
    else:
        put(str(made["id"]))
        say(f"agent {made['name']!r} is {made['status']}")


@app.command("activate")
def activate_agent(agent: Named, as_json: Json = False) -> None:
    """Make an agent take work."""
    _switch(agent, "activate", as_json=as_json)


@app.command("deactivate")
def deactivate_agent(agent: Named, as_json: Json = False) -> None:
    """Make an agent take no more work; recipes with a step of it cannot be cooked meanwhile."""
    _switch(agent, "deactivate", as_json=as_json)


def _switch(agent: str, verb: str, *, as_json: bool) -> None:
    from automatos.entrypoints.cli.client import Client

    client = Client()
    changed = client.post(f"/api/agents/{_find(client, agent)['id']}/{verb}")
    if as_json:
        put_json(changed)
    else:
        say(f"agent {changed['name']!r} is {changed['status']}")


def _find(client: "Client", agent: str) -> dict[str, Any]:
    """Return an agent by its id or its whole name."""
    if agent.isdecimal():
        return client.get(f"/api/agents/{agent}")
    found = client.get("/api/agents", search=agent, limit=PAGE)["items"]
    for each in found:
        if each["name"].lower() == agent.lower():
            return each
    near = ", ".join(each["name"] for each in found[:5])
    raise CommandFailed(f"there is no agent {agent!r}",
                        f"did you mean: {near}" if near else "list them with: automatos agent list")


def _model(agent: dict[str, Any]) -> str:
    chosen = agent.get("model_config")
    return f"{chosen['provider']}/{chosen['model_id']}" if chosen else "default"
