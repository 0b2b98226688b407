"""The catalogue's entries as people change them: read, add, change, delete."""

from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.credentials.service import get_provider
from automatos.kernel.clock import now
from automatos.llm import queries
from automatos.llm.bodies import ModelCreate, ModelUpdate
from automatos.llm.errors import ModelEntryInvalid, ModelEntryNotFound, ModelEntryShipped, ModelEntryTaken
from automatos.llm.models import LlmModel
from automatos.llm.seed import shipped_models
from automatos.workspaces.service import write_audit
from automatos.workspaces.types import Caller

TARGET = "model"
COLUMNS = {"input_cost_per_1k": "input_cost_per_1k_tokens", "output_cost_per_1k": "output_cost_per_1k_tokens",
           "cached_input_cost_per_1k": "cached_input_cost_per_1k_tokens"}
MAY_BE_NULL = frozenset({"context_window", "max_output_tokens", "input_cost_per_1k", "output_cost_per_1k",
                         "release_date", "deprecation_date", "cached_input_cost_per_1k", "wire", "reasoning_efforts",
                         "takes_sampling"})


async def get_entry(session: AsyncSession, entry_id: int) -> LlmModel:
    """Return one model of the catalogue.

    Raises:
        ModelEntryNotFound: there is none with this id.
    """
    found = await queries.find_model(session, entry_id)
    if found is None:
        raise ModelEntryNotFound
    return found


async def create_entry(session: AsyncSession, caller: Caller, body: ModelCreate) -> LlmModel:
    """Add a model to the catalogue of the whole server. Audited.

    Raises:
        UnknownProvider: there is no such provider.
        ModelEntryTaken: the catalogue has this model already.
    """
    get_provider(body.provider)
    values = _as_columns(body.model_dump())
    values["display_name"] = body.display_name or body.model_id
    entry = LlmModel(**values, version=1, updated_by=caller.actor, updated_at=now())
    session.add(entry)
    try:
        await session.flush()
    except IntegrityError as error:
        raise ModelEntryTaken(body.provider, body.model_id) from error
    await _audit(session, caller, "model.created", entry, {"new": _plain(values)})
    return entry


async def update_entry(session: AsyncSession, caller: Caller, entry_id: int, body: ModelUpdate) -> LlmModel:
    """Change what is given of an entry; from now on the server's own updates leave it alone. Audited.

    Raises:
        ModelEntryNotFound: there is none with this id.
        ModelEntryInvalid: a field that must hold something is null, or the temperatures contradict each other.
    """
    entry = await queries.lock_model(session, entry_id)
    if entry is None:
        raise ModelEntryNotFound
    given = body.model_dump(exclude_unset=True)
    for name, value in given.items():
        if value is None and name not in MAY_BE_NULL:
            raise ModelEntryInvalid(name, "must not be null; leave it out to keep it.")
    changes = {name: value for name, value in _as_columns(given).items() if value != getattr(entry, name)}
    before = {name: getattr(entry, name) for name in changes}
    for name, value in changes.items():
        setattr(entry, name, value)
    if not entry.min_temperature <= entry.default_temperature <= entry.max_temperature:
        raise ModelEntryInvalid("default_temperature", "must lie between min_temperature and max_temperature.")
    entry.version += 1
    entry.updated_by, entry.updated_at = caller.actor, now()
    await session.flush()
    await _audit(session, caller, "model.updated", entry, {"old": _plain(before), "new": _plain(changes)})
    return entry


async def delete_entry(session: AsyncSession, caller: Caller, entry_id: int) -> None:
    """Delete a model that was added by hand. Audited.

    Raises:
        ModelEntryNotFound: there is none with this id.
        ModelEntryShipped: the model came with the server and would come back.
    """
    entry = await queries.lock_model(session, entry_id)
    if entry is None:
        raise ModelEntryNotFound
    if (entry.provider, entry.model_id) in {(row["provider"], row["model_id"]) for row in shipped_models()}:
        raise ModelEntryShipped(entry.model_id)
    await session.delete(entry)
    await _audit(session, caller, "model.deleted", entry, {})


def _as_columns(fields: dict[str, Any]) -> dict[str, Any]:
    return {COLUMNS.get(name, name): value for name, value in fields.items()}


def _plain(values: dict[str, Any]) -> dict[str, object]:
    """Return values as the audit log keeps them."""
    return {name: value if value is None or isinstance(value, bool | int | float | list | dict) else str(value)
            for name, value in values.items()}


async def _audit(session: AsyncSession, caller: Caller, action: str, entry: LlmModel,
                 detail: dict[str, object]) -> None:
    await write_audit(session, caller, action, target_type=TARGET, target_id=entry.id,
                      detail={"provider": entry.provider, "model_id": entry.model_id} | detail)
