"""The keyring of this process: finds the secret that opens a provider for a workspace."""

import asyncio
import time
from dataclasses import dataclass
from uuid import UUID

import structlog
from pydantic import SecretStr

from automatos.credentials import queries
from automatos.credentials.errors import CredentialUnreadable
from automatos.credentials.providers import providers_by_name
from automatos.credentials.types import Provider, Secret
from automatos.kernel.clock import now
from automatos.kernel.config import Settings
from automatos.kernel.crypto import SealBroken, Vault
from automatos.kernel.db import Database
from automatos.workspaces.service import write_audit

CACHE_S = 30.0
USE_EVERY_S = 60.0
MAX_WORKSPACES = 10_000

log = structlog.get_logger(__name__)


def seal_context(workspace_id: UUID, credential_id: UUID) -> bytes:
    """Return what a credential's sealed value is bound to: its workspace and its own id."""
    return b"credential:" + workspace_id.bytes + credential_id.bytes


@dataclass(slots=True)
class _Drawer:
    """The secrets of one workspace, by provider; a credential that cannot be opened is kept as its error."""

    secrets: dict[str, Secret | CredentialUnreadable]
    until: float


class Keyring:
    """Finds secrets: the workspace's own credential first, then the platform's key where that is shared.

    What was read stays in this process for at most 30 seconds; `forget` drops it at once. Each use of a workspace's
    credential is written to the audit log, at most once a minute.
    """

    def __init__(self, database: Database, vault: Vault, settings: Settings) -> None:
        self._database = database
        self._vault = vault
        self._settings = settings
        self._drawers: dict[UUID, _Drawer] = {}
        self._noted: dict[UUID, float] = {}
        self._notes: set[asyncio.Task[None]] = set()

    async def find_secret(self, workspace_id: UUID, provider_name: str) -> Secret | None:
        """Return the secret that opens a provider for a workspace, None when there is none.

        Raises:
            CredentialUnreadable: the workspace has a credential that no key of this server opens.
        """
        drawer = await self._drawer(workspace_id)
        own = drawer.secrets.get(provider_name)
        if isinstance(own, CredentialUnreadable):
            raise own
        if own is not None:
            self._note(workspace_id, own)
            return own
        provider = providers_by_name().get(provider_name)
        return self._platform_secret(provider) if provider else None

    async def configured_providers(self, workspace_id: UUID) -> dict[str, str]:
        """Return where the key of each usable provider comes from, by provider name, in the order of the table."""
        drawer = await self._drawer(workspace_id)
        found: dict[str, str] = {}
        for name, provider in providers_by_name().items():
            if isinstance(drawer.secrets.get(name), Secret):
                found[name] = "workspace"
            elif self._platform_secret(provider):
                found[name] = "environment"
        return found

    def forget(self, workspace_id: UUID) -> None:
        """Drop what is kept of a workspace, so that the next call reads it again."""
        self._drawers.pop(workspace_id, None)

    async def close(self) -> None:
        """Wait for the notes of use that are still being written."""
        if self._notes:
            await asyncio.wait(self._notes, timeout=5)

    async def _drawer(self, workspace_id: UUID) -> _Drawer:
        drawer = self._drawers.get(workspace_id)
        if drawer and drawer.until > time.monotonic():
            return drawer
        async with self._database.recording(workspace_id) as connection:
            rows = await queries.find_active(connection, workspace_id)
        secrets: dict[str, Secret | CredentialUnreadable] = {}
        for row in rows:
            if provider := providers_by_name().get(row["provider"]):
                secrets[provider.name] = self._open(workspace_id, provider, row["id"], row["name"], row["base_url"],
                                                    row["sealed"])
        if len(self._drawers) >= MAX_WORKSPACES:
            self._drawers.clear()
        drawer = self._drawers[workspace_id] = _Drawer(secrets, time.monotonic() + CACHE_S)
        return drawer

    def _open(self, workspace_id: UUID, provider: Provider, credential_id: UUID, name: str, base_url: str | None,
              sealed: bytes) -> Secret | CredentialUnreadable:
        try:
            value = self._vault.open(sealed, seal_context(workspace_id, credential_id)).decode()
        except SealBroken as error:
            log.error("credential_unreadable", credential_id=str(credential_id), reason=str(error))
            return CredentialUnreadable(name)
        return Secret(provider, value, base_url or provider.base_url or "", "workspace",
                      allow_private=provider.is_local or self._settings.allow_private_urls, credential_id=credential_id)

    def _platform_secret(self, provider: Provider) -> Secret | None:
        """Return the key that the operator put in the environment, if tenants may use it."""
        if not self._settings.share_platform_keys or not provider.key_setting:
            return None
        key: SecretStr | None = getattr(self._settings, provider.key_setting)
        if key is None or not key.get_secret_value().strip():
            return None
        chosen: str | None = getattr(self._settings, provider.url_setting) if provider.url_setting else None
        return Secret(provider, key.get_secret_value().strip(), (chosen or provider.base_url or "").rstrip("/"),
                      "environment", allow_private=chosen is not None)

    def _note(self, workspace_id: UUID, secret: Secret) -> None:
        if secret.credential_id is None or self._noted.get(secret.credential_id, 0.0) > time.monotonic() - USE_EVERY_S:
            return
        if len(self._noted) >= MAX_WORKSPACES:
            self._noted.clear()
        self._noted[secret.credential_id] = time.monotonic()
        task = asyncio.create_task(self._write_note(workspace_id, secret.credential_id))
        self._notes.add(task)
        task.add_done_callback(self._notes.discard)

    async def _write_note(self, workspace_id: UUID, credential_id: UUID) -> None:
        """Write the note beside the call it is about: the call never waits for it or fails with it."""
        try:
            async with self._database.session(workspace_id) as session:
                if found := await queries.find_credential(session, workspace_id, credential_id):
                    found.last_used_at = now()
                    await write_audit(session, "server", "credential.used", workspace_id=workspace_id,
                                      target_type="credential", target_id=credential_id,
                                      detail={"name": found.name, "provider": found.provider})
        except Exception as error:  # noqa: BLE001
            log.warning("credential_use_not_noted", credential_id=str(credential_id), error=type(error).__name__)
