"""Looking at agents: list, get, stats, types."""

from typing import Annotated, Any

import typer

from automatos.cli.client import Client
from automatos.cli.console import put, put_json, put_table
from automatos.cli.figures import cost, share
from automatos.cli.finding import find_agent
from automatos.cli.options import AgentName, Descending, Json
from automatos.cli.pages import put_fields, say_rest
from automatos.kernel.figures import quantity

app = typer.Typer()
COLUMNS = ("id", "name", "status", "model", "running", "queued", "success")
FIELDS = ("id", "name", "description", "type", "category", "status", "reason", "stopping", "model", "persona", "skills",
          "tools", "tags", "priority", "work", "success", "tokens", "cost", "version", "created_by", "created_at",
          "updated_at")
MOST = 1000


@app.command("list")
def list_agents(
    *, search: Annotated[str | None, typer.Option(help="Only agents with this text in name or description.")] = None,
    status: Annotated[str | None, typer.Option(help="Only agents of this status, such as active.")] = None,
    agent_type: Annotated[str | None, typer.Option("--type", help="Only agents of this type.")] = None,
    category: Annotated[str | None, typer.Option(help="Only agents of this category, such as DevOps.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only agents with this tag.")] = None,
    priority: Annotated[str | None, typer.Option(help="Only agents of this priority.")] = None,
    sort: Annotated[
        str | None, typer.Option(help="name, created_at, updated_at, status, last_active_at, total_cost, success_rate.")
    ] = None,
    descending: Descending = False, limit: Annotated[int, typer.Option(min=1, max=MOST)] = 100, as_json: Json = False,
) -> None:
    """List the workspace's agents."""

    page = Client().get(
        "/api/agents", search=search, status=status, agent_type=agent_type, category=category, tag=tag,
        priority_level=priority, sort=sort, order="desc" if descending else None, limit=limit,
    )
    if as_json:
        put_json(page)
        return
    put_table(map(row_of, page["items"]), COLUMNS, spare=("success", "queued"))
    say_rest(page, "agents", "automatos agent create --name NAME, or apply a recipe file")


@app.command("get")
def get_agent(agent: AgentName, as_json: Json = False) -> None:
    """Show one agent."""

    found = find_agent(Client(), agent)
    if as_json:
        put_json(found)
        return
    put_fields(found | row_of(found) | _more(found), FIELDS)
    if found["use_custom_persona"] and found["custom_persona_prompt"]:
        put(f"\n{found['custom_persona_prompt'].strip()}")


@app.command("stats")
def show_stats(as_json: Json = False) -> None:
    """Show how the workspace's agents do, all together."""

    stats = Client().get("/api/agents/stats")
    if as_json:
        put_json(stats)
        return
    counts = {name: _counted(stats[f"agents_by_{name}"]) for name in ("status", "type", "category")}
    written = {"success": share(stats["average_success_rate"]), "tokens": f"{stats['total_tokens']:,}",
               "cost": cost(stats["total_cost_usd"])}
    put_fields(stats | counts | written, (
        "total_agents", "active_agents", "inactive_agents", "status", "type", "category", "tasks_running",
        "tasks_queued", "total_executions", "failed_executions", "success", "tokens", "cost"))


@app.command("types")
def list_types(as_json: Json = False) -> None:
    """List the types of agents, what each is for, and the categories that go with it."""

    found = Client().get("/api/agents/types")
    if as_json:
        put_json(found)
        return
    put_table(({
        "type": kind, "about": found["descriptions"].get(kind),
        "categories": [each["name"] for each in found["categories"] if each["agent_type"] == kind],
    } for kind in found["data"]), ("type", "about", "categories"))


def row_of(agent: dict[str, Any]) -> dict[str, Any]:
    """Return what a table shows of an agent."""

    performance, workload = agent["performance_metrics"], agent["workload"]
    stopping = agent["stopping"]
    return {"id": agent["id"], "name": agent["name"], "status": "stopping" if stopping else agent["status"],
            "model": model_of(agent), "running": workload["running"], "queued": workload["queued"],
            "success": share(performance["success_rate"])}


def model_of(agent: dict[str, Any]) -> str:
    """Return an agent's model as `provider/model`, or that it takes the default."""
    chosen = agent["model_config"]
    return f"{chosen['provider']}/{chosen['model_id']}" if chosen else "default"


def _more(agent: dict[str, Any]) -> dict[str, Any]:
    usage, stop, persona = agent["model_usage_stats"], agent["stopping"], agent["persona"]
    done = agent["performance_metrics"]["total_tasks_executed"]
    own = "its own text" if agent["use_custom_persona"] else None
    return {
        "status": agent["status"], "type": agent["agent_type"], "category": agent["marketplace_category"],
        "reason": agent["status_reason"], "priority": agent["priority_level"],
        "stopping": f"{stop['shutdown_type']}, to {stop['target']}, asked by {stop['requested_by']}" if stop else None,
        "persona": own or (persona and persona["name"]), "skills": [skill["name"] for skill in agent["skills"]],
        "work": f"{agent['workload']['running']} running, {agent['workload']['queued']} queued, "
                f"{agent['max_concurrent_tasks']} at a time, {quantity(done, 'step')} done",
        "tokens": f"{usage['total_tokens']:,}", "cost": cost(usage["total_cost"]),
    }


def _counted(counts: dict[str, int]) -> str | None:
    return ", ".join(f"{count} {name}" for name, count in counts.items()) or None
