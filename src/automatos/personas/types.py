"""Words of the personas room: scopes, sources, and which categories of voices fit which type of agent."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import StrEnum
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.kernel.shipped import read_shipped

HINT_TOPIC = "personas"


class PersonaScope(StrEnum):
    """Who can use a persona: every workspace, or the one it belongs to."""

    GLOBAL = "global"
    WORKSPACE = "workspace"


class PersonaSource(StrEnum):
    """Where a persona comes from: with the product, or from people."""

    SEED = "seed"
    MANUAL = "manual"


AgentsOfPersonas = Callable[[AsyncSession, UUID, Sequence[UUID]], Awaitable[Mapping[UUID, int]]]
"""Counts a workspace's agents by the persona they speak with; a higher package hands one down (`Services`)."""


@cache
def _fitting() -> dict[str, Any]:
    return read_shipped("automatos.personas", "fitting.yaml")


def agent_types() -> frozenset[str]:
    """Return every type of agent that the library can be narrowed to."""
    return frozenset(_fitting()["types"])


def agent_categories() -> frozenset[str]:
    """Return every category that agents are shown under."""
    return frozenset(_fitting()["shown_as"])


def unfitting_categories(*, agent_type: str | None = None, shown_as: str | None = None) -> frozenset[str]:
    """Return, in lower case, the known categories that are not for such an agent; none where it is to see all."""
    offers = [_fitting()["types"][agent_type]] if agent_type else []
    offers += [_fitting()["shown_as"][shown_as]] if shown_as else []
    return frozenset(category.lower() for category in _fitting()["categories"]
                     if any(offer is not None and category not in offer for offer in offers))


def known_category(category: str) -> str | None:
    """Return a known category as it is written, whatever the case of its letters."""
    return next((one for one in _fitting()["categories"] if one.lower() == category.lower()), None)
