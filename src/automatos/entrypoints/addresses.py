"""Whose request is this? The peer's, unless a proxy that we were told to trust says for whom it asks."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.types import Scope

LOCAL_SOCKET = "local"
"""What a peer without an address is called: it came over a socket of this machine."""


class Proxies:
    """The proxies named in the settings, as addresses or networks."""

    def __init__(self, trusted: tuple[str, ...]) -> None:
        self._networks = tuple(_network(each) for each in trusted)

    def client_address(self, scope: Scope) -> str:
        """Return the right-most address that is not one of the trusted proxies; without proxies that is the peer.

        Entries further left in X-Forwarded-For were written by the client and mean nothing.
        """
        peer = scope["client"][0] if scope.get("client") else LOCAL_SOCKET
        if not self._networks or not self.trusts(peer):
            return peer
        for hop in reversed(_listed(scope, b"x-forwarded-for")):
            if _parse(hop) is None:
                break
            peer = hop
            if not self.trusts(hop):
                break
        return peer

    def forwarded_hosts(self, scope: Scope) -> list[str]:
        """Return the hosts that a trusted proxy was asked for, those before it included; none from anybody else."""
        peer = scope["client"][0] if scope.get("client") else LOCAL_SOCKET
        return _listed(scope, b"x-forwarded-host") if self._networks and self.trusts(peer) else []

    def trusts(self, text: str) -> bool:
        """Whether an address is that of a trusted proxy."""
        address = _parse(text)
        return address is not None and any(address in network for network in self._networks)


def limit_key(address: str) -> str:
    """Return what a client is counted under: its address, or for IPv6 the /64 network that one customer owns."""
    parsed = _parse(address)
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(IPv6Network((parsed, 64), strict=False))
    return address


def _network(text: str) -> IPv4Network | IPv6Network:
    return ip_network(text, strict=False)


def _listed(scope: Scope, header: bytes) -> list[str]:
    values = [value.decode("latin-1") for name, value in scope["headers"] if name == header]
    return [hop.strip() for value in values for hop in value.split(",")]


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
