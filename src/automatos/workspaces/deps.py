"""What other routers ask for: the caller, the least role, and a session inside the caller's workspace."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Annotated, Protocol

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.kernel.config import Settings
from automatos.kernel.db import Database, Scope
from automatos.kernel.services import services_of
from automatos.workspaces import carriers
from automatos.workspaces.carriers import SAFE_METHODS, read_presented
from automatos.workspaces.errors import AllWorkspacesRefused, ApiKeyRequired, RoleTooLow, SystemAdminRequired
from automatos.workspaces.types import AuthMethod, Caller, Presented, Role


class Authenticator(Protocol):
    """Who tells a caller from what a request presents; assembled once and kept as `Services.authenticator`."""

    async def authenticate(self, presented: Presented) -> Caller:
        """Return the caller inside the workspace they named, or in their default one; raises 401 and 403 problems."""
        ...

    async def widen(self, caller: Caller) -> Caller:
        """Return the caller with a view of all workspaces, noted in the audit log; 403 unless they are system admin."""
        ...

    async def is_still_allowed(self, caller: Caller) -> bool:
        """Say whether the caller's credential still holds and gives at least the same role in the same workspace."""
        ...


class WorkspaceServices(Protocol):
    """What is needed of the process."""

    settings: Settings
    database: Database

    @property
    def authenticator(self) -> Authenticator:
        """Who tells a caller from what a request presents."""
        ...


is_from_this_machine = carriers.is_from_this_machine


async def get_database(request: Request) -> Database:
    """Return this process's database."""
    return services_of(request, WorkspaceServices).database


async def get_app_settings(request: Request) -> Settings:
    """Return the settings this app was assembled with."""
    return services_of(request, WorkspaceServices).settings


async def get_authenticator(request: Request) -> Authenticator:
    """Return this process's authenticator."""
    return _gate(request)


def _gate(request: Request) -> Authenticator:
    return services_of(request, WorkspaceServices).authenticator


AppDatabase = Annotated[Database, Depends(get_database)]
AppSettings = Annotated[Settings, Depends(get_app_settings)]
AppAuthenticator = Annotated[Authenticator, Depends(get_authenticator)]


async def current_caller(request: Request) -> Caller:
    """Return who asks, for which workspace; `__all__` is refused here."""
    presented = read_presented(request)
    caller = await _gate(request).authenticate(presented)
    if presented.wants_all:
        raise AllWorkspacesRefused
    request.state.caller = caller
    return caller


CurrentCaller = Annotated[Caller, Depends(current_caller)]
"""Anybody with a role in the workspace: viewers and up."""


async def require_editor(caller: CurrentCaller) -> Caller:
    """Return the caller if they are an editor or more."""
    return _at_least(Role.EDITOR, caller)


async def require_admin(caller: CurrentCaller) -> Caller:
    """Return the caller if they are an admin or more."""
    return _at_least(Role.ADMIN, caller)


async def require_owner(caller: CurrentCaller) -> Caller:
    """Return the caller if they are an owner."""
    return _at_least(Role.OWNER, caller)


async def require_system_admin(caller: CurrentCaller) -> Caller:
    """Return the caller if they are an admin of the whole server."""
    if not caller.is_system_admin:
        raise SystemAdminRequired
    return caller


async def require_api_key(caller: CurrentCaller, settings: AppSettings) -> Caller:
    """Return the caller if they came with an API key, or whoever they are when REQUIRE_API_KEY is off."""
    if settings.require_api_key and caller.auth_method not in {AuthMethod.API_KEY, AuthMethod.PLATFORM_KEY}:
        raise ApiKeyRequired
    return caller


def _at_least(role: Role, caller: Caller) -> Caller:
    if caller.role < role:
        raise RoleTooLow(role, caller.role)
    return caller


Editor = Annotated[Caller, Depends(require_editor)]
Admin = Annotated[Caller, Depends(require_admin)]
Owner = Annotated[Caller, Depends(require_owner)]
SystemAdmin = Annotated[Caller, Depends(require_system_admin)]
ApiKeyCaller = Annotated[Caller, Depends(require_api_key)]


async def open_session(database: AppDatabase, caller: CurrentCaller) -> AsyncGenerator[AsyncSession]:
    """Open one transaction inside the caller's workspace; it commits before the response leaves."""
    async with database.session(caller.workspace_id) as session:
        yield session


Session = Annotated[AsyncSession, Depends(open_session, scope="function")]
"""One transaction inside the caller's workspace, committed before the response leaves, rolled back on any error."""


async def read_across(request: Request) -> Caller:
    """Return the caller, with a view of all workspaces if they name `__all__` and are a system admin."""
    presented = read_presented(request)
    caller = await _gate(request).authenticate(presented)
    if presented.wants_all:
        if request.method not in SAFE_METHODS:
            raise AllWorkspacesRefused
        caller = await _gate(request).widen(caller)
    request.state.caller = caller
    return caller


AllWorkspacesReader = Annotated[Caller, Depends(read_across)]
"""A caller on a read route that also answers for all workspaces at once (`caller.all_workspaces`)."""


async def read_across_as_admin(caller: AllWorkspacesReader) -> Caller:
    """Return the caller if they read across all workspaces, or are an admin or more of the one they read."""
    return caller if caller.all_workspaces else _at_least(Role.ADMIN, caller)


AllWorkspacesAdmin = Annotated[Caller, Depends(read_across_as_admin)]


async def open_reading_session(database: AppDatabase, caller: AllWorkspacesReader) -> AsyncGenerator[AsyncSession]:
    """Open one transaction inside the caller's workspace, or across all of them when that is what they may see."""
    async with database.session(caller.workspace_id, Scope.ADMIN if caller.all_workspaces else None) as session:
        yield session


ReadingSession = Annotated[AsyncSession, Depends(open_reading_session, scope="function")]
"""The session that goes with `AllWorkspacesReader`."""


async def recheck_caller(authenticator: AppAuthenticator, caller: CurrentCaller) -> Callable[[], Awaitable[bool]]:
    """Return a question that a long stream asks now and then: is this caller still allowed?"""

    async def ask() -> bool:
        return await authenticator.is_still_allowed(caller)

    return ask


StillAllowed = Annotated[Callable[[], Awaitable[bool]], Depends(recheck_caller)]

POLICIES = frozenset({
    current_caller, require_editor, require_admin, require_owner, require_system_admin, require_api_key, read_across,
    read_across_as_admin,
})
"""Every dependency that decides who may use a route; a route names one of them or is listed as public."""
