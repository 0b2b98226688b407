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
    "agent": ("agent", "Make, run and stop agents."),
    "recipe": ("recipe", "Apply recipe files and cook them."),
    "run": ("run", "See what was done; watch or stop it."),
    "heartbeat": ("heartbeat", "Agents that check in by themselves."),
    "persona": ("persona", "The voices that agents can take."),
    "skill": ("skill", "Instructions that agents can load."),
    "pattern": ("pattern", "Patterns of working together."),
    "credential": ("credential", "Keys and passwords of other services."),
    "model": ("model", "Models, their prices, the default."),
    "setting": ("setting", "Settings of workspace and server."),
    "workspace": ("workspace", "Workspaces and their people."),
    "api-key": ("api_key", "Keys for programs that call this server."),
    "audit": ("audit", "Who changed what."),
    "auth": ("auth", "Sign in, see who you are, sign out."),
    "account": ("account", "Your password, and where you are signed in."),
    "admin": ("admin", "Who runs the server, and what workspaces may have."),
    "key": ("key", "The server's own key, which seals stored credentials."),
    "db": ("database", "The database's tables and first rows."),
}
"""Each noun with the module whose `app` has its commands, and what it is about."""
CLAUSE = re.compile(r"[;:.]\s|, (?:with|once|part|in)\b|\.$")
"""Where the first clause of a help text ends."""


class Later(MutableMapping[str, Command]):
    """The commands of one noun, imported at the first look."""

    def __init__(self, module: str) -> None:
        self._module = module
        self._found: MutableMapping[str, Command] | None = None

    def _commands(self) -> MutableMapping[str, Command]:
        if self._found is None:
            app: Typer = import_module(f"automatos.cli.{self._module}").app
            app.rich_markup_mode = None
            self._found = get_group(app).commands
            label(self._found)
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


def label(commands: Mapping[str, Command]) -> None:
    """Let help say the same of all commands in the same way.

    Lists have the first clause of what each does, so that none is cut off in a line of 80. What is to be given in place
    stands in capitals.
    """
    for command in commands.values():
        first = CLAUSE.split((command.help or "").strip(), maxsplit=1)[0]
        command.short_help = command.short_help or f"{first.rstrip('.')}."
        for parameter in command.params:
            if parameter.param_type_name == "argument" and parameter.metavar is None:
                parameter.metavar = parameter.name.upper()
        label(getattr(command, "commands", {}))


class Nouns(TyperGroup):
    """The command itself: its nouns first, then what stands for itself."""

    def __init__(self, *, commands: dict[str, Command] | None = None, **more: Any) -> None:
        nouns = {noun: _group(noun, module, about) for noun, (module, about) in NOUNS.items()}
        label(commands or {})
        super().__init__(commands={**nouns, **(commands or {})}, **more)


def _group(noun: str, module: str, about: str) -> Command:
    commands = cast("dict[str, Command]", Later(module))
    return TyperGroup(name=noun, help=about, commands=commands, no_args_is_help=True, rich_markup_mode=None)
