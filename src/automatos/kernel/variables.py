"""Environment variables, cleaned of what files and templates leave around their values."""

import os
from collections.abc import Mapping


def as_meant(variables: Mapping[str, str | None]) -> dict[str, str | None]:
    """Return environment variables as those who set them mean them; one that is empty is not set.

    Line ends, blanks and quotes around a value come along from files and templates. A password keeps its blanks and
    quotes.
    """
    found: dict[str, str | None] = {}
    for name, value in variables.items():
        text = (value or "").strip("\r\n")
        if not name.endswith("PASSWORD"):
            text = text.strip()
            text = text[1:-1].strip() if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text
        if text:
            found[name] = text
    return found


def read_variable(name: str) -> str | None:
    """Return an environment variable as it is meant, None where it is not set."""
    return as_meant({name: os.environ.get(name)}).get(name)
