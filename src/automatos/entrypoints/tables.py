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

__all__ = ["agents", "credentials", "durable", "heartbeats", "llm", "metadata", "personas", "recipes", "runtime",
           "settings", "skills", "workspaces"]
