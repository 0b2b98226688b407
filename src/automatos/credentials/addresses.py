"""Addresses that people give: checked when they are saved, and again at every connection."""

import asyncio
import ipaddress
import socket
from urllib.parse import urlsplit

from automatos.credentials.base_urls import put_right
from automatos.credentials.errors import CredentialInvalidHere
from automatos.credentials.types import Provider
from automatos.kernel.config import Settings
from automatos.kernel.http import AddressRefused, IpAddress, is_link_local, is_public


def may_be_private(provider: Provider, settings: Settings) -> bool:
    """Say whether a base URL of this provider may lead to a private address."""
    return provider.is_local or settings.allow_private_urls


def checked_base_url(provider: Provider, base_url: str | None, settings: Settings,
                     field: str = "base_url") -> str | None:
    """Return the base URL to store, put right (see `base_urls`); None stands for the provider's own.

    `field` is what a refusal calls it.

    Raises:
        CredentialInvalidHere: it is missing where the provider has none, not http(s), or leads where it must not.
    """
    if base_url is None:
        if provider.base_url is None:
            raise CredentialInvalidHere(field, f"{provider.display_name} needs the address of your endpoint.")
        return None
    base_url = put_right(provider, base_url)
    try:
        host = host_of(base_url)
    except ValueError as error:
        raise CredentialInvalidHere(field, str(error)) from error
    if not _may_lead(host, allow_private=may_be_private(provider, settings)):
        raise CredentialInvalidHere(
            field, f"leads to a private address, which {provider.display_name} may not use here. Use the provider "
            "'custom' for a server of your own, or set AUTOMATOS_ALLOW_PRIVATE_URLS=true on the server."
        )
    return base_url


def host_of(url: str) -> str:
    """Return the host of an http(s) address that holds nothing but scheme, host, port and path.

    Raises:
        ValueError: it is none; says why, without repeating it.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise ValueError("is not a valid address.") from error
    if parts.scheme not in {"http", "https"} or not host:
        raise ValueError("must begin with https:// or http:// and name a host.")
    if parts.username or parts.password:
        raise ValueError("must not hold a user name or password; they have fields of their own.")
    if parts.query or parts.fragment:
        raise ValueError("must not hold a query or a fragment.")
    return host.lower()


def _may_lead(host: str, *, allow_private: bool) -> bool:
    """Say whether a host as it is written may be reached; a name is judged by its addresses when it is connected to."""
    if host == "localhost" or host.endswith(".localhost"):
        return allow_private
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return True
    return is_reachable(address, allow_private=allow_private)


def is_reachable(address: IpAddress, *, allow_private: bool) -> bool:
    """Say whether an address may be connected to: a public one, or a private one where that is allowed."""
    return not is_link_local(address) and (allow_private or is_public(address))


async def resolve_host(host: str, port: int, *, allow_private: bool) -> str:
    """Return an address of a host, as text, that may be connected to.

    Raises:
        AddressRefused: the host leads to an address that may not be reached.
        OSError: the host has no address.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(where[0]).partition("%")[0] for *_, where in found]
    for each in addresses:
        if not is_reachable(ipaddress.ip_address(each), allow_private=allow_private):
            raise AddressRefused(f"{each} is not a public address")
    return addresses[0]
