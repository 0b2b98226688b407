"""Names that people type, turned into the things they mean."""

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from automatos.cli.client import Client, Refused
from automatos.cli.console import CommandFailed
from automatos.client import part

NUMBER = re.compile(r"[0-9]+")
NOTHING = re.compile(r"(?!)")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True)
class Kind:
    """A kind of thing: where it is listed, what its ids look like, and which of its fields name one."""

    noun: str
    path: str
    listed_by: str
    is_id: re.Pattern[str] = UUID
    named_by: tuple[str, ...] = ("name",)
    limit: int | None = None
    can_search: bool = False


AGENT = Kind("agent", "/api/agents", "automatos agent list", NUMBER, limit=1000, can_search=True)
SKILL = Kind("skill", "/api/skills", "automatos skill list", NUMBER, limit=200, can_search=True)
PERSONA = Kind("persona", "/api/personas", "automatos persona list", named_by=("slug", "name"), limit=200,
               can_search=True)
CREDENTIAL = Kind("credential", "/api/credentials", "automatos credential list")
PATTERN = Kind("pattern", "/api/patterns", "automatos pattern list", NOTHING, named_by=("slug", "name"))
SOURCE = Kind("source", "/api/skills/sources", "automatos skill source list", named_by=("source_name",))
RECIPE = Kind("recipe", "/api/workflow-recipes", "automatos recipe list", NOTHING, named_by=("template_id", "name"),
              limit=100, can_search=True)
RUN = Kind("run", "/api/runs", "automatos run list", limit=200)
API_KEY = Kind("API key", "/api/api-keys", "automatos api-key list", NOTHING, named_by=("name", "id"))
WORKSPACE = Kind("workspace", "/api/workspaces", "automatos workspace list", NOTHING, named_by=("slug", "name", "id"))
KINDS = {kind.noun: kind for kind in (
    AGENT, SKILL, PERSONA, PATTERN, CREDENTIAL, SOURCE, RECIPE, RUN, API_KEY, WORKSPACE)}
LATEST = "latest"
RUN_ENDS_WITH = 8
"""Characters of a run's id that tables show on a terminal: its end, because its beginning is the time it was made."""


def find(client: Client, kind: Kind, wanted: str) -> dict[str, Any]:
    """Return the thing of a kind with this id or, in any case, this whole name.

    Raises:
        CommandFailed: there is none, or there are several; names what is near.
    """
    if kind.is_id.fullmatch(wanted):
        return client.get(f"{kind.path}/{part(wanted)}")
    listed = _list(client, kind, wanted)
    for field in kind.named_by:
        same = [each for each in listed if str(each[field]).casefold() == wanted.casefold()]
        if len(same) == 1:
            return same[0]
        if same:
            raise CommandFailed(f"{len(same)} {kind.noun}s are named {wanted!r}",
                                *(f"use its id: {each['id']}" for each in same[:10]))
    raise CommandFailed(f"there is no {kind.noun} {wanted!r}", _hint(kind, listed or _list(client, kind), wanted))


def _list(client: Client, kind: Kind, search: str | None = None) -> list[dict[str, Any]]:
    return client.get(kind.path, limit=kind.limit, search=search if kind.can_search and search else None)["items"]


def _hint(kind: Kind, listed: Iterable[dict[str, Any]], wanted: str) -> str:
    """Return what the person may have meant, or how to see what there is."""
    from difflib import get_close_matches

    names = {str(each[field]): None for each in listed for field in kind.named_by}
    holding = [name for name in names if wanted and wanted.casefold() in name.casefold()]
    near = holding[:5] or get_close_matches(wanted, list(names), n=3)
    return f"did you mean: {', '.join(near)}" if near else f"list them with: {kind.listed_by}"


def names_of(client: Client, kind: Kind, search: str | None = None) -> list[str]:
    """Return the names by which things of a kind are found, the most usual of their names each."""
    return [str(each[kind.named_by[0]]) for each in _list(client, kind, search)]


def find_recipe(client: Client, wanted: str) -> dict[str, Any]:
    """Return a recipe by its template_id or, in any case, its whole name."""
    try:
        return client.get(f"{RECIPE.path}/{part(wanted)}")
    except Refused as refused:
        if refused.status != 404:
            raise
    return find(client, RECIPE, wanted)


def find_run(client: Client, wanted: str) -> str:
    """Return a run's whole id, given that, `latest`, or how one of the newest 200 runs begins or ends.

    The latest is one that somebody began, never a part of another run.

    Raises:
        CommandFailed: there is none, or there are several.
    """
    if UUID.fullmatch(wanted):
        return wanted.lower()
    if wanted == LATEST:
        if newest := client.get(RUN.path, limit=1, top_level=True)["items"]:
            return str(newest[0]["id"])
        raise CommandFailed("there are no runs yet", "start one with: automatos recipe cook NAME")
    listed = {str(run["id"]): run for run in _list(client, RUN)}
    newest = list(listed)
    named = wanted.lower()
    same = [run for run in newest if named and (run.startswith(named) or run.endswith(named))]
    if len(same) == 1:
        return same[0]
    if same:
        raise CommandFailed(f"{len(same)} runs begin or end with {wanted!r}", *(
            f"use its id: {run} ({listed[run]['recipe_name']}, {listed[run]['status']})" for run in same[:10]))
    raise CommandFailed(f"there is no run {wanted!r} among the newest {len(newest)}",
                        f"list them with: {RUN.listed_by}", f"or say {LATEST}")


def shown_run(run_id: str) -> str:
    """Return a run's id as a table has it: short for people at a terminal, whole for programs."""
    return run_id[-RUN_ENDS_WITH:] if sys.stdout.isatty() else run_id


def find_agent(client: Client, wanted: str) -> dict[str, Any]:
    """Return an agent by its id or whole name."""
    return find(client, AGENT, wanted)


def agent_path(client: Client, wanted: str) -> str:
    """Return the address of an agent's own routes."""
    return f"/api/agents/{find_agent(client, wanted)['id']}"


def workspace_path(client: Client) -> str:
    """Return the address of the routes of the caller's workspace."""
    return f"/api/workspaces/{client.get('/api/auth/me')['workspace_id']}"
