"""One action on several agents."""

from typing import Annotated

import typer

from automatos.cli.asking import Manner
from automatos.cli.client import Client
from automatos.cli.console import Exit, misuse, put, put_json, say
from automatos.cli.finding import find_agent
from automatos.cli.options import AgentNames, Json, NoInput, Tags, Yes
from automatos.kernel.figures import quantity

app = typer.Typer()
ACTIONS = ("activate", "deactivate", "pause", "archive", "restore", "delete", "tag", "untag")


@app.command("bulk")
def act_on_agents(
    action: Annotated[str, typer.Argument(help=f"One of {', '.join(ACTIONS)}.")], agents: AgentNames,
    tag: Tags = None, yes: Yes = False, no_input: NoInput = False, as_json: Json = False,
) -> int:
    """Do one thing to several agents, each by itself; exit code 1 when one of them refuses."""

    if action not in ACTIONS:
        misuse(f"{action!r} cannot be done to several agents", f"one of: {', '.join(ACTIONS)}")
    client, manner = Client(), Manner(as_json, yes, no_input)
    found = {each["id"]: each["name"] for each in (find_agent(client, name) for name in agents)}
    if action == "delete":
        manner.agree(f"Delete {quantity(len(found), 'agent')} for good?")
    done = client.post("/api/agents/bulk/actions",
                       {"action": action, "agent_ids": list(found)} | ({"tags": tag} if tag else {}))
    if as_json:
        put_json(done)
        return Exit.FAILED if done["failed"] else Exit.OK
    for each in done["items"]:
        name = found[each["id"]]
        put(f"{name}: {'ok' if each['ok'] else each['error']['detail']}")
    if any(not each["ok"] and each["error"]["code"] == "impact_not_confirmed" for each in done["items"]):
        say("to see and confirm what that touches, one by one: automatos agent stop AGENT")
    return Exit.FAILED if done["failed"] else Exit.OK
