"""Giving agents work: run, runs, try."""

from pathlib import Path
from typing import Annotated, Any

import typer

from automatos.cli.agent.definition import body_of
from automatos.cli.agent.trial import try_out
from automatos.cli.changes import read_fields, read_text
from automatos.cli.client import Client
from automatos.cli.console import put_json, put_table
from automatos.cli.figures import cost
from automatos.cli.finding import agent_path, shown_run
from automatos.cli.options import AgentName, ExitStatus, Json, Quiet, RunJson, Sets, Watching
from automatos.cli.pages import say_rest, short_time
from automatos.cli.watch import tell_started
from automatos.kernel.figures import duration

app = typer.Typer()
Prompt = Annotated[str, typer.Argument(help="What to do; @FILE reads a file, @- standard input.")]
RUNS = ("run", "work", "status", "tokens", "cost", "time", "started")


def run_agent(
    *, agent: AgentName, prompt: Prompt,
    inputs: Annotated[
        list[str] | None,
        typer.Option("--input", "-i", metavar="NAME=VALUE", help="Material for the task, VALUE as YAML; NAME=@FILE "
                     "reads a file. May be repeated."),
    ] = None,
    priority: Annotated[str | None, typer.Option(help="low, medium, high or critical.")] = None,
    max_iterations: Annotated[int | None, typer.Option(help="The most turns it may take.", min=1)] = None,
    timeout_s: Annotated[int | None, typer.Option("--timeout", help="Seconds it may take.", min=1)] = None,
    watching: Watching = False,
    as_json: RunJson = False,
    exit_status: ExitStatus = False,
    quiet: Quiet = False,
    key: Annotated[
        str | None, typer.Option("--idempotency-key", help="The same key with the same task starts one run only.")
    ] = None,
) -> int:
    """Give an agent one task."""

    client = Client()
    given = {
        "prompt": read_text(prompt[1:]) if prompt.startswith("@") else prompt, "priority": priority,
        "input_data": read_fields(None, inputs) or None, "max_iterations": max_iterations, "timeout_s": timeout_s,
    }
    started = client.call(
        "POST", f"{agent_path(client, agent)}/execute", headers={"Idempotency-Key": key} if key else {},
        body={name: value for name, value in given.items() if value is not None}).body
    return tell_started(client, started, watching=watching, as_json=as_json, exit_status=exit_status, quiet=quiet)


app.command("run")(run_agent)
app.command("execute", help="The same as run.")(run_agent)


@app.command("runs")
def list_agent_runs(
    agent: AgentName, status: Annotated[str | None, typer.Option(help="Only steps of this status.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 20, as_json: Json = False,
) -> None:
    """List what an agent did: each step it worked on, in recipes and tasks, newest first."""

    client = Client()
    page = client.get(f"{agent_path(client, agent)}/runs", status=status, limit=limit)
    if as_json:
        put_json(page)
        return
    put_table(({
        "run": shown_run(run["run_id"]),
        "work": f"{run['recipe_id']}/{run['step_id']}" if run["recipe_id"] else run["kind"],
        "status": run["status"], "tokens": run["input_tokens"] + run["output_tokens"], "cost": cost(run["cost_usd"]),
        "time": duration(run["duration_ms"]), "started": short_time(run["started_at"]),
    } for run in page["items"]), RUNS, spare=("tokens", "started"))
    say_rest(page, "runs", f"automatos agent run {agent!r} \"what to do\"")


@app.command("try")
def try_agent(
    message: Annotated[str, typer.Argument(help="What to say to it; @FILE reads a file, @- standard input.")],
    file: Annotated[
        Path, typer.Option("--file", "-f", help="The agent, as a YAML or JSON file; it need not exist yet.",
                           exists=True, dir_okay=False)
    ],
    assignments: Sets = None, as_json: Json = False,
) -> int:
    """Ask an agent that is not saved for one answer; tools are not called, and only what it cost is kept."""

    client = Client()
    text = read_text(message[1:]) if message.startswith("@") else message
    order: dict[str, Any] = {"agent": body_of(client, read_fields(file, assignments)),
                             "messages": [{"role": "user", "content": text}]}
    return try_out(client, order, as_json=as_json)
