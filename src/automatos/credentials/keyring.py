"""The keyring of this process: finds the secret that opens a provider for a workspace."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import structlog
from pydantic import SecretStr

from automatos.credentials import queries
from automatos.credentials.addresses import may_be_private
from automatos.credentials.base_urls import put_right
from automatos.credentials.contents import KEY_FIELD, read_document, seal_context
from automatos.credentials.errors import CredentialUnreadable
from automatos.credentials.providers import providers_by_name
from automatos.credentials.resolution import Held, Search
from automatos.credentials.types import (
    ChosenNames,
    CredentialLevel,
    Environment,
    NameReader,
    Provider,
    ProviderAccess,
    Resolution,
    SearchedPlace,
)
from automatos.durable.service import Bus
from automatos.kernel.clock import now
from automatos.kernel.config import Settings
from automatos.kernel.crypto import SealBroken, Vault
from automatos.kernel.db import Database
from automatos.kernel.secret import Secret
from automatos.kernel.variables import read_variable
from automatos.workspaces.service import write_audit

CACHE_S = 5.0
RECENT_S = 1.0
"""What is older than this is read again before another process's new credential could be passed over."""
NAMES_S = 5.0
WORD_CREDENTIALS = "credentials"
USE_EVERY_S = 60.0
MAX_WORKSPACES = 10_000
DEFAULT_SERVICE = "orchestrator"

Sought = tuple[str, Environment, str | None]
"""A provider, an environment and the name that settings choose."""
Found = tuple[Held | None, CredentialLevel | None]
log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Drawer:
    """The credentials of one workspace, the newest first; one that cannot be opened is kept as its error."""

    held: Sequence[Held]
    opened: Mapping[UUID, ProviderAccess | CredentialUnreadable]
    read_at: float
    names: ChosenNames | None = None
    names_until: float = 0.0
    found: dict[Sought, Found] = field(default_factory=dict[Sought, Found])

    @property
    def outlasts_this_look(self) -> bool:
        """Whether what is found now will be found as long as this drawer is kept: nothing in it expires."""
        return all(each.expires_at is None for each in self.held)


