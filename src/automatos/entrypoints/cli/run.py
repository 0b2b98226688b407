"""Commands about runs: list, view, watch, cancel."""

from typing import Annotated

import typer

from automatos.entrypoints.cli.console import put, put_json, put_table, say

app = typer.Typer()
RunId = Annotated[str, typer.Argument(help="The run's id.", metavar="RUN")]
Json = Annotated[bool, typer.Option("--json", help="Write JSON.")]
COLUMNS = ("id", "recipe", "status", "step", "tokens", "cost", "time", "created")


@app.command("list")
def list_runs(
    status: Annotated[str | None, typer.Option(help="Only runs of this status.")] = None,
    recipe: Annotated[str | None, typer.Option(help="Only runs of this recipe (template_id).")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 20, as_json: Json = False,
) -> None:
    """List runs, newest first."""
    from automatos.entrypoints.cli.client import Client
    from automatos.entrypoints.cli.figures import cost, duration
    from automatos.entrypoints.cli.pages import short_time

    page = Client().get("/api/runs", status=status, recipe=recipe, limit=limit)
    if as_json:
        put_json(page)
        return
    put_table(({
        "id": run["id"], "recipe": run["recipe_id"] or f"{run['kind']} of {run['recipe_name']}",
        "status": run["status"],
        "step": f"{run['current_step']}/{run['total_steps']}",
        "tokens": run["total_tokens"], "cost": cost(run["cost_usd"]), "time": duration(run["duration_ms"]),
        "created": short_time(run["created_at"]),
    } for run in page["items"]), COLUMNS, spare=("step", "tokens", "created"))
    if not page["items"]:
        say("no runs yet; cook one with: automatos recipe cook NAME")


@app.command("view")
def view_run(
    run: RunId, as_json: Json = False,
    output: Annotated[bool, typer.Option("--output", help="Write the final output and nothing else.")] = False,
    web: Annotated[bool, typer.Option("--web", help="Open the run in a browser.")] = False,
) -> None:
    """Show one run: its steps, tokens, cost and output."""
    from automatos.entrypoints.cli.client import Client, part
    from automatos.entrypoints.cli.watch import run_address

    client = Client()
    found = client.get(f"/api/runs/{part(run)}")
    if web:
        import webbrowser

        webbrowser.open(run_address(client, run))
    elif as_json:
        put_json(found)
    elif output:
        put(str((found["output_data"] or {}).get("final_output", "")))
    else:
        from automatos.entrypoints.cli.pages import put_run

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
    from automatos.entrypoints.cli.client import Client
    from automatos.entrypoints.cli.watch import watch

    return watch(Client(), run, as_json=as_json, exit_status=exit_status, quiet=quiet)


@app.command("cancel")
def cancel_run(run: RunId, as_json: Json = False) -> None:
    """Stop a run; finished steps are kept."""
    from automatos.entrypoints.cli.client import Client, part

    answer = Client().post(f"/api/runs/{part(run)}/cancel")
    if as_json:
        put_json(answer)
    else:
        say(answer["message"])
