"""HTTP of settings."""

from typing import Annotated

from fastapi import APIRouter, Path

from automatos.durable.deps import BusDep
from automatos.kernel.db import Scope
from automatos.kernel.openapi import problems
from automatos.settings import schemas, service
from automatos.settings.deps import SettingChoices
from automatos.settings.errors import SettingInvalid, UnknownSetting
from automatos.settings.types import WORD_SETTINGS, SettingScope
from automatos.workspaces.deps import Admin, AppDatabase, CurrentCaller, Session
from automatos.workspaces.errors import SystemAdminRequired

router = APIRouter(prefix="/api/settings", tags=["settings"])

Name = Annotated[str, Path(pattern="^[a-z][a-z0-9_]{0,99}$")]


@router.get("")
async def list_settings(caller: CurrentCaller, session: Session) -> schemas.SettingList:
    """List the settings the workspace has or inherits from the system."""
    found = await service.list_settings(session, caller.workspace_id)
    return schemas.SettingList(items=found, total=len(found))


@router.get("/catalogue")
async def list_known_settings(caller: CurrentCaller, choices: SettingChoices) -> schemas.SettingCatalogue:
    """List every setting this server reads, with its type, default, bounds and meaning."""
    return service.known_settings(choices)


@router.get("/{category}/{key}", responses=problems(UnknownSetting))
async def get_setting(category: Name, key: Name, caller: CurrentCaller, session: Session) -> schemas.Setting:
    """Return a setting as it holds in the workspace: its own value, else the server's, else what is assumed."""
    return await service.get_setting(session, caller.workspace_id, category, key)


@router.get("/{category}")
async def get_settings_of_category(category: Name, caller: CurrentCaller, session: Session) -> schemas.SettingValues:
    """Return what holds in the workspace of one category, by key."""
    values = await service.values_of(session, caller.workspace_id, category)
    return schemas.SettingValues(category=category, values=values)


@router.put("/{category}", responses=problems(SettingInvalid, UnknownSetting, SystemAdminRequired))
async def save_settings_of_category(
    category: Name, body: schemas.SettingsWrite, caller: Admin, database: AppDatabase, choices: SettingChoices,
    bus: BusDep,
) -> schemas.SettingList:
    """Set several values of a category in one save, such as a provider and its model; null removes one."""
    scope = Scope.ADMIN if body.scope is SettingScope.SYSTEM and caller.is_system_admin else None
    async with database.session(caller.workspace_id, scope) as session:
        saved = await service.save_settings(
            session, caller, category, body.values, scope=body.scope, choices=choices)
    bus.send_word(WORD_SETTINGS, category)
    return schemas.SettingList(items=saved, total=len(saved))


@router.put("/{category}/{key}", responses=problems(SettingInvalid, UnknownSetting, SystemAdminRequired))
async def save_setting(
    category: Name, key: Name, body: schemas.SettingWrite, caller: Admin, database: AppDatabase,
    choices: SettingChoices, bus: BusDep,
) -> schemas.Setting:
    """Set a value for the workspace, or for the whole server; null removes it."""
    scope = Scope.ADMIN if body.scope is SettingScope.SYSTEM and caller.is_system_admin else None
    async with database.session(caller.workspace_id, scope) as session:
        saved = await service.save_setting(
            session, caller, category, key, value=body.value, value_type=body.value_type, scope=body.scope,
            choices=choices)
    bus.send_word(WORD_SETTINGS, category)
    return saved
