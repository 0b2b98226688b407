"""The command `automatos`: its nouns, what stands for itself, and how every failure ends."""

import sys
from typing import Annotated

import typer
from typer._click.exceptions import NoArgsIsHelpError, UsageError

from automatos.cli import backup, server
from automatos.cli.client import faults_in
from automatos.cli.completion import escape_names
from automatos.cli.console import CommandFailed, Exit, put, say, show_failure
from automatos.cli.nouns import Nouns
from automatos.cli.values import take_plain_values
from automatos.kernel.errors import Problem

take_plain_values()
escape_names()
app = typer.Typer(
    name="automatos", cls=Nouns, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Automatos: agents that cook recipes, durably. Start with `automatos up`.",
)
server.add_to(app)
backup.add_to(app)


@app.callback()
def entry(
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=server.show_version)
    ] = False,
) -> None:
    """Say what is common to all commands."""


def main() -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(_run())


def _run() -> int:
    try:
        return int(app(standalone_mode=False) or 0)
    except CommandFailed as failure:
        return show_failure(failure)
    except UsageError as error:
        return _show_usage(error)
    except (KeyboardInterrupt, typer.Abort):
        say("interrupted")
        return Exit.INTERRUPTED
    except BrokenPipeError:
        sys.stdout = None  # whoever read our output has gone; nothing is left to flush it to
        return Exit.FAILED
    except Exception as error:  # noqa: BLE001  # a defect is raised again
        return _show_refusal(error)


def _show_usage(error: UsageError) -> int:
    if isinstance(error, NoArgsIsHelpError):
        put(error.format_message())
        return Exit.OK
    path = error.ctx.command_path if error.ctx else "automatos"
    return show_failure(CommandFailed(error.format_message(), f"see: {path} --help", code=Exit.USAGE))


def _show_refusal(error: Exception) -> int:
    """Show what the server's own code refused; anything else is a defect and goes up."""

    if isinstance(error, Problem):
        return show_failure(CommandFailed(error.detail, *faults_in(error.extra)))
    raise error
