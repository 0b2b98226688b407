"""The nouns of the command line; the commands of a noun are imported when one of them is looked at."""

from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import Any, cast

from typer import Typer
from typer._click import Command
from typer.core import TyperGroup
from typer.main import get_group

NOUNS = {
    "agent": "List, make, run and stop agents.",
    "recipe": "Apply recipe files, look at recipes, cook them.",
    "run": "Look at what recipes and agents have done, watch it, stop it.",
    "heartbeat": "Agents that check in by themselves.",
    "persona": "The voices that agents can take.",
    "skill": "The instructions that agents can load, and their sources.",
    "pattern": "Patterns of working together.",
    "credential": "Keys and passwords; they go in and never come out.",
    "model": "The models that can answer, what they cost, and the default.",
    "setting": "Settings of the workspace and the server.",
    "audit": "Who changed what.",
    "auth": "Sign in to a server, see who you are, sign out.",
    "db": "Bring the database up to date; `automatos up` does it by itself.",
}
"""What each noun is about; its commands are the `app` of the module of that name."""
ELSEWHERE = {"db": "database"}
"""Modules with another name than their noun."""


class Later(MutableMapping[str, Command]):
    """The commands of one noun, imported at the first look."""

    def __init__(self, noun: str) -> None:
        self._noun = noun
        self._found: MutableMapping[str, Command] | None = None

    def _commands(self) -> MutableMapping[str, Command]:
        if self._found is None:
            module = ELSEWHERE.get(self._noun, self._noun)
            app: Typer = import_module(f"automatos.entrypoints.cli.{module}").app
            app.rich_markup_mode = None
            self._found = get_group(app).commands
        return self._found

    def __getitem__(self, name: str) -> Command:
        return self._commands()[name]

    def __setitem__(self, name: str, command: Command) -> None:
        self._commands()[name] = command

    def __delitem__(self, name: str) -> None:
        del self._commands()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._commands())

    def __len__(self) -> int:
        return len(self._commands())


class Nouns(TyperGroup):
    """The command itself: its nouns first, then what stands for itself."""

    def __init__(self, *, commands: dict[str, Command] | None = None, **more: Any) -> None:
        nouns = {noun: _group(noun, about) for noun, about in NOUNS.items()}
        super().__init__(commands={**nouns, **(commands or {})}, **more)


def _group(noun: str, about: str) -> Command:
    commands = cast("dict[str, Command]", Later(noun))
    return TyperGroup(name=noun, help=about, commands=commands, no_args_is_help=True, rich_markup_mode=None)
