"""Addresses that people give: checked when they are saved, and again at every connection."""

import asyncio
import ipaddress
import socket
from urllib.parse import SplitResult, urlsplit

from automatos.credentials.base_urls import put_right
from automatos.credentials.errors import CredentialInvalidHere
from automatos.credentials.types import Provider
from automatos.kernel.config import Settings
from automatos.kernel.http import AddressRefused, IpAddress, is_link_local, is_public


def may_be_private(base_url: str, settings: Settings) -> bool:
    """Say whether a base URL that a workspace gave may lead to a private address: the operator listed it.

    No provider and no way of asking is an exception; the list is `AUTOMATOS_PRIVATE_PROVIDERS`, and one who runs the
    server for nobody but themselves may open everything with `AUTOMATOS_ALLOW_PRIVATE_URLS`.
    """
    return settings.allow_private_urls or any(_is_below(base_url, each) for each in settings.offered_private)


def _is_below(url: str, listed: str) -> bool:
    """Say whether an address is a listed one or below it, by its letters: what could be read in two ways is not."""
    allowed = listed.replace(":*", "", 1) if (any_port := ":*" in listed) else listed
    given, known = urlsplit(url), urlsplit(allowed)
    if (given.scheme, (given.hostname or "")) != (known.scheme, (known.hostname or "").lower()):
        return False
    try:
        if not any_port and _port(given) != _port(known):
            return False
    except ValueError:  # no port is called that
        return False
    if any(sign in given.path for sign in ("..", "%", "\\", "//")):
        return False
    return f"{given.path.rstrip('/')}/".startswith(f"{known.path.rstrip('/')}/")


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


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
    if not _may_lead(host, allow_private=may_be_private(base_url, settings)):
        raise CredentialInvalidHere(
            field, "leads to a private address. Use a public one, or one that the operator of this server lists in "
            "AUTOMATOS_PRIVATE_PROVIDERS."
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
