"""Checking recipe files on this machine, by the same rules as the server's."""

from pathlib import Path
from typing import Any

from automatos.cli.console import CommandFailed
from automatos.cli.documents import read_document
from automatos.cli.machine import on_machine


def faults_of_file(path: Path) -> list[dict[str, Any]]:
    """Return every fault of a recipe file, each with `where` and `message`."""
    try:
        document = read_document(path)
    except CommandFailed as failure:
        return [{"where": path.name, "message": failure.what}]
    return on_machine("find_recipe_faults", document=document, name=path.name)
