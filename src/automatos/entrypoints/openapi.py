"""The API's description as a file: `python -m automatos.entrypoints.openapi` writes it to standard output."""

import sys

import orjson

from automatos.entrypoints.api import create_app
from automatos.entrypoints.description import describe
from automatos.entrypoints.services import Services
from automatos.kernel.config import Settings


def main() -> None:
    """Write the description of the whole API; needs no database and no settings."""
    app = create_app(Services(Settings.model_construct(), "postgresql://nowhere/none"))
    sys.stdout.buffer.write(orjson.dumps(describe(app), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n")


if __name__ == "__main__":
    main()
