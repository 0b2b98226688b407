"""The nouns of the command line; the commands of a noun are imported when one of them is looked at."""

import re
from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module
from typing import Any, cast

from typer import Typer
from typer._click import Command
from typer.core import TyperGroup
from typer.main import get_group

NOUNS = {
    "agent": "Make, run and stop agents.",
    "recipe": "Apply recipe files and cook them.",
    "run": "See what was done; watch or stop it.",
    "heartbeat": "Agents that check in by themselves.",
    "persona": "The voices that agents can take.",
    "skill": "Instructions that agents can load.",
    "pattern": "Patterns of working together.",
    "credential": "Keys and passwords of other services.",
    "model": "Models, their prices, the default.",
    "setting": "Settings of workspace and server.",
    "workspace": "Workspaces and their people.",
    "api-key": "Keys for programs that call this server.",
    "audit": "Who changed what.",
    "auth": "Sign in, see who you are, sign out.",
    "account": "Your password, and where you are signed in.",
    "admin": "Who runs the server, and what workspaces may have.",
    "key": "The server's own key, which seals stored credentials.",
    "db": "The database's tables and first rows.",
}
"""What each noun is about; its commands are the `app` of the module of that name."""
CLAUSE = re.compile(r"[;:.]\s|, (?:with|once|part|in)\b|\.$")
"""Where the first clause of a help text ends."""
ELSEWHERE = {"db": "database", "api-key": "api_key"}
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
            shorten(self._found)
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


def shorten(commands: Mapping[str, Command]) -> None:
    """Let lists of commands say the first clause of what each does, so that none is cut off in a line of 80."""
    for command in commands.values():
        first = CLAUSE.split((command.help or "").strip(), maxsplit=1)[0]
        command.short_help = command.short_help or f"{first.rstrip('.')}."


class Nouns(TyperGroup):
    """The command itself: its nouns first, then what stands for itself."""

    def __init__(self, *, commands: dict[str, Command] | None = None, **more: Any) -> None:
        nouns = {noun: _group(noun, about) for noun, about in NOUNS.items()}
        shorten(commands or {})
        super().__init__(commands={**nouns, **(commands or {})}, **more)


def _group(noun: str, about: str) -> Command:
    commands = cast("dict[str, Command]", Later(noun))
    return TyperGroup(name=noun, help=about, commands=commands, no_args_is_help=True, rich_markup_mode=None)
