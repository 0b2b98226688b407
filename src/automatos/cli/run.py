"""Commands about runs: list, view, watch, retry, fork, approve, reject, signal, pause, resume, cancel."""

from typing import Annotated, Any

import typer

from automatos.cli import completion
from automatos.cli.client import Client
from automatos.cli.console import CommandFailed, misuse, put, put_json, put_table, say
from automatos.cli.cook import fork
from automatos.cli.figures import costs, tokens
from automatos.cli.finding import find_run, shown_run
from automatos.cli.options import RunJson, Watching
from automatos.cli.pages import put_run, short_time
from automatos.cli.watch import run_address, tell_started, watch
from automatos.client import part
from automatos.kernel.figures import duration

app = typer.Typer()
RunId = Annotated[str, typer.Argument(
    help="The run's id, how it begins or ends, or `latest`.", metavar="RUN", autocompletion=completion.runs)]
Json = Annotated[bool, typer.Option("--json", help="Write JSON.")]
COLUMNS = ("id", "recipe", "status", "step", "tokens", "cost", "time", "created")


@app.command("list")
def list_runs(
    status: Annotated[str | None, typer.Option(help="Only runs of this status.")] = None,
    recipe: Annotated[str | None, typer.Option(
        help="Only runs of this recipe (template_id).", autocompletion=completion.recipes)] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 20,
    parts: Annotated[bool, typer.Option(
        "--all", help="Also runs that steps of other runs have started; --recipe lists them without it.")] = False,
    as_json: Json = False,
) -> None:
    """List runs, newest first, without those that are part of another run."""
    page = Client().get("/api/runs", status=status, recipe=recipe, limit=limit,
                        top_level=None if parts or recipe else True)
    if as_json:
        put_json(page)
        return
    put_table(({
        "id": shown_run(run["id"]), "recipe": _subject(run),
        "status": run["status"], "step": f"{run['current_step']}/{run['total_steps']}",
        "tokens": tokens(run["total_tokens"], is_estimated=run["is_estimated"]),
        "cost": costs(run, is_over=run["finished_at"] is not None), "time": duration(run["duration_ms"]),
        "created": short_time(run["created_at"]),
    } for run in page["items"]), COLUMNS, spare=("step", "tokens", "created", "cost", "time"))
    if not page["items"]:
        say("no runs yet; cook one with: automatos recipe cook NAME")


def _subject(run: dict[str, Any]) -> str:
    """Return what a run in a list is of, and the run that it is part of."""
    if parent := run.get("parent"):
        return f"{run['recipe_id']}, part of {parent['recipe_id'] or 'another'} run {shown_run(parent['run_id'])}"
    return run["recipe_id"] or f"{run['kind']} of {run['recipe_name']}"


@app.command("view")
def view_run(
    run: RunId, as_json: Json = False,
    output: Annotated[bool, typer.Option("--output", help="Write the final output and nothing else.")] = False,
    web: Annotated[bool, typer.Option("--web", help="Open the run in a browser.")] = False,
) -> None:
    """Show one run: its steps, tokens, cost and output."""

    client = Client()
    run = find_run(client, run)
    found = client.get(f"/api/runs/{part(run)}")
    if web:
        import webbrowser

        webbrowser.open(run_address(client, run))
    elif as_json:
        put_json(found)
    elif output:
        put(str((found["output_data"] or {}).get("final_output", "")))
    else:

        put_run(found, run_address(client, run))


@app.command("watch")
def watch_run(
    run: RunId, as_json: Json = False,
    exit_status: Annotated[
        bool, typer.Option("--exit-status", help="Exit with 5 when the run does not succeed.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Write the final output only.")] = False,
) -> int:
    """Follow a run live to its end; Ctrl-C leaves it running."""

    client = Client()
    return watch(client, find_run(client, run), as_json=as_json, exit_status=exit_status, quiet=quiet)


