"""Trying a credential: one real, harmless request where it belongs."""

from collections.abc import Mapping
from typing import Any

from automatos.credentials.addresses import may_be_private
from automatos.credentials.api_call import call_api
from automatos.credentials.connect import connect
from automatos.credentials.contents import KEY_FIELD, Fields
from automatos.credentials.errors import CredentialUntestable
from automatos.credentials.probe import ProbeResult, probe
from automatos.credentials.providers import get_provider
from automatos.credentials.types import ProviderAccess
from automatos.kernel.config import Settings
from automatos.kernel.http import Http
from automatos.kernel.secret import Secret

KNOWN_METHODS = frozenset({"api_call", "connect"})
"""How types that open no provider may be tried."""


async def try_fields(http: Http, settings: Settings, fields: Fields, *, provider_name: str | None,
                     test: Mapping[str, Any] | None) -> ProbeResult:
    """Try the fields of a credential; takes at most ten seconds. The message never repeats what the other side said.

    Raises:
        CredentialUntestable: there is no way to try this type, or it lacks what trying needs.
    """
    if provider_name is not None:
        provider = get_provider(provider_name).speaking(fields.get("wire"))
        base_url = str(fields.get("base_url") or provider.base_url or "")
        key = Secret(str(fields.get(KEY_FIELD) or ""))
        return await probe(http, ProviderAccess(provider, key, base_url, "workspace",
                                                allow_private=may_be_private(base_url, settings)))
    if test is None:
        raise CredentialUntestable("There is no test for this type of credentials yet. It was not tried.")
    if test["method"] == "api_call":
        return await call_api(http, fields, test, allow_private=settings.allow_private_urls)
    return await connect(fields, str(test["protocol"]), allow_private=settings.allow_private_urls)
