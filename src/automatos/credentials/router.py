"""HTTP of credentials."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, status

from automatos.credentials import schemas, service
from automatos.credentials.errors import (
    CredentialInvalidHere,
    CredentialNameTaken,
    CredentialNotFound,
    CredentialUnreadable,
    UnknownProvider,
)
from automatos.kernel.crypto import Vault
from automatos.kernel.http import Http
from automatos.kernel.openapi import problems
from automatos.workspaces.deps import Admin, AppDatabase, AppSettings, Editor, Session

router = APIRouter(prefix="/api/credentials", tags=["credentials"])


async def get_vault(request: Request) -> Vault:
    """Return this process's vault."""
    return request.app.state.vault


async def get_keyring(request: Request) -> service.Keyring:
    """Return this process's keyring."""
    return request.app.state.keyring


async def get_http(request: Request) -> Http:
    """Return this process's outgoing connections."""
    return request.app.state.http


AppVault = Annotated[Vault, Depends(get_vault)]
AppKeyring = Annotated[service.Keyring, Depends(get_keyring)]
AppHttp = Annotated[Http, Depends(get_http)]


@router.get("")
async def list_credentials(caller: Editor, session: Session) -> schemas.CredentialList:
    """List the workspace's credentials; their values stay here."""
    rows = await service.list_credentials(session, caller.workspace_id)
    return schemas.CredentialList(items=[schemas.Credential.model_validate(row) for row in rows], total=len(rows))


@router.post("", status_code=status.HTTP_201_CREATED,
             responses=problems(UnknownProvider, CredentialInvalidHere, CredentialNameTaken))
async def create_credential(
    body: schemas.CredentialCreate, caller: Admin, database: AppDatabase, vault: AppVault, keyring: AppKeyring,
    settings: AppSettings,
) -> schemas.Credential:
    """Store a credential, sealed; used from the next call on."""
    async with database.session(caller.workspace_id) as session:
        row = await service.create_credential(
            session, caller, vault, settings, name=body.name, provider_name=body.provider,
            value=body.value.get_secret_value(), base_url=body.base_url,
        )
    keyring.forget(caller.workspace_id)
    return schemas.Credential.model_validate(row)


@router.delete("/{credential_id}", status_code=status.HTTP_204_NO_CONTENT, responses=problems(CredentialNotFound))
async def delete_credential(credential_id: UUID, caller: Admin, database: AppDatabase, keyring: AppKeyring) -> None:
    """Delete a credential; calls that begin afterwards no longer use it."""
    async with database.session(caller.workspace_id) as session:
        await service.delete_credential(session, caller, credential_id)
    keyring.forget(caller.workspace_id)


@router.post("/test", responses=problems(UnknownProvider, CredentialInvalidHere))
async def try_credential(
    body: schemas.CredentialTry, _: Admin, settings: AppSettings, http: AppHttp
) -> schemas.CredentialTest:
    """Try a key at its provider before saving it; nothing is stored."""
    result = await service.try_secret(settings, http, provider_name=body.provider,
                                      value=body.value.get_secret_value(), base_url=body.base_url)
    return schemas.CredentialTest.model_validate(result)


@router.post("/{credential_id}/test", responses=problems(CredentialNotFound, CredentialUnreadable))
async def test_credential(
    credential_id: UUID, caller: Admin, database: AppDatabase, vault: AppVault, settings: AppSettings, http: AppHttp
) -> schemas.CredentialTest:
    """Try a stored credential at its provider and keep the result with it."""
    result = await service.test_credential(database, caller, credential_id, vault=vault, settings=settings,
                                           http=http)
    return schemas.CredentialTest.model_validate(result)
