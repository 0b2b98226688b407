"""Commands that put a whole server into one file and back."""

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Any

from automatos.entrypoints.backup import make_backup
from automatos.entrypoints.bucket import back_up_to_bucket, restore_from_bucket
from automatos.entrypoints.commands.settings import read_settings
from automatos.entrypoints.restore import restore_backup


def back_up(*, file: Path, in_bucket: bool, home: Path | None) -> dict[str, Any]:
    """Put database, keys and files into one file, here or in the bucket, and return its manifest."""
    settings = read_settings(home=home)
    return asdict(asyncio.run(
        back_up_to_bucket(settings, str(file)) if in_bucket else make_backup(settings, file.absolute())))


def restore(*, file: Path, in_bucket: bool, is_forced: bool, home: Path | None) -> dict[str, Any]:
    """Put a backup into an empty home and database; returns its manifest, and as `moved` what was moved aside."""
    settings = read_settings(home=home)
    done = asyncio.run(
        restore_from_bucket(settings, str(file), is_forced=is_forced) if in_bucket else
        restore_backup(settings, file.absolute(), is_forced=is_forced))
    return asdict(done.manifest) | {"moved": [str(path) for path in done.moved]}
