"""Outgoing HTTP: one connection pool per process and reach, with private addresses refused after resolution."""

import ipaddress
import socket
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import aiohttp
import orjson

CONNECT_TIMEOUT_S = 10.0
IDLE_CONNECTION_S = 30.0
DNS_CACHE_S = 60
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NOT_PUBLIC = tuple(ipaddress.ip_network(each) for each in (
    "192.88.99.0/24",  # the relays of 6to4, given up by RFC 7526
    "192.0.0.0/24",  # protocol assignments of RFC 6890: the few global ones among them are no web servers
    "3fff::/20",  # documentation, RFC 9637
    "5f00::/16",  # segment identifiers, RFC 9602
))
"""What the standard library still takes for global."""

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


class AddressRefused(OSError):
    """A host resolved to an address that this request may not reach."""


def is_public(address: IpAddress) -> bool:
    """Say whether an address belongs to the public Internet; an IPv4 address wrapped in IPv6 is judged as itself."""
    inner = _unwrap(address)
    if isinstance(inner, ipaddress.IPv6Address) and inner.is_site_local:
        return False
    if any(inner.version == network.version and inner in network for network in _NOT_PUBLIC):
        return False
    return inner.is_global and not (inner.is_multicast or inner.is_reserved)


def is_link_local(address: IpAddress) -> bool:
    """Say whether an address is link-local: among them the metadata services of clouds."""
    return _unwrap(address).is_link_local


def _unwrap(address: IpAddress) -> IpAddress:
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _socket_for(info: tuple[Any, ...], *, allow_private: bool) -> socket.socket:
    """Make the socket of one resolved address, or refuse; asked at each connection, so a rebound name gains nothing."""
    family, kind, protocol, _, where = info
    address = ipaddress.ip_address(str(where[0]).partition("%")[0])
    if is_link_local(address) or not (allow_private or is_public(address)):
        raise AddressRefused(f"{address} is not a public address")
    return socket.socket(family, kind, protocol)


def _open(*, allow_private: bool) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(
        limit=0, limit_per_host=0, ttl_dns_cache=DNS_CACHE_S, keepalive_timeout=IDLE_CONNECTION_S,
        socket_factory=partial(_socket_for, allow_private=allow_private),
    )
    return aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(),
        json_serialize=lambda value: orjson.dumps(value).decode(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S),
        headers={"User-Agent": "automatos", "Accept-Encoding": "identity"},
    )


@dataclass(frozen=True, slots=True)
class Http:
    """This process's outgoing connections.

    `public` reaches the public Internet only; `anywhere` also private networks and this machine, for addresses that
    the operator chose. Neither reaches link-local addresses. No total timeout is set: callers bound each call.
    """

    public: aiohttp.ClientSession
    anywhere: aiohttp.ClientSession

    @classmethod
    def open(cls) -> Self:
        """Open both pools; needs a running event loop and connects nowhere yet."""
        return cls(_open(allow_private=False), _open(allow_private=True))

    def session(self, *, allow_private: bool) -> aiohttp.ClientSession:
        """Return the pool with the wanted reach."""
        return self.anywhere if allow_private else self.public

    async def close(self) -> None:
        """Close every connection."""
        await self.public.close()
        await self.anywhere.close()
