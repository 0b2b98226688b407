"""The guard on web requests made for agents: which addresses, how many hops, how much of an answer.

That an address is public is checked where the socket is made (`kernel.http`), so a name that resolves differently the
second time, and a redirect, gain nothing; what can be seen in the address itself is refused here, before.
"""

import asyncio
import ipaddress
from dataclasses import dataclass
from time import monotonic as clock

import aiohttp
from yarl import URL

from automatos.kernel.http import AddressRefused, is_public
from automatos.kernel.remote_bytes import decode
from automatos.tools.errors import ToolRefused

PUBLIC_PORTS = frozenset({80, 443, 8080, 8443})
MAX_REDIRECTS = 5
MAX_BODY_BYTES = 2 * 1024 * 1024
PIECE_BYTES = 16 * 1024
REDIRECTS = frozenset({301, 302, 303, 307, 308})
KEPT_ACROSS_ORIGINS = frozenset({"accept", "accept-language"})
Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request that a tool wants to make."""

    url: str
    method: str = "GET"
    headers: Headers = ()
    body: str | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """The final answer of a request: where it came from and up to 2 MB of its body."""

    url: str
    status: int
    reason: str
    headers: Headers
    content_type: str
    body: bytes
    is_cut: bool
    charset: str | None

    @property
    def text(self) -> str:
        """The body as text in the charset it names, if that is one that is read, or UTF-8."""
        return decode(self.body, self.charset)


@dataclass(frozen=True, slots=True)
class _Hop:
    """One request of a chain of redirects."""

    url: URL
    method: str
    headers: Headers
    body: str | None


class WebGuard:
    """Makes web requests for agents over the process's connections.

    `allow_private` says that the session given may reach private addresses, which lifts the port rule too: for tests,
    and for people who run agents inside their own network.
    """

    def __init__(self, session: aiohttp.ClientSession, *, allow_private: bool) -> None:
        self._session = session
        self._allow_private = allow_private

    async def fetch(self, asked: Outgoing, *, bytes_per_s: float | None = None) -> Fetched:
        """Make the request, follow up to five redirects, and return the answer whatever its status.

        With `bytes_per_s` the answer is read no faster than that.

        Raises:
            ToolRefused: the address, or one it redirects to, may not be reached, or did not answer as HTTP.
        """
        hop = _Hop(self._checked(asked.url), asked.method, asked.headers, asked.body)
        for _ in range(MAX_REDIRECTS + 1):
            answer, location = await self._send(hop, bytes_per_s)
            if location is None:
                return answer
            hop = self._next_hop(hop, answer.status, location)
        raise ToolRefused("too_many_redirects", f"{asked.url[:200]} redirects more than {MAX_REDIRECTS} times.")

    def _next_hop(self, hop: _Hop, status: int, location: str) -> _Hop:
        """Follow a redirect as browsers do, but take no write and no private header to another site."""
        try:
            target = self._checked(str(hop.url.join(URL(location))))
        except ValueError as error:
            raise ToolRefused("url_refused", f"{hop.url} redirects to something that is not a web address.") from error
        method, body, headers = hop.method, hop.body, hop.headers
        if method != "HEAD" and (status == 303 or (status in {301, 302} and method == "POST")):
            method, body = "GET", None
        if target.origin() != hop.url.origin():
            if method not in {"GET", "HEAD"}:
                raise ToolRefused("redirect_refused", f"{hop.url} redirects a {method} to another site; refused.")
            headers = tuple((name, value) for name, value in headers if name.lower() in KEPT_ACROSS_ORIGINS)
        return _Hop(target, method, headers, body)

    async def _send(self, hop: _Hop, bytes_per_s: float | None) -> tuple[Fetched, str | None]:
        """Make one request; the second value is where it redirects to, None when it is the answer."""
        body = hop.body.encode() if hop.body is not None else None
        try:
            async with self._session.request(
                hop.method, hop.url, headers=hop.headers, data=body, allow_redirects=False
            ) as response:
                location = response.headers.get("Location") if response.status in REDIRECTS else None
                content, is_cut = (b"", False) if location else await _read(response, bytes_per_s)
                return Fetched(
                    url=str(response.url), status=response.status, reason=(response.reason or "")[:100],
                    headers=tuple(response.headers.items()), content_type=response.content_type.lower(), body=content,
                    is_cut=is_cut, charset=response.charset,
                ), location
        except aiohttp.ClientError as error:
            raise _told(hop.url, error) from error
        except ValueError as error:  # a host that no resolver takes, a header that no wire carries
            raise ToolRefused("url_refused", f"{str(hop.url)[:200]!r} cannot be asked for over HTTP.") from error

    def _checked(self, text: str) -> URL:
        return check_url(text, allow_private=self._allow_private)


def check_url(text: str, *, allow_private: bool) -> URL:
    """Return the address to request, or refuse it: its scheme, credentials in it, its port, or a private IP address."""
    try:
        url = URL(text).with_fragment(None)
        port = url.port
    except ValueError as error:
        raise ToolRefused("url_refused", f"{text[:200]!r} is not a web address.") from error
    if url.scheme not in {"http", "https"} or not url.host:
        raise ToolRefused("url_refused", f"{text[:200]!r} is not an http:// or https:// address.")
    if url.user is not None or url.password is not None:
        raise ToolRefused("url_refused", "The address has a user name or password in it; leave them out.")
    if allow_private:
        return url
    if port not in PUBLIC_PORTS:
        raise ToolRefused("url_refused", f"Port {port} is refused; {sorted(PUBLIC_PORTS)} are open to agents.")
    if not _may_be_public(url.host):
        raise _private(url.host)
    return url


def _may_be_public(host: str) -> bool:
    """Judge a host that is an IP address; a name may be anything until it is resolved."""
    try:
        return is_public(ipaddress.ip_address(host.partition("%")[0]))
    except ValueError:
        return True


async def _read(response: aiohttp.ClientResponse, bytes_per_s: float | None) -> tuple[bytes, bool]:
    """Return the body and whether it was cut; what is over the limit is never fetched.

    What is not read yet fills the socket and slows the sender down, so that the rate holds on the wire too.
    """
    content = bytearray()
    began = clock()
    async for part in response.content.iter_chunked(PIECE_BYTES):
        content += part
        if bytes_per_s:
            await asyncio.sleep(began + len(content) / bytes_per_s - clock())
        if len(content) > MAX_BODY_BYTES:
            response.close()
            return bytes(content[:MAX_BODY_BYTES]), True
    return bytes(content), False


def _private(host: str) -> ToolRefused:
    return ToolRefused(
        "address_refused",
        f"{host[:200]!r} is, or leads to, a private or internal address, which agents may not reach.",
    )


def _told(url: URL, error: aiohttp.ClientError) -> ToolRefused:
    """Say why a request failed, without what the libraries say of our side."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        why = "its name could not be resolved"
    elif isinstance(error, aiohttp.ClientSSLError):
        why = "its certificate or TLS was not accepted"
    elif isinstance(error, aiohttp.ClientConnectorError):
        if isinstance(error.os_error, AddressRefused) or "not a public address" in str(error.os_error):
            return _private(url.host or "")
        why = "it could not be connected to"
    else:
        why = "it did not answer as HTTP, or hung up"
    return ToolRefused("fetch_failed", f"{url} could not be fetched: {why}.")
