"""Counts in how many places a fact is written by hand, and how large packages are: `python -m tests.places`.

Generated files, tests, decisions and what is built do not count: they follow. Journeys are counted as they run, by
`tests/runs/test_journey.py` and `tests/lifecycle/test_journeys.py`.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from automatos.agents.types import AgentConfiguration, ResourceLimits
from automatos.credentials.service import providers_by_name

ROOT = Path(__file__).parents[1]
SOURCE, WEB = ROOT / "src/automatos", ROOT / "web/src"
MEANS_MORE = {"tools", "environment", "resource_limits"}
"""Settings whose names are words for other things, too; and what only holds others."""
WRITTEN = ("*.py", "*.yaml", "*.sql", "*.ts", "*.tsx")
FOLLOWS = re.compile(r"automatos/static/|/client/schema\.d\.ts$|\.test\.tsx?$|client/events\.py$")


@cache
def written_by_hand() -> Mapping[str, str]:
    """Return the text of every source file of server, command line and web app, by its path below the root."""
    files = (path for folder in (SOURCE, WEB) for kind in WRITTEN for path in folder.rglob(kind))
    return {str(path.relative_to(ROOT)): path.read_text() for path in files if not FOLLOWS.search(str(path))}


def places_of(word: str) -> list[str]:
    """Return the files in which a word stands by itself."""
    whole = re.compile(rf"\b{re.escape(word)}\b")
    return sorted(path for path, text in written_by_hand().items() if whole.search(text))


def settings_of_an_agent() -> list[str]:
    """Return the names of an agent's settings, each limit of a machine by itself, that mean nothing else."""
    names = [*AgentConfiguration.model_fields, *ResourceLimits.model_fields]
    return [name for name in names if name not in MEANS_MORE]


def providers() -> list[str]:
    """Return the names of providers that are no names of wires, nor words for other things."""
    return [name for name in providers_by_name() if name not in {"openai", "anthropic", "custom", "demo"}]


def sizes() -> dict[str, int]:
    """Return how many Python files each package has, those of packages inside it included."""
    packages = (path for path in SOURCE.iterdir() if (path / "__init__.py").exists())
    return {path.name: sum(1 for _ in path.rglob("*.py")) for path in packages}


def _table() -> Iterator[str]:
    yield "Files in which a setting of an agent is named"
    for name in settings_of_an_agent():
        yield f"  {len(places_of(name)):3}  {name}"
    yield "Files in which a provider is named"
    for name in providers():
        yield f"  {len(places_of(name)):3}  {name}"
    yield "Files in a package"
    for name, count in sorted(sizes().items(), key=lambda one: -one[1]):
        yield f"  {count:3}  {name}"


if __name__ == "__main__":
    print(*_table(), sep="\n")
