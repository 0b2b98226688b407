"""Every table, imported once, so that foreign keys named by text resolve in API, worker, migrations and tests."""

from automatos.agents import models as agents
from automatos.credentials import models as credentials
from automatos.durable import models as durable
from automatos.heartbeats import models as heartbeats
from automatos.kernel.db import Base
from automatos.llm import models as llm
from automatos.personas import models as personas
from automatos.recipes import models as recipes
from automatos.runtime import models as runtime
from automatos.settings import models as settings
from automatos.skills import models as skills
from automatos.workspaces import models as workspaces

metadata = Base.metadata
KEPT_FOR_THE_VERSION_BEFORE = frozenset({"is_cost_known"})
"""Columns that no table here has: processes of an earlier version still write them while this one starts beside."""


def is_ours(name: str | None, kind: str) -> bool:
    """Say whether migrations are to agree with these tables about something in the database."""
    return name not in ({"alembic_version"} if kind == "table" else KEPT_FOR_THE_VERSION_BEFORE)


__all__ = ["KEPT_FOR_THE_VERSION_BEFORE", "agents", "credentials", "durable", "heartbeats", "is_ours", "llm",
           "metadata", "personas", "recipes", "runtime", "settings", "skills", "workspaces"]
