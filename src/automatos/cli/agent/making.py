"""Making an agent, and taking one away."""

from typing import Annotated, Any

import typer

from automatos.cli import completion
from automatos.cli.agent.definition import body_of, model_named
from automatos.cli.agent.impact import is_felt, say_impact
from automatos.cli.asking import Manner
from automatos.cli.changes import made, read_fields
from automatos.cli.client import Client
from automatos.cli.console import CommandFailed, misuse
from automatos.cli.finding import find_agent
from automatos.cli.options import AgentName, Document, Json, NoInput, Sets, Tags, Yes

app = typer.Typer()


@app.command("create")
def create_agent(
    *, name: Annotated[str | None, typer.Option(help="Its name.")] = None, file: Document = None,
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    agent_type: Annotated[str | None, typer.Option("--type", help="Its type, such as data_analyst.")] = None,
    category: Annotated[str | None, typer.Option(help="Its category, such as DevOps; it decides the type.")] = None,
    prompt: Annotated[str | None, typer.Option(help="Its own persona: who it is and how it works.")] = None,
    persona: Annotated[
        str | None, typer.Option(help="A persona of the library, by slug or name.",
                                 autocompletion=completion.personas)] = None,
    model: Annotated[
        str | None, typer.Option(help="Its model, as PROVIDER/MODEL.", autocompletion=completion.models)] = None,
    skill: Annotated[
        list[str] | None, typer.Option(help="A skill by name or id; may be repeated.",
                                       autocompletion=completion.skills)] = None,
    tool: Annotated[list[str] | None, typer.Option(help="A tool to grant; may be repeated.")] = None,
    tag: Tags = None, assignments: Sets = None,
    activate: Annotated[bool, typer.Option(help="Activate it at once.")] = False, as_json: Json = False,
) -> None:
    """Make an agent, from options, a file or both; options win over the file."""

    given: dict[str, Any] = {
        "name": name, "description": description, "agent_type": agent_type, "marketplace_category": category,
        "tools": tool or None, "custom_persona_prompt": prompt, "use_custom_persona": True if prompt else None,
        "tags": tag or None, "persona": persona, "skills": skill or None,
        "model_config": model_named(model) if model else None,
    }
    document = read_fields(file, assignments) | {field: value for field, value in given.items() if value is not None}
    if not document.get("name"):
        misuse("an agent needs a name", "give --name, or a file with `name:`")
    if prompt and persona:
        misuse("--prompt and --persona are two personas", "give one of them")
    client = Client()
    agent = client.post("/api/agents", {"activate": activate} | body_of(client, document))
    hint = "" if activate else f"; let it work with: automatos agent activate {agent['id']}"
    made(agent, f"agent {agent['name']!r} is {agent['status']}{hint}", as_json=as_json)


@app.command("delete")
def delete_agent(
    agent: AgentName,
    cascade: Annotated[
        bool, typer.Option("--cascade", help="Even if something uses it: its work ends, recipes lose it.")
    ] = False,
    yes: Yes = False, no_input: NoInput = False, as_json: Json = False,
) -> None:
    """Remove an agent, once what that touches was shown and agreed to; past runs stay."""

    client, manner = Client(), Manner(as_json, yes, no_input)
    found = find_agent(client, agent)
    impact = client.get(f"/api/agents/{found['id']}/deletion")
    in_use = is_felt(impact)
    if in_use:
        say_impact(impact)
    if in_use and not cascade:
        raise CommandFailed(f"agent {found['name']!r} is in use and was not deleted",
                            "to end all that with it: add --cascade")
    manner.agree(f"Delete agent {found['name']!r} for good?")
    client.delete(f"/api/agents/{found['id']}", cascade=cascade or None,
                  impact_token=impact["impact_token"] if in_use else None)
    manner.tell({"id": found["id"], "name": found["name"], "deleted": True}, f"agent {found['name']!r} is deleted")
