"""Commands that put a whole server into one file and back."""

from pathlib import Path
from typing import Annotated, Any

import typer

from automatos.cli import access
from automatos.cli.asking import Manner
from automatos.cli.console import say
from automatos.cli.machine import on_machine
from automatos.cli.options import Home, Json, NoInput, Yes

InBucket = Annotated[bool, typer.Option(
    "--bucket", help="FILE is the name of an object in the bucket AWS_S3_BUCKET, under server/backups.")]


def add_to(app: typer.Typer) -> None:
    """Put this module's commands at the top level."""
    for command in (backup, restore):
        app.command()(command)


def backup(
    file: Annotated[Path, typer.Argument(help="The file to make; it holds the keys too, so keep it safe.")],
    in_bucket: InBucket = False, home: Home = None, as_json: Json = False,
) -> None:
    """Put database, keys and files into one file, here or in a bucket; the server may run meanwhile."""

    manifest: dict[str, Any] = on_machine("back_up", file=file, in_bucket=in_bucket, home=home)
    for name in manifest["left_out"]:
        say(f"warning: left out: {name}")
    Manner(as_json).tell(
        manifest | {"file": str(file)},
        f"{file}: {len(manifest['checksums'])} files, tables of revision {manifest['revision']}. It holds the keys "
        "that open stored credentials: keep it where only you can read it.")


def restore(
    file: Annotated[Path, typer.Argument(help="A file that `automatos backup` made.")],
    force: Annotated[
        bool, typer.Option("--force", help="Replace what is there; key files and files are moved aside.")
    ] = False,
    in_bucket: InBucket = False, home: Home = None, as_json: Json = False, yes: Yes = False, no_input: NoInput = False,
) -> None:
    """Put a backup into an empty home and database; stop the server first."""

    manner = Manner(as_json, yes, no_input)
    if force and manner.may_ask:
        manner.agree(f"Replace what is in the database, and move aside what is in {home or access.home()}?")
    done: dict[str, Any] = on_machine("restore", file=file, in_bucket=in_bucket, is_forced=force, home=home)
    for path in done["moved"]:
        say(f"moved aside: {path}")
    manner.tell(done, f"restored what was backed up at {done['made_at']}; start with: automatos up")
