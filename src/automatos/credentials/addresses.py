"""Base URLs that people give: checked when they are saved, and again at every connection by the HTTP pool."""

import ipaddress
from urllib.parse import urlsplit

from automatos.credentials.errors import CredentialInvalidHere
from automatos.credentials.types import Provider
from automatos.kernel.config import Settings
from automatos.kernel.http import is_link_local, is_public


def may_be_private(provider: Provider, settings: Settings) -> bool:
    """Say whether a base URL of this provider may lead to a private address."""
    return provider.is_local or settings.allow_private_urls


def checked_base_url(provider: Provider, base_url: str | None, settings: Settings) -> str | None:
    """Return the base URL to store, without a closing slash; None stands for the provider's own.

    Raises:
        CredentialInvalidHere: it is missing where the provider has none, not http(s), or leads where it must not.
    """
    if base_url is None:
        if provider.base_url is None:
            raise CredentialInvalidHere("base_url", f"{provider.display_name} needs the address of your endpoint.")
        return None
    host = _host_of(base_url)
    if host == "localhost" or host.endswith(".localhost"):
        _require(may_be_private(provider, settings), provider)
        return base_url.rstrip("/")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return base_url.rstrip("/")
    _require(not is_link_local(address) and (may_be_private(provider, settings) or is_public(address)), provider)
    return base_url.rstrip("/")


def _host_of(base_url: str) -> str:
    try:
        parts = urlsplit(base_url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise CredentialInvalidHere("base_url", "is not a valid address.") from error
    if parts.scheme not in {"http", "https"} or not host:
        raise CredentialInvalidHere("base_url", "must begin with https:// or http:// and name a host.")
    if parts.username or parts.password:
        raise CredentialInvalidHere("base_url", "must not hold a user name or password; put the key into value.")
    if parts.query or parts.fragment:
        raise CredentialInvalidHere("base_url", "must not hold a query or a fragment.")
    return host.lower()


def _require(is_allowed: bool, provider: Provider) -> None:
    if not is_allowed:
        raise CredentialInvalidHere(
            "base_url", f"leads to a private address, which {provider.display_name} may not use here. Use the provider "
            "'custom' for a server of your own, or set AUTOMATOS_ALLOW_PRIVATE_URLS=true on the server."
        )
