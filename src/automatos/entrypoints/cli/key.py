"""Commands about the server's own key, which seals stored credentials: rotate."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from automatos.entrypoints.cli.asking import Manner
from automatos.entrypoints.cli.console import say
from automatos.entrypoints.cli.database import on_ground
from automatos.entrypoints.cli.options import Json
from automatos.entrypoints.cli.server import read_settings

if TYPE_CHECKING:
    from automatos.entrypoints.migrate import Ground

app = typer.Typer()
Home = Annotated[Path | None, typer.Option(help="Data directory [AUTOMATOS_HOME, ~/.automatos].")]


@app.callback()
def _group() -> None: ...


@app.command("rotate")
def rotate(
    shared_keys: Annotated[
        bool, typer.Option("--shared-keys", help="Processes on other machines read the same key folder.")
    ] = False,
    home: Home = None, as_json: Json = False,
) -> None:
    """Seal every stored credential under a new key and remove the old one; the server may run meanwhile."""
    on_ground(home, lambda ground: _rotate(ground, home, shared_keys, Manner(as_json)))


async def _rotate(ground: "Ground", home: Path | None, shared_keys: bool, manner: Manner) -> None:
    from automatos.entrypoints.rotation import rotate_key

    done = await rotate_key(read_settings(home=home), ground, keys_are_shared=shared_keys)
    begun = "an earlier rotation was finished" if done.was_continued else "a new key was made"
    manner.tell(asdict(done), f"{begun}: {done.resealed} values sealed under it, {done.removed_keys} old key files "
                "removed")
    if done.unreadable:
        say(f"warning: no key of this server opens {done.unreadable} values; enter those credentials again")
    say("make a new backup: older ones hold the old key")