@app.command("retry")
def retry_run(run: RunId, watching: Watching = False, as_json: RunJson = False) -> int:
    """Cook the recipe of a run once more, as it is now, with the same inputs."""

    client = Client()
    found = client.get(f"/api/runs/{part(find_run(client, run))}")
    if found["recipe_id"] is None:
        raise CommandFailed(f"this run is a {found['kind']}, not a recipe's",
                            "give the agent its task again: automatos agent run AGENT PROMPT")
    started = client.post(f"/api/workflow-recipes/{part(found['recipe_id'])}/execute",
                          {"input_data": found["input_data"]})
    return tell_started(client, started, watching=watching, as_json=as_json)


@app.command("fork")
def fork_run(
    run: RunId, from_step: Annotated[str, typer.Option("--from", help="The step to begin at.", metavar="STEP")],
    inputs: Annotated[list[str] | None, typer.Option(
        "--input", "-i", help="An input that is to be another: NAME=VALUE, NAME=@FILE or NAME=@-.")] = None,
    watching: Watching = False, as_json: RunJson = False,
) -> int:
    """Run once more from a step on, with what the steps before it gave in a run that is over."""

    client = Client()
    started = fork(client, find_run(client, run), from_step, inputs or [])
    return tell_started(client, started, watching=watching, as_json=as_json)


@app.command("approve")
def approve_step(
    run: RunId, step: Annotated[str, typer.Argument(help="The step that waits: its name, path or number.")],
    comment: Annotated[str, typer.Option(help="What to say about it; later steps read it.")] = "",
    as_json: Json = False,
) -> None:
    """Approve what a step of a run waits for; the run goes on."""
    _decide(run, step, "approve", comment, as_json=as_json)


@app.command("reject")
def reject_step(
    run: RunId, step: Annotated[str, typer.Argument(help="The step that waits: its name, path or number.")],
    comment: Annotated[str, typer.Option(help="Why.")] = "", as_json: Json = False,
) -> None:
    """Reject what a step of a run waits for; the step fails."""
    _decide(run, step, "reject", comment, as_json=as_json)


def _decide(run: str, step: str, verb: str, comment: str, *, as_json: bool) -> None:
    client = Client()
    run_id = find_run(client, run)
    steps = client.get(f"/api/runs/{part(run_id)}")["steps"]
    found = next((each for each in steps if step in {each["path"], each["step_id"], str(each["order"])}), None)
    if found is None:
        known = ", ".join(each["step_id"] for each in steps if each["status"] == "waiting") or "none"
        raise CommandFailed(f"the run has no step {step!r}", f"steps that wait: {known}")
    answer = client.post(f"/api/runs/{part(run_id)}/steps/{found['order']}/{verb}", {"comment": comment})
    if as_json:
        put_json(answer)
    else:
        say(answer["message"])


@app.command("signal")
def send_signal(
    run: RunId, name: Annotated[str, typer.Argument(help="The signal's name, as the recipe has it.", metavar="NAME")],
    data: Annotated[str, typer.Option(help="What it tells, in JSON: the output of steps that wait for it.")] = "null",
    as_json: Json = False,
) -> None:
    """Send a run a signal that steps of it wait for, once."""
    import json


    try:
        told = json.loads(data)
    except ValueError:
        misuse("--data is no JSON", "for example --data '{\"approved\": true}', or --data '\"a text\"'")
    client = Client()
    answer = client.post(f"/api/runs/{part(find_run(client, run))}/signals/{part(name)}", {"data": told})
    if as_json:
        put_json(answer)
    else:
        say(answer["message"])


@app.command("pause")
def pause_run(run: RunId, as_json: Json = False) -> None:
    """Pause a run: what is at work is finished, nothing begins until it is resumed."""
    _order(run, "pause", as_json=as_json)


@app.command("resume")
def resume_run(run: RunId, as_json: Json = False) -> None:
    """Let a run that somebody paused go on."""
    _order(run, "resume", as_json=as_json)


@app.command("cancel")
def cancel_run(run: RunId, as_json: Json = False) -> None:
    """Stop a run; finished steps are kept."""
    _order(run, "cancel", as_json=as_json)


def _order(run: str, verb: str, *, as_json: bool) -> None:
    client = Client()
    answer = client.post(f"/api/runs/{part(find_run(client, run))}/{verb}")
    if as_json:
        put_json(answer)
    else:
        say(answer["message"])
