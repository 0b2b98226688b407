"""What a new database is filled with; every part adds only what is missing, so that seeding can be repeated."""

from automatos.kernel.db import Database
from automatos.llm.seed import seed_models


async def seed(database: Database) -> None:
    """Add the data of every room that the database lacks, in the order in which rooms need each other."""
    await seed_models(database)
