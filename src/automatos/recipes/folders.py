"""Whose files are still needed: the folder of an execution is kept at least as long as it may go on."""

from uuid import UUID

from automatos.kernel.db import Database
from automatos.recipes.queries import folders as queries


async def unfinished_executions(database: Database, workspace_id: UUID) -> frozenset[str]:
    """Return the ids of a workspace's executions that have not ended, whether they are at work or wait."""
    async with database.session(workspace_id) as session:
        return frozenset(str(each) for each in await queries.unfinished(session, workspace_id))
