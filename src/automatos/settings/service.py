"""Verbs of settings."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.kernel.clock import now
from automatos.kernel.db import Database
from automatos.settings import catalogue, queries
from automatos.settings.catalogue import Choices
from automatos.settings.errors import SettingInvalid
from automatos.settings.models import SystemSetting
from automatos.settings.schemas import KnownSetting, Setting, SettingCatalogue, SettingCategory
from automatos.settings.types import JsonValue, SettingScope, ValueType
from automatos.workspaces.errors import SystemAdminRequired
from automatos.workspaces.service import write_audit
from automatos.workspaces.types import Caller

MAX_VALUE_BYTES = 64 * 1024


async def find_values(database: Database, workspace_id: UUID, category: str) -> dict[str, dict[str, JsonValue]]:
    """Return the values of a category by key, for the scopes "workspace" and "system" apart."""
    async with database.recording(workspace_id) as connection:
        rows = await queries.read_category(connection, workspace_id, category)
    found: dict[str, dict[str, JsonValue]] = {SettingScope.WORKSPACE: {}, SettingScope.SYSTEM: {}}
    for row in rows:
        found[SettingScope.WORKSPACE if row["workspace_id"] else SettingScope.SYSTEM][row["key"]] = row["value"]
    return found


async def find_by_prefix(database: Database, workspace_id: UUID, prefix: str) -> dict[tuple[str, str], JsonValue]:
    """Return the values of every setting whose key begins with `prefix`, by category and key, the workspace's first."""
    async with database.recording(workspace_id) as connection:
        rows = await queries.read_prefix(connection, workspace_id, prefix)
    found: dict[tuple[str, str], JsonValue] = {}
    for row in rows:
        if row["workspace_id"] or (row["category"], row["key"]) not in found:
            found[row["category"], row["key"]] = row["value"]
    return found


async def list_settings(session: AsyncSession, workspace_id: UUID) -> list[Setting]:
    """Return the settings a workspace has or inherits, by category and key."""
    rows: Sequence[SystemSetting] = await queries.list_settings(session, workspace_id)
    return [_shown(row) for row in rows]


async def values_of(session: AsyncSession, workspace_id: UUID, category: str) -> dict[str, JsonValue]:
    """Return what holds in a workspace of one category, by key: its own value, else the server's."""
    rows = await queries.list_settings(session, workspace_id)  # the server's first, so that the workspace's own win
    return {row.key: row.value for row in rows if row.category == category}


async def get_setting(session: AsyncSession, workspace_id: UUID, category: str, key: str) -> Setting:
    """Return a setting as it holds in a workspace.

    Raises:
        UnknownSetting: nothing of that name is set, and this server reads none.
    """
    for owner in (workspace_id, None):
        if row := await queries.find_setting(session, owner, category, key):
            return _shown(row)
    known = catalogue.find_known(category, key)
    return Setting(category=category, key=key, value=known.default, value_type=known.value_type,
                   scope=SettingScope.SYSTEM, updated_by="", updated_at=None)


def known_settings(choices: Choices) -> SettingCatalogue:
    """Return every setting this server reads; one that names a list of `choices` has it as its options."""
    found = catalogue.categories().values()
    items = [_known(setting, choices) for each in found for setting in each.settings]
    return SettingCatalogue(items=items, total=len(items),
                            categories=[SettingCategory.model_validate(each) for each in found])


def _known(setting: catalogue.KnownSetting, choices: Choices) -> KnownSetting:
    shown = KnownSetting.model_validate(setting, from_attributes=True)
    listed = choices.get(setting.choices) if setting.choices else None
    return shown.model_copy(update={"options": list(listed)}) if listed else shown


async def save_settings(
    session: AsyncSession, caller: Caller, category: str, values: Mapping[str, JsonValue], *, scope: SettingScope,
    choices: Choices | None = None,
) -> list[Setting]:
    """Write those values of a category that are not what holds, all or none; raises what `save_setting` does.

    Of one choice (a provider and its model) all that is given is written as soon as a part of it changes, and in one
    order: half of it inherited would be another choice as soon as the server's changes.
    """
    rows = await queries.list_settings(session, caller.workspace_id)
    holds = _held([row for row in rows if row.category == category], category, scope)
    changed = {key for key, value in values.items() if key not in holds or holds[key] != value}
    for choice in catalogue.choices_of(category):
        if changed & choice:
            changed |= choice & values.keys()
    leaders_first = sorted(changed, key=lambda key: (catalogue.leader_of(category, key) is not None, key))
    return [await save_setting(session, caller, category, key, value=values[key], scope=scope, choices=choices)
            for key in leaders_first]


