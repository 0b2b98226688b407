"""Looking at skills: list, get, content, versions, recommend."""

from typing import Annotated, Any

import typer

from automatos.cli import completion
from automatos.cli.client import Client
from automatos.cli.console import put, put_json, put_table, say
from automatos.cli.finding import SKILL, find
from automatos.cli.options import Json
from automatos.cli.pages import put_fields, say_rest, short_time

app = typer.Typer()
Named = Annotated[str, typer.Argument(
    help="The skill's name or id.", metavar="SKILL", autocompletion=completion.skills)]
COLUMNS = ("id", "name", "category", "source", "tokens", "agents", "active")
FIELDS = ("id", "name", "description", "skill_type", "category", "tags", "source", "source_name", "git_commit_sha",
          "core_tokens", "version", "active", "used_by", "tools", "invoked", "updated_at", "verdict", "notes")


@app.command("list")
def list_skills(
    *, search: Annotated[str | None, typer.Option(help="Only skills with this text.")] = None,
    category: Annotated[str | None, typer.Option(help="Only skills of this category.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Only skills with this tag; may be repeated.")] = None,
    origin: Annotated[str | None, typer.Option("--source", help="manual, upload, git or seed.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 100, as_json: Json = False,
) -> None:
    """List the workspace's skills and those that came with the product."""

    page = Client().get("/api/skills", search=search, category=category, tags=",".join(tag) if tag else None,
                        source=origin, limit=limit)
    if as_json:
        put_json(page)
        return
    put_table((each | {"tokens": each["core_tokens"], "agents": each["agents_count"], "active": each["is_active"]}
               for each in page["items"]), COLUMNS, spare=("tokens", "category"))
    say_rest(page, "skills", "automatos skill upload FOLDER, or automatos skill source add URL")


@app.command("get")
def get_skill(skill: Named, as_json: Json = False) -> None:
    """Show one skill: its files, its tools and the agents that have it."""

    client = Client()
    found = client.get(f"/api/skills/{find(client, SKILL, skill)['id']}")
    if as_json:
        put_json(found)
        return
    put_fields(found | {
        "version": found["current_version"], "active": found["is_active"],
        "used_by": [agent["name"] for agent in found["agents"]],
        "tools": [tool["name"] for tool in found["tools_schema"]], "invoked": _invoked(found),
    }, FIELDS)
    put("")
    put_table(({"file": file["path"], "kind": file["kind"], "bytes": file["size_bytes"],
                "tokens": file["estimated_tokens"]} for file in found["files"]), ("file", "kind", "bytes", "tokens"))


def _invoked(skill: dict[str, Any]) -> str:
    """Say who may call a skill up, and how."""
    hint = f" {skill['argument_hint']}" if skill["argument_hint"] else ""
    ways = [] if skill["disable_model_invocation"] else ["by the agent"]
    ways += [f"by a task that begins with /{skill['name']}{hint}"] if skill["user_invocable"] else []
    return " or ".join(ways) or "by nobody"


@app.command("content")
def show_content(
    skill: Named,
    level: Annotated[
        int | None, typer.Option(min=1, max=3, help="1 what it is for, 2 the instructions, 3 one of its files.")
    ] = None,
    path: Annotated[str | None, typer.Option("--file", help="The file to read at level 3.")] = None,
    as_json: Json = False,
) -> None:
    """Write what an agent reads of a skill at one of its three levels."""

    client = Client()
    loaded = client.get(f"/api/skills/{find(client, SKILL, skill)['id']}/content",
                        level=level or (3 if path else 2), resource_path=path)
    if as_json:
        put_json(loaded)
        return
    put(loaded["content"].rstrip("\n"))
    say(f"level {loaded['load_level']}, about {loaded['estimated_tokens']:,} tokens")


@app.command("versions")
def list_versions(skill: Named, as_json: Json = False) -> None:
    """List the states a skill was in, newest first."""

    client = Client()
    page = client.get(f"/api/skills/{find(client, SKILL, skill)['id']}/versions")
    if as_json:
        put_json(page)
        return
    put_table((each | {"saved": short_time(each["created_at"]), "current": each["is_current"],
                       "commit": (each["git_commit_sha"] or "")[:12]} for each in page["items"]),
              ("version", "current", "saved", "author", "commit", "description"), spare=("commit", "author"))


@app.command("recommend")
def recommend_skills(
    task: Annotated[str, typer.Argument(help="The work to find skills for.")],
    task_type: Annotated[str | None, typer.Option("--type", help="What kind of work it is.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=20)] = 5, as_json: Json = False,
) -> None:
    """Name the skills that fit some work best, and why."""

    body = {"task_description": task, "limit": limit} | ({"task_type": task_type} if task_type else {})
    found = Client().post("/api/skills/recommend", body)
    if as_json:
        put_json(found)
        return
    put_table(({"name": each["skill"]["name"], "score": f"{each['score']:.2f}", "reason": each["reason"]}
               for each in found["items"]), ("name", "score", "reason"))
    if not found["items"]:
        say("no skill fits; see them all with: automatos skill list")
