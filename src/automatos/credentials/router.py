"""HTTP of credentials."""

from typing import Annotated, Protocol
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, status

from automatos.credentials import schemas, service
from automatos.credentials.errors import (
    CredentialInvalidHere,
    CredentialLimitReached,
    CredentialNameTaken,
    CredentialNotFound,
    CredentialUnreadable,
    CredentialUntestable,
    UnknownCredentialType,
    UnknownProvider,
)
from automatos.credentials.types import HINT_TOPIC, Environment
from automatos.durable.deps import Hints
from automatos.kernel.crypto import Vault
from automatos.kernel.http import Http
from automatos.kernel.openapi import problems
from automatos.kernel.services import services_of
from automatos.workspaces.deps import Admin, AppDatabase, AppSettings, CurrentCaller, Editor, Session

router = APIRouter(prefix="/api/credentials", tags=["credentials"])


class CredentialServices(Protocol):
    """What is needed of the process."""

    vault: Vault
    keyring: service.Keyring
    http: Http


async def get_vault(request: Request) -> Vault:
    """Return this process's vault."""
    return services_of(request, CredentialServices).vault


async def get_keyring(request: Request) -> service.Keyring:
    """Return this process's keyring."""
    return services_of(request, CredentialServices).keyring


async def get_http(request: Request) -> Http:
    """Return this process's outgoing connections."""
    return services_of(request, CredentialServices).http


AppVault = Annotated[Vault, Depends(get_vault)]
AppKeyring = Annotated[service.Keyring, Depends(get_keyring)]
AppHttp = Annotated[Http, Depends(get_http)]
TypeName = Annotated[str, Path(min_length=1, max_length=100)]


async def get_credential_deps(vault: AppVault, settings: AppSettings, http: AppHttp) -> service.CredentialDeps:
    """Return what opens and tries credentials in this process."""
    return service.CredentialDeps(vault, settings, http)


CredentialDeps = Annotated[service.CredentialDeps, Depends(get_credential_deps)]


@router.get("/types")
async def list_credential_types(caller: CurrentCaller, session: Session) -> schemas.CredentialTypeList:
    """List the types of credentials, each with a JSON Schema of its fields."""
    found = await service.list_types(session)
    categories = list(dict.fromkeys(each.category for each in found))
    return schemas.CredentialTypeList(items=found, total=len(found), categories=categories)


@router.get("/types/{name}", responses=problems(UnknownCredentialType))
async def get_credential_type(name: TypeName, caller: CurrentCaller, session: Session) -> schemas.CredentialType:
    """Read one type of credentials."""
    return await service.get_type(session, name)


@router.get("/resolve", responses=problems(UnknownProvider))
async def resolve_credential(
    caller: Editor, keyring: AppKeyring,
    provider: Annotated[str, Query(min_length=1, max_length=100)],
    environment: Environment = Environment.PRODUCTION,
    service_name: Annotated[str, Query(alias="service", min_length=1, max_length=100)] = "orchestrator",
) -> schemas.CredentialResolution:
    """Tell which credential a provider would be opened with, by which of the six levels; no value is shown."""
    found = await keyring.resolve(caller.workspace_id, service.get_provider(provider), environment, service_name)
    return schemas.CredentialResolution.model_validate(found)


@router.get("")
async def list_credentials(caller: Editor, session: Session, deps: CredentialDeps) -> schemas.CredentialList:
    """List the workspace's credentials; their secret values stay here."""
    items = await service.list_credentials(session, caller.workspace_id, deps)
    return schemas.CredentialList(items=items, total=len(items))


@router.post("", status_code=status.HTTP_201_CREATED,
             responses=problems(UnknownProvider, UnknownCredentialType, CredentialInvalidHere, CredentialNameTaken,
                                CredentialLimitReached))
async def create_credential(
    body: schemas.CredentialCreate, caller: Admin, database: AppDatabase, deps: CredentialDeps, keyring: AppKeyring,
    hints: Hints,
) -> schemas.Credential:
    """Store a credential, sealed; used from the next call on."""
    async with database.session(caller.workspace_id) as session:
        created = await service.add_credential(session, caller, deps, body)
    keyring.forget_everywhere(caller.workspace_id)
    hints.changed(caller.workspace_id, HINT_TOPIC)
    return created


@router.post("/test", responses=problems(UnknownProvider, UnknownCredentialType, CredentialInvalidHere,
                                         CredentialUntestable))
async def try_credential(
    body: schemas.CredentialTry, caller: Admin, database: AppDatabase, deps: CredentialDeps
) -> schemas.CredentialTest:
    """Try a credential before saving it; nothing is stored."""
    result = await service.try_contents(database, caller, deps, body)
    return schemas.CredentialTest.model_validate(result)


@router.get("/{credential_id}", responses=problems(CredentialNotFound))
async def get_credential(
    credential_id: UUID, caller: Editor, session: Session, deps: CredentialDeps
) -> schemas.Credential:
    """Read one credential; its secret values stay here."""
    return await service.get_credential(session, caller.workspace_id, credential_id, deps)


@router.put("/{credential_id}",
            responses=problems(CredentialNotFound, CredentialInvalidHere, CredentialNameTaken))
async def update_credential(
    credential_id: UUID, body: schemas.CredentialUpdate, caller: Admin, database: AppDatabase, deps: CredentialDeps,
    keyring: AppKeyring, hints: Hints,
) -> schemas.Credential:
    """Change what is given; `data` replaces the fields it names and leaves the others sealed as they are."""
    async with database.session(caller.workspace_id) as session:
        changed = await service.update_credential(session, caller, deps, credential_id, body)
    keyring.forget_everywhere(caller.workspace_id)
    hints.changed(caller.workspace_id, HINT_TOPIC)
    return changed


@router.delete("/{credential_id}", status_code=status.HTTP_204_NO_CONTENT, responses=problems(CredentialNotFound))
async def delete_credential(
    credential_id: UUID, caller: Admin, database: AppDatabase, keyring: AppKeyring, hints: Hints
) -> None:
    """Delete a credential; calls that begin afterwards no longer use it."""
    async with database.session(caller.workspace_id) as session:
        await service.delete_credential(session, caller, credential_id)
    keyring.forget_everywhere(caller.workspace_id)
    hints.changed(caller.workspace_id, HINT_TOPIC)


@router.post("/{credential_id}/test", responses=problems(CredentialNotFound, CredentialUnreadable,
                                                         CredentialUntestable))
async def test_credential(
    credential_id: UUID, caller: Admin, database: AppDatabase, deps: CredentialDeps, hints: Hints
) -> schemas.CredentialTest:
    """Try a stored credential where it belongs and keep the result with it."""
    result = await service.test_credential(database, caller, credential_id, deps)
    hints.changed(caller.workspace_id, HINT_TOPIC)
    return schemas.CredentialTest.model_validate(result)
