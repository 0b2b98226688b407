"""Names that the shell completes: what the server has, asked for briefly; no server, no names, and never an error."""

from automatos.cli.client import Client
from automatos.cli.console import CommandFailed
from automatos.cli.finding import KINDS, names_of

PATIENCE_S = 1.0
MOST = 50


def _names(noun: str, incomplete: str) -> list[str]:
    try:
        client = Client(timeout_s=PATIENCE_S)
        return [name for name in names_of(client, KINDS[noun], incomplete)
                if name.casefold().startswith(incomplete.casefold())][:MOST]
    except (CommandFailed, OSError, ValueError):
        return []


def agents(incomplete: str) -> list[str]:
    """Return names of agents that begin so."""
    return _names("agent", incomplete)


def recipes(incomplete: str) -> list[str]:
    """Return `template_id`s of recipes that begin so."""
    return _names("recipe", incomplete)


def runs(incomplete: str) -> list[tuple[str, str]]:
    """Return the newest runs, each with what it was of and how it stands, and `latest`."""

    try:
        newest = Client(timeout_s=PATIENCE_S).get("/api/runs", limit=MOST)["items"]
    except (CommandFailed, OSError, ValueError):
        return []
    found = [("latest", "the newest run")]
    found += [(run["id"], f"{run['recipe_name']}, {run['status']}") for run in newest]
    return [each for each in found if each[0].startswith(incomplete.casefold())]


