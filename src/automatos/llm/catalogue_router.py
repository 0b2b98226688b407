"""HTTP of the catalogue's entries: everybody reads them, system admins change them."""

from typing import Annotated

from fastapi import APIRouter, Path, status

from automatos.credentials.errors import UnknownProvider
from automatos.durable.deps import Hints
from automatos.kernel.openapi import problems
from automatos.llm import bodies, catalogue, schemas
from automatos.llm.errors import ModelEntryInvalid, ModelEntryNotFound, ModelEntryShipped, ModelEntryTaken
from automatos.llm.parts import AppModels
from automatos.llm.types import HINT_TOPIC
from automatos.workspaces.deps import AppDatabase, CurrentCaller, Session, SystemAdmin
from automatos.workspaces.errors import SystemAdminRequired

router = APIRouter(prefix="/api/models/catalogue", tags=["models"])

EntryId = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.post("", status_code=status.HTTP_201_CREATED,
             responses=problems(SystemAdminRequired, UnknownProvider, ModelEntryTaken))
async def create_model(
    body: bodies.ModelCreate, caller: SystemAdmin, database: AppDatabase, models: AppModels, hints: Hints
) -> schemas.Model:
    """Add a model to the catalogue of the whole server."""
    async with database.session(caller.workspace_id) as session:
        entry = await catalogue.create_entry(session, caller, body)
    models.forget_prices()
    hints.changed(caller.workspace_id, HINT_TOPIC)
    return schemas.Model.model_validate(entry)


@router.get("/{entry_id}", responses=problems(ModelEntryNotFound))
async def get_model(entry_id: EntryId, caller: CurrentCaller, session: Session) -> schemas.Model:
    """Read one model of the catalogue."""
    return schemas.Model.model_validate(await catalogue.get_entry(session, entry_id))


@router.put("/{entry_id}", responses=problems(SystemAdminRequired, ModelEntryNotFound, ModelEntryInvalid))
async def update_model(
    entry_id: EntryId, body: bodies.ModelUpdate, caller: SystemAdmin, database: AppDatabase, models: AppModels,
    hints: Hints,
) -> schemas.Model:
    """Change what is given of a catalogue entry, for the whole server; its prices count within seconds."""
    async with database.session(caller.workspace_id) as session:
        entry = await catalogue.update_entry(session, caller, entry_id, body)
    models.forget_prices()
    hints.changed(caller.workspace_id, HINT_TOPIC)
    return schemas.Model.model_validate(entry)


@router.delete("/{entry_id}", status_code=status.HTTP_204_NO_CONTENT,
               responses=problems(SystemAdminRequired, ModelEntryNotFound, ModelEntryShipped))
async def delete_model(
    entry_id: EntryId, caller: SystemAdmin, database: AppDatabase, models: AppModels, hints: Hints
) -> None:
    """Delete a model that was added by hand; those that came with the server can be set to inactive instead."""
    async with database.session(caller.workspace_id) as session:
        await catalogue.delete_entry(session, caller, entry_id)
    models.forget_prices()
    hints.changed(caller.workspace_id, HINT_TOPIC)
