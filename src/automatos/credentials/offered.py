"""Which models a provider offers to a workspace: asked with the credential that would be used, kept for minutes."""

import asyncio
import time
from dataclasses import dataclass
from uuid import UUID

from automatos.credentials.keyring import Keyring
from automatos.credentials.probe import ProbeResult, probe
from automatos.credentials.providers import get_provider
from automatos.credentials.types import ProviderAccess
from automatos.kernel.http import Http

KEEP_S = 300.0
KEEP_FAILURE_S = 15.0
MAX_KEPT = 1_000
MAX_OFFERED = 2_000

_Key = tuple[UUID, str]


@dataclass(slots=True)
class _Kept:
    access: ProviderAccess
    asking: asyncio.Task[ProbeResult]
    since: float

    def serves(self, access: ProviderAccess) -> bool:
        """Whether this answer was given to the same secret, and not too long ago."""
        if self.access != access:
            return False
        if not self.asking.done():
            return True
        keep_s = KEEP_S if self.asking.result().status == "passed" else KEEP_FAILURE_S
        return time.monotonic() - self.since < keep_s


class OfferedModels:
    """Asks providers for their lists of models, each at most once in five minutes for a workspace and its secret.

    Callers that ask at once share one request, and a new key or address is asked anew.
    """

    def __init__(self, keyring: Keyring, http: Http) -> None:
        self._keyring = keyring
        self._http = http
        self._kept: dict[_Key, _Kept] = {}

    async def find(self, workspace_id: UUID, provider_name: str) -> ProbeResult | None:
        """Return what a provider offers, or why it cannot be told; None when the workspace has no key for it.

        Raises:
            UnknownProvider: there is none of this name.
            CredentialUnreadable: the credential that would be used cannot be opened.
        """
        provider = get_provider(provider_name)
        access = await self._keyring.find_access(workspace_id, provider.name)
        if access is None or not access.base_url:
            return None
        key = workspace_id, provider.name
        kept = self._kept.get(key)
        if kept is None or not kept.serves(access):
            if len(self._kept) >= MAX_KEPT:
                self._kept.clear()
            asking = asyncio.create_task(probe(self._http, access, MAX_OFFERED, proves=False))
            kept = self._kept[key] = _Kept(access, asking, time.monotonic())
        # A caller that leaves must not take the answer from the others.
        return await asyncio.shield(kept.asking)
