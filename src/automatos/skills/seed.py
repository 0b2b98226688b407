"""The skills and patterns that come with the product."""

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from automatos.kernel.db import Database, Scope
from automatos.kernel.shipped import parse_shipped
from automatos.skills import storing
from automatos.skills.package import Package, check_package
from automatos.skills.queries import records
from automatos.skills.queries.sources import put_patterns
from automatos.skills.storing import Origin
from automatos.skills.types import SkillOrigin

ORIGIN = Origin(SkillOrigin.SEED, "automatos")
SKIPPED = frozenset({"__pycache__"})


async def seed_patterns(database: Database) -> None:
    """Make the patterns as the seed file says; can be run at every start."""
    rows: list[dict[str, Any]] = parse_shipped(_seeds().joinpath("patterns.yaml").read_text("utf-8"))
    async with database.session(None, Scope.ENGINE) as session:
        await put_patterns(session, rows)


async def seed_skills(database: Database) -> None:
    """Make the product's skills as their folders say, a new version where one differs; can be run at every start.

    They belong to no workspace; skills of workspaces are not touched, whatever their names.
    """
    packages = seeds()
    async with database.session(None, Scope.ENGINE) as session:
        known = await records.find_own(session, None, [package.name for package in packages], lock=True)
        for package in packages:
            skill = known.get(package.name)
            if skill is None:
                await storing.add(session, None, package, ORIGIN)
            elif not storing.is_same(skill, package):
                await storing.renew(session, skill, package, ORIGIN)


def seeds() -> list[Package]:
    """Return the product's skills, by name."""
    folders = sorted((entry for entry in _seeds().iterdir() if entry.is_dir()), key=lambda entry: entry.name)
    return [storing.taken(check_package(folder.name, dict(_files(folder)))) for folder in folders]


def _seeds() -> Traversable:
    return files(__package__ or "automatos.skills").joinpath("seeds")


def _files(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir() and entry.name not in SKIPPED:
            yield from _files(entry, f"{prefix}{entry.name}/")
        elif entry.is_file():
            yield f"{prefix}{entry.name}", entry.read_bytes()
