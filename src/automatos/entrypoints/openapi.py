"""The API's description as a file: `python -m automatos.entrypoints.openapi` writes it to standard output."""

import sys
from typing import Any

import orjson

from automatos.entrypoints.api import create_app
from automatos.entrypoints.description import describe
from automatos.entrypoints.services import Services
from automatos.kernel.config import Settings


def describe_all() -> dict[str, Any]:
    """Return the description of the whole API; needs no database and no settings, and writes nothing, no log either."""
    settings = Settings.model_construct(log_format="text")
    return describe(create_app(Services(settings, "postgresql://nowhere/none")))


def write_description() -> None:
    """Write the description to standard output."""
    sys.stdout.buffer.write(orjson.dumps(describe_all(), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n")


if __name__ == "__main__":
    write_description()
