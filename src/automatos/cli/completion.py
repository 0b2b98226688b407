"""Names that the shell completes: what the server has, asked for briefly; no server, no names, and never an error."""

import os
import re
import shlex
from collections.abc import Callable, Iterator

from typer import _completion_classes
from typer._click.shell_completion import CompletionItem

from automatos.cli.client import Client
from automatos.cli.finding import KINDS, LATEST, names_of

PATIENCE_S = 1.0
MOST = 50
SPECIAL = re.compile(r"([^\w@%+=:,./-])")
"""Characters that a shell takes for something else than themselves."""
ACTED_ON = frozenset("\\`$")
"""Characters by which a text becomes a command, also behind the backslash that typer puts before them."""

Completed = list[tuple[str, str]]
"""Names, each with what it is where the name does not say it."""


def _completing(names: Callable[[Client, str], Iterator[tuple[str, str]]]) -> Callable[[str], Completed]:
    """Return what typer calls for the names that begin with what is typed."""

    def complete(incomplete: str) -> Completed:
        typed = incomplete.casefold()
        try:
            found = list(names(Client(timeout_s=PATIENCE_S), incomplete))
        except Exception:  # noqa: BLE001  # whatever it is, nobody asked for it: they pressed a key
            return []
        return [(name, _harmless(about)) for name, about in found
                if name.casefold().startswith(typed) and name == _harmless(name)][:MOST]

    return complete


def _harmless(text: str) -> str:
    """Return a text without what a shell that evaluates its completions (zsh does) would act on: others chose it."""
    return "".join(each for each in text if each.isprintable() and each not in ACTED_ON)


def _of_kind(noun: str) -> Callable[[str], Completed]:
    def names(client: Client, incomplete: str) -> Iterator[tuple[str, str]]:
        return ((name, "") for name in names_of(client, KINDS[noun], incomplete))

    return _completing(names)


def _newest_runs(client: Client, _: str) -> Iterator[tuple[str, str]]:
    yield LATEST, "the newest run"
    for run in client.get("/api/runs", limit=MOST)["items"]:
        part = f", part of a run of {run['parent']['recipe_name']}" if run.get("parent") else ""
        yield run["id"], f"{run['recipe_name']}, {run['status']}{part}"


def _catalogued_models(client: Client, _: str) -> Iterator[tuple[str, str]]:
    for model in client.get("/api/models", status="all")["items"]:
        yield f"{model['provider']}/{model['model_id']}", model["status"]


def _known_settings(client: Client, _: str) -> Iterator[tuple[str, str]]:
    for setting in client.get("/api/settings/catalogue")["items"]:
        yield f"{setting['category']}.{setting['key']}", setting["description"]


agents = _of_kind("agent")
recipes = _of_kind("recipe")
skills = _of_kind("skill")
sources = _of_kind("source")
personas = _of_kind("persona")
patterns = _of_kind("pattern")
credentials = _of_kind("credential")
api_keys = _of_kind("API key")
workspaces = _of_kind("workspace")
runs = _completing(_newest_runs)
models = _completing(_catalogued_models)
settings = _completing(_known_settings)


class EscapedNames(_completion_classes.BashComplete):
    """Bash puts a name into the line as it stands: what it takes apart there is escaped, unless a quote is open."""

    def format_completion(self, item: CompletionItem) -> str:
        """Return a name as it stands in a line of bash."""
        return item.value if _has_open_quote(os.environ["COMP_WORDS"]) else SPECIAL.sub(r"\\\1", item.value)


def _has_open_quote(line: str) -> bool:
    try:
        shlex.split(line)
    except ValueError:
        return True
    return False


def escape_names() -> None:
    """Let bash complete names with blanks in them; typer names the class it takes in its own module only."""
    _completion_classes.BashComplete = EscapedNames
