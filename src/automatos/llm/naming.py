"""Which credential settings choose by name: `credential_name_{provider}` in the category of the part that asks."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from automatos.kernel.db import Database
from automatos.settings.service import find_by_prefix
from automatos.settings.types import GENERAL_CATEGORY, SERVICE_CATEGORIES

PREFIX = "credential_name_"


@dataclass(frozen=True, slots=True)
class NamesInSettings:
    """The names that a workspace's settings choose, by category and key."""

    values: Mapping[tuple[str, str], object]

    def name_for(self, provider: str, service: str) -> str | None:
        """Return the name chosen for a provider, in the category of a service or else the general one, or None."""
        for category in (SERVICE_CATEGORIES.get(service, GENERAL_CATEGORY), GENERAL_CATEGORY):
            chosen = self.values.get((category, f"{PREFIX}{provider}"))
            if isinstance(chosen, str) and chosen.strip():
                return chosen.strip()
        return None


async def read_names(database: Database, workspace_id: UUID) -> NamesInSettings:
    """Return the names that a workspace's settings, or else the system's, choose."""
    return NamesInSettings(await find_by_prefix(database, workspace_id, PREFIX))
