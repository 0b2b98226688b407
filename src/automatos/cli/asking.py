"""Asking the person at the terminal, where there is one."""

import getpass
import sys
from dataclasses import dataclass

from automatos.cli.console import CommandFailed, misuse, put_json, say


@dataclass(frozen=True)
class Manner:
    """How a command that changes something speaks: `yes` asks nothing, `no_input` fails instead of asking."""

    as_json: bool = False
    yes: bool = False
    no_input: bool = False

    @property
    def may_ask(self) -> bool:
        """Whether somebody is there to answer."""
        return not self.no_input and sys.stdin.isatty()

    def agree(self, question: str) -> None:
        """Go on only when somebody agrees, or has agreed with `--yes` before.

        Raises:
            CommandFailed: they do not, or nobody can be asked.
        """
        if self.yes:
            return
        if not self.may_ask:
            misuse(f"nobody can be asked here: {question}", "to agree beforehand: --yes")
        print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
            raise CommandFailed("nothing was changed")

    def tell(self, thing: object, said: str) -> None:
        """Write what a change led to: the thing itself for programs, a sentence for people."""
        if self.as_json:
            put_json(thing)
        else:
            say(said)


def ask_secret(name: str, manner: Manner) -> str:
    """Return a secret that somebody types unseen; empty when they only press Enter."""
    if not manner.may_ask:
        misuse(f"{name} is secret and nobody can be asked for it",
               f"give --value-file {name}=FILE (- is standard input), or --value-env {name}=VARIABLE")
    return getpass.getpass(f"{name}: ")
