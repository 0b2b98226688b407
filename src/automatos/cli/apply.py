"""Sending recipe files to a server."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from automatos.cli.client import Client
from automatos.cli.console import CommandFailed
from automatos.cli.documents import read_document, recipe_files


def apply(client: Client, paths: Iterable[Path]) -> Iterator[dict[str, Any]]:
    """Apply each file in order and yield the server's answer; all files are read before the first is sent.

    Raises:
        CommandFailed: a file cannot be read, or the server refused it; names the file.
    """
    documents = [(path, read_document(path)) for path in recipe_files(paths)]
    for path, document in documents:
        try:
            yield client.post("/api/workflow-recipes/apply", document)
        except CommandFailed as failure:
            raise CommandFailed(f"{path}: {failure.what}", *failure.next_steps, code=failure.code) from failure
