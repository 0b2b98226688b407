"""How a process speaks at a terminal: data on standard output, talk on standard error."""

import sys


def put(text: str) -> None:
    """Write one line of data."""
    print(text, flush=True)  # noqa: T201


def say(text: str) -> None:
    """Tell a person something; never part of the data."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201
