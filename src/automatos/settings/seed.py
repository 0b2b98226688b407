"""Writing the defaults of the catalogue for the whole server, where nobody has set anything."""

from automatos.kernel.db import Database, Scope
from automatos.settings import queries
from automatos.settings.catalogue import categories


async def seed_settings(database: Database) -> None:
    """Add the defaults that the database lacks; can be run at every start, changes nothing that is there."""
    rows = [
        {"workspace_id": None, "category": setting.category, "key": setting.key, "value": setting.default,
         "value_type": setting.value_type.value}
        for category in categories().values() for setting in category.settings if setting.default is not None
    ]
    async with database.session(None, Scope.ADMIN) as session:
        await queries.add_settings(session, rows)
