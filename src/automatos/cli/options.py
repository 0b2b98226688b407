"""Options that many commands share."""

from pathlib import Path
from typing import Annotated

import typer

from automatos.cli import completion

Json = Annotated[bool, typer.Option("--json", help="Write JSON.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]
NoInput = Annotated[bool, typer.Option("--no-input", help="Fail instead of asking.")]
Force = Annotated[bool, typer.Option("--force", help="Even if something uses it.")]
Descending = Annotated[bool, typer.Option("--desc", help="From the last to the first.")]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", "-s", metavar="FIELD=VALUE", help="A field and its value, as YAML; a.b leads into a field, "
                 "FIELD=@FILE reads a text. May be repeated."),
]
Document = Annotated[
    Path | None, typer.Option("--file", "-f", help="A YAML or JSON file with the fields.", exists=True, dir_okay=False)
]
AgentName = Annotated[
    str, typer.Argument(help="The agent's id or name.", metavar="AGENT", autocompletion=completion.agents)]
AgentNames = Annotated[
    list[str],
    typer.Argument(help="Ids or names of agents.", metavar="AGENT", autocompletion=completion.agents)]
Home = Annotated[Path | None, typer.Option(help="Data directory [AUTOMATOS_HOME, ~/.automatos].")]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="The file to write.", dir_okay=False)
]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="A tag; may be repeated.")]
Watching = Annotated[bool, typer.Option("--watch", "-w", help="Follow the run to its end.")]
RunJson = Annotated[bool, typer.Option("--json", help="Write JSON; with --watch one event a line.")]
ExitStatus = Annotated[
    bool, typer.Option("--exit-status", help="Watch, and exit with 5 when the run does not succeed.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Watch, and write what it gives only.")]
