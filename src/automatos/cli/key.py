"""Commands about the server's own key, which seals stored credentials: rotate."""

from typing import Annotated, Any

import typer

from automatos.cli.asking import Manner
from automatos.cli.console import say
from automatos.cli.machine import on_machine
from automatos.cli.options import Home, Json

app = typer.Typer()


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
    done: dict[str, Any] = on_machine("rotate_server_key", home=home, shared_keys=shared_keys)
    begun = "an earlier rotation was finished" if done["was_continued"] else "a new key was made"
    Manner(as_json).tell(done, f"{begun}: {done['resealed']} values sealed under it, {done['removed_keys']} old key "
                               "files removed")
    if done["unreadable"]:
        say(f"warning: no key of this server opens {done['unreadable']} values; enter those credentials again")
    say("make a new backup: older ones hold the old key")