class Keyring:
    """Finds secrets: the workspace's own credentials by five levels, then the platform's key where that is shared.

    What was read stays in this process for at most five seconds; `forget_everywhere` drops it at once in all of them.
    The five seconds are for processes that a word does not reach. That there is no credential
    is not remembered: another process may have stored one since. Uses of a workspace's credential, and credentials that
    cannot be opened, are written to the audit log, each at most once a minute.
    """

    def __init__(self, database: Database, vault: Vault, settings: Settings, bus: Bus | None = None) -> None:
        self._database = database
        self._vault = vault
        self._settings = settings
        self._read_names: NameReader | None = None
        self._drawers: dict[UUID, _Drawer] = {}
        self._forgotten = 0
        self._bus = bus
        if bus:
            bus.on_word(WORD_CREDENTIALS, lambda workspace: self.forget(UUID(workspace)))
        self._noted: dict[tuple[UUID, str], float] = {}
        self._notes: set[asyncio.Task[None]] = set()

    def ask_for_names(self, read_names: NameReader) -> None:
        """Take the function that knows which credentials settings choose by name; settings are no business of ours.

        What it says is kept for at most five seconds.
        """
        self._read_names = read_names

    async def find_access(self, workspace_id: UUID, provider_name: str, environment: str | None = None,
                          service: str = DEFAULT_SERVICE) -> ProviderAccess | None:
        """Return the secret that opens a provider for a workspace, None when there is none.

        `environment` is production unless it says otherwise; `service` is the part of the product that asks.

        Raises:
            CredentialUnreadable: the credential that would be used is one that no key of this server opens.
        """
        provider = providers_by_name().get(provider_name)
        if provider is None:
            return None
        wanted = Environment(environment or "production")
        drawer = await self._drawer(workspace_id)
        found, _ = await self._search(drawer, workspace_id, provider, wanted, service)
        if found is None:
            shared = self._platform_access(workspace_id, provider)
            if provider.wire == "demo":
                return shared
            drawer = await self._drawer(workspace_id, RECENT_S if shared else 0.0)
            found, _ = await self._search(drawer, workspace_id, provider, wanted, service)
            if found is None:
                return shared
        own = drawer.opened[found.id]
        if isinstance(own, CredentialUnreadable):
            self._note(workspace_id, found.id, "credential.resolution_failed")
            raise own
        self._note(workspace_id, found.id, "credential.used")
        return own if own.provider.name == provider.name else replace(own, provider=provider)

    async def resolve(self, workspace_id: UUID, provider: Provider, environment: Environment,
                      service: str = DEFAULT_SERVICE) -> Resolution:
        """Tell which credential a provider would be opened with now, and where it was looked for; uses nothing."""
        self.forget(workspace_id)
        drawer = await self._drawer(workspace_id)
        looks: list[SearchedPlace] = []
        found, level = await self._search(drawer, workspace_id, provider, environment, service, looks)
        if found is not None:
            return Resolution(provider.name, environment, "workspace", level, found.id, found.name,
                              isinstance(drawer.opened[found.id], ProviderAccess), tuple(looks))
        sought = f"the server's variable {provider.env_variable}" if provider.env_variable else "the server's variables"
        if self._platform_access(workspace_id, provider):
            looks.append(SearchedPlace(CredentialLevel.ENVIRONMENT_VARIABLE, sought, "it is used"))
            return Resolution(
                provider.name, environment, "environment", CredentialLevel.ENVIRONMENT_VARIABLE, looks=tuple(looks))
        obstacle = self._platform_obstacle(workspace_id, provider)
        looks.append(SearchedPlace(CredentialLevel.ENVIRONMENT_VARIABLE, sought, obstacle))
        return Resolution(provider.name, environment, "none", looks=tuple(looks))

    async def configured_providers(self, workspace_id: UUID) -> dict[str, str]:
        """Return where the key of each usable provider comes from, by provider name, in the order of the table."""
        drawer = await self._drawer(workspace_id, RECENT_S)
        found: dict[str, str] = {}
        for name, provider in providers_by_name().items():
            own = Search(drawer.held, provider, now(), []).run(Environment.PRODUCTION, None)
            if own is not None:
                if isinstance(drawer.opened[own[0].id], ProviderAccess):
                    found[name] = "workspace"
            elif self._platform_access(workspace_id, provider):
                found[name] = "environment"
        return found

    def without_key(self, provider: Provider) -> ProviderAccess:
        """Return what a provider is asked with that needs no key where nobody stored one: its usual address alone."""
        base_url = provider.base_url or ""
        allow_private = may_be_private(base_url, self._settings)
        return ProviderAccess(provider, Secret(""), base_url, "none", allow_private=allow_private)

    def forget(self, workspace_id: UUID) -> None:
        """Drop what this process keeps of a workspace, so that the next call reads it again."""
        self._forgotten += 1
        self._drawers.pop(workspace_id, None)

    def forget_everywhere(self, workspace_id: UUID) -> None:
        """Have every process drop what it keeps of a workspace; call it after the commit of what changed."""
        self.forget(workspace_id)
        if self._bus:
            self._bus.send_word(WORD_CREDENTIALS, str(workspace_id))

    async def close(self) -> None:
        """Wait for the notes of use that are still being written."""
        if self._notes:
            await asyncio.wait(self._notes, timeout=5)

    async def _search(self, drawer: _Drawer, workspace_id: UUID, provider: Provider, environment: Environment,
                      service: str, looks: list[SearchedPlace] | None = None) -> Found:
        """Return the credential that opens a provider; a drawer is searched once for each question, unless told how."""
        if looks is None and not drawer.held:
            return None, None
        names = await self._names(workspace_id, drawer)
        chosen = names.name_for(provider.name, service) if names else None
        sought = provider.name, environment, chosen
        if looks is None and sought in drawer.found:
            return drawer.found[sought]
        found = Search(drawer.held, provider, now(), [] if looks is None else looks).run(environment, chosen)
        if drawer.outlasts_this_look:
            drawer.found[sought] = found or (None, None)
        return found or (None, None)

    async def _names(self, workspace_id: UUID, drawer: _Drawer) -> ChosenNames | None:
        if self._read_names and drawer.names_until <= time.monotonic():
            drawer.names = await self._read_names(workspace_id)
            drawer.names_until = time.monotonic() + NAMES_S
        return drawer.names

    async def _drawer(self, workspace_id: UUID, max_age_s: float | None = None) -> _Drawer:
        drawer, began = self._drawers.get(workspace_id), time.monotonic()
        if drawer and began - drawer.read_at < (CACHE_S if max_age_s is None else max_age_s):
            return drawer
        forgotten = self._forgotten
        async with self._database.recording(workspace_id) as connection:
            rows = await queries.read_for_providers(connection, workspace_id)
        held: list[Held] = []
        opened: dict[UUID, ProviderAccess | CredentialUnreadable] = {}
        for row in rows:
            if provider := providers_by_name().get(row["provider"]):
                held.append(Held(row["id"], row["name"], provider.name, row["environment"], row["is_active"],
                                 row["expires_at"]))
                opened[row["id"]] = self._open(workspace_id, provider, dict(row))
        drawer = _Drawer(held, opened, began)
        if forgotten == self._forgotten:  # else it may be older than what was changed meanwhile: for this use only
            if len(self._drawers) >= MAX_WORKSPACES:
                self._drawers.clear()
            self._drawers[workspace_id] = drawer
        return drawer

    def _open(
        self, workspace_id: UUID, provider: Provider, row: Mapping[str, Any]
    ) -> ProviderAccess | CredentialUnreadable:
        try:
            opened = self._vault.open(row["sealed"], seal_context(workspace_id, row["id"]))
        except SealBroken as error:
            log.error("credential_unreadable", credential_id=str(row["id"]), reason=str(error))
            return CredentialUnreadable(row["name"])
        fields = read_document(opened, row["base_url"])
        provider = provider.speaking(fields.get("wire"))
        base_url = row["base_url"] or provider.base_url or ""
        return ProviderAccess(provider, Secret(str(fields.get(KEY_FIELD) or "")), base_url, "workspace",
                              allow_private=may_be_private(base_url, self._settings), credential_id=row["id"])

    def _is_shared_with(self, workspace_id: UUID) -> bool:
        """Say whether the operator's keys are for a workspace: all, none, or, where nobody says, by who comes in.

        An identity provider lets in people whom the operator never saw, so there only the default workspace has them.
        """
        settings = self._settings
        if settings.share_platform_keys is not None:
            return settings.share_platform_keys
        lets_others_in = (
            settings.clerk_publishable_key, settings.jwks_url, settings.jwt_key, settings.oidc_issuer)
        return not any(lets_others_in) or workspace_id == (settings.workspace_id or settings.default_tenant_id)

    def _platform_access(self, workspace_id: UUID, provider: Provider) -> ProviderAccess | None:
        """Return the key that the operator put in the environment, if the workspace may use it."""
        if not provider.env_variable or not self._is_shared_with(workspace_id):
            return None
        value = self._platform_key(provider).strip()
        chosen: str | None = getattr(self._settings, provider.url_setting) if provider.url_setting else None
        if not value and not (chosen and chosen.strip() and provider.may_lack_key):
            return None
        base_url = put_right(provider, chosen) if chosen and chosen.strip() else provider.base_url or ""
        is_private = bool(chosen) or provider.is_local
        return ProviderAccess(provider, Secret(value), base_url, "environment", allow_private=is_private)

    def _platform_key(self, provider: Provider) -> str:
        """Return the key in the server's variables, of a provider without a setting too; empty where none is set."""
        if provider.key_setting:
            key: SecretStr | None = getattr(self._settings, provider.key_setting)
            return key.get_secret_value() if key else ""
        return read_variable(provider.env_variable or "") or ""

    def _platform_obstacle(self, workspace_id: UUID, provider: Provider) -> str:
        if not provider.env_variable:
            return "no variable holds a key for this provider"
        if not self._is_shared_with(workspace_id):
            return "the operator does not share keys with this workspace (AUTOMATOS_SHARE_PLATFORM_KEYS)"
        return "it is not set"

    def _note(self, workspace_id: UUID, credential_id: UUID, action: str) -> None:
        key = credential_id, action
        if self._noted.get(key, float("-inf")) > time.monotonic() - USE_EVERY_S:
            return
        if len(self._noted) >= MAX_WORKSPACES:
            self._noted.clear()
        self._noted[key] = time.monotonic()
        task = asyncio.create_task(self._write_note(workspace_id, credential_id, action))
        self._notes.add(task)
        task.add_done_callback(self._notes.discard)

    async def _write_note(self, workspace_id: UUID, credential_id: UUID, action: str) -> None:
        """Write the note beside the call it is about: the call never waits for it or fails with it."""
        try:
            async with self._database.session(workspace_id) as session:
                if found := await queries.find_credential(session, workspace_id, credential_id):
                    if action == "credential.used":
                        found.last_used_at = now()
                    await write_audit(session, "server", action, workspace_id=workspace_id,
                                      target_type="credential", target_id=credential_id,
                                      detail={"name": found.name, "provider": found.provider})
        except Exception as error:  # noqa: BLE001
            log.warning("credential_use_not_noted", credential_id=str(credential_id), error=type(error).__name__)
