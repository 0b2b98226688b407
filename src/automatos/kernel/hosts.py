"""Which hosts are this server: a closed list from the first start, for the Host header and for the Origin alike.

A foreign name that resolves to this machine makes any web page "the same site" for a browser (DNS rebinding), so
nothing here is ever decided by comparing what a request says with what the same request says.
"""

import re
from fnmatch import fnmatchcase
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from automatos.kernel.config import Settings

WILDCARDS = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with, never bound
DEFAULT_PORTS = {"http": 80, "https": 443}
_AUTHORITY = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(?P<port>\d{1,5}))?")


class OwnHosts:
    """The names and addresses this server answers for: loopback's, the bound one, the public URL's, the listed ones."""

    def __init__(self, bound: str, public_url: str | None, listed: tuple[str, ...]) -> None:
        public = urlsplit(public_url or "")
        self._public_origin = _origin(public)
        self._names = frozenset(name.lower() for name in (bound, public.hostname) if name and name not in WILDCARDS)
        self._patterns = tuple(pattern.lower().strip("[]") for pattern in listed)
        self._takes_own_address = bound in WILDCARDS
        self.is_known_outside = bool(listed) or not (public.hostname is None or is_loopback(public.hostname))
        """Whether the operator said that people come to this server from elsewhere."""

    def takes(self, authority: str, reached_at: str | None = None) -> bool:
        """Say whether a Host header names this server.

        `reached_at` is our end of the connection. It counts where the server listens on all addresses, and only as an
        address: a browser cannot be led to name it for another site's page.
        """
        if (parts := _AUTHORITY.fullmatch(authority.lower())) is None:
            return False
        name = parts["name"].strip("[]")
        if self._takes_own_address and reached_at is not None and _same_address(name, reached_at):
            return True
        return self._is_named(name) or any(fnmatchcase(name, pattern) for pattern in self._patterns)

    def is_own_origin(self, origin: str, authority: str, listens_at: int | None) -> bool:
        """Say whether an Origin header is that of our own pages, on the port that was asked, listens or is usual.

        The pattern `*` takes every host and vouches for none. Loopback's usual ports belong to somebody else.
        """
        if origin.lower() == self._public_origin:
            return True
        parts = urlsplit(origin.lower()) if re.fullmatch(r"https?://[^/\s?#@]+", origin.lower()) else None
        if parts is None or (asked := _AUTHORITY.fullmatch(parts.netloc)) is None:
            return False
        name = asked["name"].strip("[]")
        vouching = (pattern for pattern in self._patterns if pattern.strip("*."))
        if not (self._is_named(name) or any(fnmatchcase(name, pattern) for pattern in vouching)):
            return False
        usual = DEFAULT_PORTS[parts.scheme]
        here = _AUTHORITY.fullmatch(authority.lower())
        ports = {listens_at, int((here and here["port"]) or usual)} | (set() if is_loopback(name) else {usual})
        return int(asked["port"] or usual) in ports

    def _is_named(self, name: str) -> bool:
        return name in self._names or is_loopback(name)


def is_loopback(host: str) -> bool:
    """Say whether a host, as a name or an address, is this machine and nothing else."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def is_address(authority: str) -> bool:
    """Say whether a Host header holds an address and no name."""
    parts = _AUTHORITY.fullmatch(authority.lower())
    try:
        return parts is not None and bool(ip_address(parts["name"].strip("[]")))
    except ValueError:
        return False


def own_hosts(settings: Settings) -> OwnHosts:
    """Return the hosts that these settings name; made once."""
    return _own_hosts(settings.host, settings.public_url, settings.trusted_hosts)


@lru_cache(maxsize=16)
def _own_hosts(bound: str, public_url: str | None, listed: tuple[str, ...]) -> OwnHosts:
    return OwnHosts(bound, public_url, listed)


def _origin(address: SplitResult) -> str | None:
    return f"{address.scheme}://{address.netloc}".lower() if address.netloc else None


def _same_address(name: str, reached_at: str) -> bool:
    try:
        return ip_address(name) == ip_address(reached_at.partition("%")[0])
    except ValueError:
        return False
