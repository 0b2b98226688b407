"""Switching agents: activate, stop, archive, restore, pause, resume, clear-error."""

from typing import Annotated, Any

import typer

from automatos.cli.agent.switching import Stop, call_off, stop
from automatos.cli.asking import Manner
from automatos.cli.client import Client
from automatos.cli.console import misuse
from automatos.cli.finding import agent_path, find_agent
from automatos.cli.options import AgentName, Json, NoInput, Yes

app = typer.Typer()
TARGETS = ("inactive", "maintenance")
Wait = Annotated[bool, typer.Option("--wait", "-w", help="Wait until it has stopped; Ctrl-C leaves the stop alone.")]


@app.command("activate")
def activate_agent(agent: AgentName, as_json: Json = False) -> None:
    """Make an agent take work."""
    _switch(agent, "activate", as_json=as_json)


def stop_agent(
    *, agent: AgentName,
    graceful: Annotated[
        bool, typer.Option("--graceful", help="Take no new work and end what runs (as usual).")
    ] = False,
    immediate: Annotated[bool, typer.Option("--immediate", help="Interrupt what runs.")] = False,
    scheduled: Annotated[
        bool, typer.Option("--scheduled", help="Go on until there is nothing left to do.")
    ] = False,
    target: Annotated[
        str, typer.Option("--to", help="What it becomes: inactive or maintenance.", metavar="STATUS")
    ] = "inactive",
    cancel: Annotated[bool, typer.Option("--cancel", help="Call a waiting stop off.")] = False,
    wait: Wait = False, yes: Yes = False, no_input: NoInput = False, as_json: Json = False,
) -> int:
    """Make an agent take no more work, once what that touches was shown and agreed to."""

    chosen = [name for name, is_chosen in (("graceful", graceful), ("immediate", immediate), ("scheduled", scheduled))
              if is_chosen]
    if len(chosen) + cancel > 1:
        misuse("only one way to stop can be chosen", "leave out all but one of them")
    if target not in TARGETS:
        misuse(f"a stopped agent cannot be {target!r}", "write --to inactive or --to maintenance")
    client, manner = Client(), Manner(as_json, yes, no_input)
    found = find_agent(client, agent)
    if cancel:
        return call_off(client, found, manner)
    return stop(client, found, Stop(target, chosen[0] if chosen else "graceful", wait), manner)


app.command("stop")(stop_agent)
app.command("deactivate", help="The same as stop.")(stop_agent)


@app.command("pause")
def pause_agent(agent: AgentName, as_json: Json = False) -> None:
    """Freeze an agent's work at its next turn; new work waits until it is resumed."""
    _switch(agent, "pause", as_json=as_json)


@app.command("resume")
def resume_agent(agent: AgentName, as_json: Json = False) -> None:
    """Let a paused agent go on where it stopped."""
    _switch(agent, "resume", as_json=as_json)


@app.command("archive")
def archive_agent(
    *, agent: AgentName, wait: Wait = False, yes: Yes = False, no_input: NoInput = False, as_json: Json = False
) -> int:
    """Put an agent away: no work, in no list, its history kept. What that touches is shown first; restore undoes it."""

    client = Client()
    return stop(client, find_agent(client, agent), Stop("archived", "graceful", wait), Manner(as_json, yes, no_input))


@app.command("restore")
def restore_agent(
    agent_id: Annotated[int, typer.Argument(help="Its id; see: automatos agent list --status archived")],
    as_json: Json = False,
) -> None:
    """Take an archived agent back, inactive."""
    _switch(str(agent_id), "restore", as_json=as_json)


@app.command("clear-error")
def clear_error(agent: AgentName, as_json: Json = False) -> None:
    """Make an agent in error inactive again, once all it needs is there."""
    _switch(agent, "clear-error", as_json=as_json)


def _switch(agent: str, verb: str, *, as_json: bool) -> None:
    client = Client()
    changed: dict[str, Any] = client.post(f"{agent_path(client, agent)}/{verb}")
    Manner(as_json).tell(changed, f"agent {changed['name']!r} is {changed['status']}")
