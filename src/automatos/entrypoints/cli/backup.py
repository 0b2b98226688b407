"""Commands that put a whole server into one file and back."""

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from automatos.entrypoints.cli.asking import Manner
from automatos.entrypoints.cli.console import say
from automatos.entrypoints.cli.options import Json, NoInput, Yes
from automatos.entrypoints.cli.server import read_settings

InBucket = Annotated[bool, typer.Option(
    "--bucket", help="FILE is the name of an object in the bucket AWS_S3_BUCKET, under server/backups.")]
Home = Annotated[Path | None, typer.Option(help="Data directory [AUTOMATOS_HOME, ~/.automatos].")]


def add_to(app: typer.Typer) -> None:
    """Put this module's commands at the top level."""
    for command in (backup, restore):
        app.command()(command)


def backup(
    file: Annotated[Path, typer.Argument(help="The file to make; it holds the keys too, so keep it safe.")],
    in_bucket: InBucket = False, home: Home = None, as_json: Json = False,
) -> None:
    """Put database, keys and files into one file, here or in a bucket; the server may run meanwhile."""
    from automatos.entrypoints.backup import make_backup
    from automatos.entrypoints.bucket import back_up_to_bucket

    settings = read_settings(home=home)
    manifest = asyncio.run(back_up_to_bucket(settings, str(file)) if in_bucket else
                           make_backup(settings, file.absolute()))
    for name in manifest.left_out:
        say(f"warning: left out: {name}")
    Manner(as_json).tell(
        asdict(manifest) | {"file": str(file)},
        f"{file}: {len(manifest.checksums)} files, tables of revision {manifest.revision}. It holds the keys that open "
        "stored credentials: keep it where only you can read it.")


def restore(
    file: Annotated[Path, typer.Argument(help="A file that `automatos backup` made.")],
    force: Annotated[
        bool, typer.Option("--force", help="Replace what is there; key files and files are moved aside.")
    ] = False,
    in_bucket: InBucket = False, home: Home = None, as_json: Json = False, yes: Yes = False, no_input: NoInput = False,
) -> None:
    """Put a backup into an empty home and database; stop the server first."""
    from automatos.entrypoints.bucket import restore_from_bucket
    from automatos.entrypoints.restore import restore_backup

    settings, manner = read_settings(home=home), Manner(as_json, yes, no_input)
    if force and manner.may_ask:
        manner.agree(f"Replace what is in the database, and move aside what is in {settings.home}?")
    done = asyncio.run(restore_from_bucket(settings, str(file), is_forced=force) if in_bucket else
                       restore_backup(settings, file.absolute(), is_forced=force))
    for path in done.moved:
        say(f"moved aside: {path}")
    manner.tell(asdict(done.manifest) | {"moved": [str(path) for path in done.moved]},
                f"restored what was backed up at {done.manifest.made_at}; start with: automatos up")
