"""Fetching one commit over git's smart HTTP protocol, with the process's guarded connections and under limits."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ssl import SSLContext
from typing import Any

import aiohttp
from yarl import URL

from automatos.kernel.http import AddressRefused, Http
from automatos.skills.errors import GitRefused, GitUnreachable
from automatos.skills.git.address import check_address, check_branch
from automatos.skills.git.packets import Advertised, ask_for, read_advertisement, read_pack
from automatos.skills.git.packs import unpack
from automatos.skills.git.trees import commit_behind, skill_files

MAX_TIME_S = 60.0
MAX_ADVERTISED_BYTES = 5 * 1024 * 1024
MAX_PACK_BYTES = 20 * 1024 * 1024
SERVICE = "git-upload-pack"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The skills of a repository at one commit: their files by path."""

    commit_sha: str
    files: dict[str, bytes]


class GitReader:
    """Reads repositories; nothing it reads is executed, and nothing is written anywhere.

    `allow_private` lets it reach private networks and this machine. `tls` replaces the usual rules for certificates.
    """

    def __init__(self, http: Http, *, allow_private: bool, tls: SSLContext | None = None) -> None:
        self._session = http.session(allow_private=allow_private)
        self._allow_private = allow_private
        self._options: dict[str, Any] = {"ssl": tls} if tls else {}

    def check(self, git_url: str, branch: str | None) -> URL:
        """Return the address to read, or refuse it without asking anybody; raises GitRefused."""
        if branch is not None:
            check_branch(branch)
        return check_address(git_url, allow_private=self._allow_private)

    async def read(self, git_url: str, branch: str | None, commit: str | None = None) -> Snapshot:
        """Return the skills at a commit, or where a branch is now; without a branch, the default one.

        Raises:
            GitRefused: the address or what the repository holds is refused.
            GitUnreachable: there is no such repository or branch, or it did not answer within 60 s.
        """
        url = self.check(git_url, branch)
        try:
            async with asyncio.timeout(MAX_TIME_S):
                wanted = self._chosen(await self._advertised(url), branch, commit)
                return await asyncio.to_thread(_opened, await self._pack(url, wanted), wanted)
        except TimeoutError as error:
            raise GitUnreachable(f"{url} did not finish within {MAX_TIME_S:.0f} s.") from error

    def _chosen(self, told: Advertised, branch: str | None, commit: str | None) -> str:
        wanted = commit or told.end_of(branch)
        if wanted is None:
            what = f"branch or tag {branch!r}" if branch else "default branch: it is empty"
            raise GitUnreachable(f"The repository has no {what}.")
        if not told.gives(wanted):
            raise GitUnreachable(f"The server does not hand out the commit {wanted}; only ends of branches and tags.")
        return wanted

    async def _advertised(self, url: URL) -> Advertised:
        asked = url / "info" / "refs" % {"service": SERVICE}
        async with self._asking("GET", asked, "advertisement") as response:
            return await asyncio.to_thread(read_advertisement, await _read(response, MAX_ADVERTISED_BYTES))

    async def _pack(self, url: URL, commit: str) -> bytes:
        asking = self._asking(
            "POST", url / SERVICE, "result", data=ask_for(commit),
            headers={"Content-Type": f"application/x-{SERVICE}-request"})
        async with asking as response:
            return await _read(response, MAX_PACK_BYTES)

    @asynccontextmanager
    async def _asking(
        self, method: str, url: URL, answer: str, **options: Any
    ) -> AsyncGenerator[aiohttp.ClientResponse]:
        """Ask, and see that the answer is one of git's before any of it is read."""
        try:
            async with self._session.request(
                method, url, allow_redirects=False, **options, **self._options
            ) as response:
                _judge(response, f"application/x-{SERVICE}-{answer}")
                yield response
        except aiohttp.ClientError as error:
            raise _told(url, error) from error


def _opened(answer: bytes, wanted: str) -> Snapshot:
    objects = unpack(read_pack(answer))
    commit = commit_behind(objects, wanted)
    return Snapshot(commit, skill_files(objects, commit))


def _judge(response: aiohttp.ClientResponse, wanted: str) -> None:
    place = f"{response.url.origin()}{response.url.path}"
    if 300 <= response.status < 400:
        target = response.headers.get("Location", "")[:300]
        raise GitRefused(f"{place} redirects to {target!r}; redirects are not followed. Use the address it leads to.")
    if response.status in {401, 403, 404}:
        raise GitUnreachable(f"{place} answered {response.status}: there is no such repository, or it is private. Only "
                             "public repositories are read.")
    if response.status != 200:
        raise GitUnreachable(f"{place} answered {response.status}.")
    if response.content_type != wanted:
        raise GitUnreachable(f"{place} is not a git server: it answered {response.content_type[:100]!r}, not {wanted}.")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise GitUnreachable(f"{place} sent a compressed answer, which was not asked for.")


async def _read(response: aiohttp.ClientResponse, limit: int) -> bytes:
    content = bytearray()
    async for part in response.content.iter_chunked(65536):
        content += part
        if len(content) > limit:
            response.close()
            raise GitRefused(f"The repository sent more than {limit} bytes.")
    return bytes(content)


def _told(url: URL, error: aiohttp.ClientError) -> GitRefused | GitUnreachable:
    """Say why a repository could not be read, without what the libraries say of our side."""
    host = url.host or ""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return GitUnreachable(f"The name {host} could not be resolved.")
    if isinstance(error, aiohttp.ClientSSLError):
        return GitUnreachable(f"{host}: its certificate or TLS was not accepted.")
    if isinstance(error, aiohttp.ClientConnectorError):
        if isinstance(error.os_error, AddressRefused) or "not a public address" in str(error.os_error):
            return GitRefused(f"git_url: {host} is, or leads to, a private or internal address.", field="git_url")
        return GitUnreachable(f"{host} could not be connected to.")
    return GitUnreachable(f"{host} did not answer as HTTP, or hung up.")
