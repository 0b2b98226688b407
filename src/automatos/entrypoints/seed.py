"""What a new database is filled with; every part adds only what is missing, so that seeding can be repeated."""

from automatos.credentials.seed import seed_credential_types
from automatos.kernel.db import Database
from automatos.llm.seed import seed_models
from automatos.personas.seed import seed_personas
from automatos.settings.seed import seed_settings
from automatos.skills.seed import seed_patterns, seed_skills


async def seed(database: Database) -> None:
    """Add the data of every package that the database lacks, in the order in which packages need each other."""
    await seed_credential_types(database)
    await seed_settings(database)
    await seed_models(database)
    await seed_skills(database)
    await seed_patterns(database)
    await seed_personas(database)