def _held(rows: Sequence[SystemSetting], category: str, scope: SettingScope) -> dict[str, JsonValue]:
    """Return what a scope has of a category by key, with what it inherits; never half of a choice inherited."""
    system = {row.key: row.value for row in rows if row.workspace_id is None}
    if scope is SettingScope.SYSTEM:
        return system
    own = {row.key: row.value for row in rows if row.workspace_id is not None}
    for choice in catalogue.choices_of(category):
        if choice & own.keys():
            system = {key: value for key, value in system.items() if key not in choice}
    return system | own


async def save_setting(
    session: AsyncSession, caller: Caller, category: str, key: str, *, value: JsonValue, scope: SettingScope,
    value_type: ValueType | None = None, choices: Choices | None = None,
) -> Setting:
    """Write one value and return it; null removes it, so that what lies beneath shows again. Audited.

    A workspace that chooses a model keeps the provider that it inherits as its own from then on, and one that takes its
    provider back takes the model with it: a model never moves to a provider that nobody chose for it. A setting of a
    free category keeps the type it has, or the server's has, unless `value_type` says another.

    Raises:
        SystemAdminRequired: the scope is the system's and the caller is no system admin.
        UnknownSetting: the category is one this server reads, and has no such key.
        SettingInvalid: the value does not fit the setting, or is too large.
    """
    if scope is SettingScope.SYSTEM and not caller.is_system_admin:
        raise SystemAdminRequired
    owner = None if scope is SettingScope.SYSTEM else caller.workspace_id
    before = await queries.find_setting(session, owner, category, key)
    beneath = before or await queries.find_setting(session, None, category, key)
    if value_type is None and beneath is not None:
        value_type = ValueType(beneath.value_type)
    value_type = _checked_type(category, key, value, value_type, choices)
    if owner is not None:
        await _keep_together(session, caller, category, key, value)
    await write_audit(session, caller, "setting.changed", target_type="setting", target_id=f"{category}/{key}",
                      detail={"scope": scope.value, "old": before.value if before else None, "new": value})
    if value is None:
        if before:
            await session.delete(before)
        return Setting(category=category, key=key, value=None, value_type=value_type, scope=scope,
                       updated_by=caller.actor, updated_at=now())
    row = await queries.save_setting(session, owner, category, key, value=value, value_type=value_type.value,
                                     updated_by=caller.actor)
    return _shown(row)


async def _keep_together(session: AsyncSession, caller: Caller, category: str, key: str, value: JsonValue) -> None:
    """Write what a workspace's value leans on, or remove what leans on a value that goes."""
    owner = caller.workspace_id
    if value is None:
        for follower in catalogue.followers_of(category, key):
            if await queries.find_setting(session, owner, category, follower):
                await save_setting(session, caller, category, follower, value=None, scope=SettingScope.WORKSPACE)
        return
    leader = catalogue.leader_of(category, key)
    if leader is None or await queries.find_setting(session, owner, category, leader):
        return
    if inherited := await queries.find_setting(session, None, category, leader):
        await save_setting(session, caller, category, leader, value=inherited.value, scope=SettingScope.WORKSPACE)


def _checked_type(
    category: str, key: str, value: JsonValue, declared: ValueType | None, choices: Choices | None
) -> ValueType:
    if catalogue.categories().get(category):
        declared = None if value is None else declared
    value_type = catalogue.check(category, key, value, declared=declared, choices=choices)
    if len(orjson.dumps(value)) > MAX_VALUE_BYTES:
        raise SettingInvalid(category, key, f"must be at most {MAX_VALUE_BYTES // 1024} kB of JSON.")
    return value_type


def _shown(row: SystemSetting) -> Setting:
    return Setting(
        category=row.category, key=row.key, value=row.value, value_type=ValueType(row.value_type),  # pyright: ignore[reportArgumentType]
        scope=SettingScope.SYSTEM if row.workspace_id is None else SettingScope.WORKSPACE,
        updated_by=row.updated_by, updated_at=row.updated_at,
    )
