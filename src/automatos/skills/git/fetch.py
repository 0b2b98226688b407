"""Fetching one commit over git's smart HTTP protocol, with the process's guarded connections and under limits.

Servers that speak version 2 are asked for one name, then for the folders of one commit, then for the files of skills;
of others the whole commit is read, and what is too large is forgotten on the way.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from ssl import SSLContext
from typing import Any, ParamSpec, TypeVar

import aiohttp
from yarl import URL

from automatos.kernel.confined import Allowance, TooCostly, confined_for
from automatos.kernel.http import Http
from automatos.skills.errors import GitRefused, GitUnreachable
from automatos.skills.git import packets
from automatos.skills.git.address import Address, check_address, check_branch, check_folder, is_branch, read_address
from automatos.skills.git.answers import judge, told
from automatos.skills.git.commits import read_commit
from automatos.skills.git.packets import Advertised

MAX_TIME_S = 120.0
MAX_ADVERTISED_BYTES = 16 * 1024 * 1024
MAX_PACK_BYTES = 64 * 1024 * 1024
MAX_RECEIVED_BYTES = 256 * 1024 * 1024
MAX_REDIRECTS = 3
FILES_AT_ONCE = 2_000
MAX_LINK_ROUNDS = 8
READING = Allowance(cpu_s=20, deadline_s=MAX_TIME_S)
P = ParamSpec("P")
T = TypeVar("T")
SERVICE = "git-upload-pack"
HEADERS = {"User-Agent": "git/2.43.0 (automatos)"}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The skills of a repository at one commit: their files by path, and why others were left out.

    `branch` is what the address or the caller named; `place` is where it was read.
    """

    commit_sha: str
    files: dict[str, bytes]
    left_out: dict[str, str] = field(default_factory=dict[str, str])
    notes: tuple[str, ...] = ()
    place: Address | None = field(default=None, compare=False)
    branch: str | None = field(default=None, compare=False)


@dataclass(slots=True)
class _Server:
    """One repository's server while it is asked: where it is, what it said, how much it may still send."""

    url: URL
    origin: URL
    authorization: str | None
    told: Advertised = field(default_factory=Advertised)
    left: int = MAX_RECEIVED_BYTES

    def headers(self, url: URL) -> dict[str, str]:
        """Return the headers of a request; a credential goes to the host it was chosen for and nowhere else."""
        is_there = self.authorization is not None and url.origin() == self.origin
        return HEADERS | {"Git-Protocol": "version=2"} | (
            {"Authorization": self.authorization or ""} if is_there else {})


class _TooMuch(Exception):
    """An answer is longer than is read at once."""


class GitReader:
    """Reads repositories; nothing it reads is executed, and nothing is written anywhere.

    `allow_private` lets it reach private networks and this machine. `tls` replaces the usual rules for certificates.
    """

    def __init__(self, http: Http, *, allow_private: bool, tls: SSLContext | None = None) -> None:
        self._session = http.session(allow_private=allow_private)
        self._allow_private = allow_private
        self._options: dict[str, Any] = {"ssl": tls} if tls else {}

    def check(self, git_url: str, branch: str | None, folder: str = "") -> Address:
        """Return what an address means, or refuse it without asking anybody; raises GitRefused."""
        if branch is not None:
            check_branch(branch)
        found = read_address(git_url, allow_private=self._allow_private)
        if branch is not None and found.tail:
            rest = found.tail.removeprefix(branch) if f"{found.tail}/".startswith(f"{branch}/") else ""
            found = replace(found, tail="", folder=check_folder(rest))
        return replace(found, folder=check_folder(folder)) if folder else found

    async def read(
        self, git_url: str, branch: str | None, commit: str | None = None, *, folder: str = "",
        authorization: str | None = None,
    ) -> Snapshot:
        """Return the skills at a commit, or where a branch is now; without a branch, the default one.

        `authorization` is the header of a credential; it is sent to the address's own host only.

        Raises:
            GitRefused: the address or what the repository holds is refused.
            GitUnreachable: there is no such repository or branch, or it did not answer within 120 s.
        """
        place = self.check(git_url, branch, folder)
        server = _Server(place.url, place.url.origin(), authorization)
        try:
            async with asyncio.timeout(MAX_TIME_S):
                await self._greet(server)
                name, place = await self._located(server, place, branch)
                wanted = self._chosen(server.told, name, commit or place.commit)
                found = await self._read(server, wanted, place.folder)
        except TimeoutError as error:
            raise GitUnreachable(f"{place.url} did not finish within {MAX_TIME_S:.0f} s.") from error
        return replace(found, notes=place.notes, place=place, branch=name)

    async def _located(self, server: _Server, place: Address, branch: str | None) -> tuple[str | None, Address]:
        """Return the branch to read, and the place with its folder: of an address's tail, the longest name counts."""
        names = [branch] if branch else _beginnings(place.tail)
        if server.told.version == 2:
            asked = [name for each in names for name in packets.names_of(each)] or ["HEAD"]
            server.told.refs = await self._refs(server, asked)
        if branch or not place.tail:
            return branch, place
        if not names:
            raise GitRefused(f"branch: {place.tail[:100]!r} begins with no name that git gives a branch or tag.",
                             field="branch")
        found = next((name for name in reversed(names) if server.told.end_of(name)), None)
        if found is None:
            raise GitUnreachable(f"The repository has no branch or tag that {place.tail[:200]!r} begins with.")
        return found, replace(place, folder=check_folder(place.tail[len(found):]) or place.folder)

    def _chosen(self, told: Advertised, branch: str | None, commit: str | None) -> str:
        wanted = commit or told.end_of(branch)
        if wanted is None:
            what = f"branch or tag {branch!r}" if branch else "default branch: it is empty"
            raise GitUnreachable(f"The repository has no {what}.")
        if not told.gives(wanted):
            raise GitUnreachable(f"The server does not hand out the commit {wanted}; only ends of branches and tags.")
        return wanted

    async def _read(self, server: _Server, wanted: str, folder: str) -> Snapshot:
        is_partial = server.told.leaves_out_files
        if server.told.version == 2:
            asked = packets.ask_for_objects([wanted], is_commit=True, leaves_out_files=is_partial)
        else:
            asked = packets.ask_for(wanted)
        try:
            answer = await self._ask(server, asked)
        except _TooMuch as error:
            raise GitRefused(f"The repository sent more than {MAX_PACK_BYTES} bytes, and its server cannot leave out "
                             "files that belong to no skill. Upload a ZIP of its skills instead.") from error
        answers, fetched, large = [answer], set[str](), set[str]()
        for rounds in range(MAX_LINK_ROUNDS + 1):
            found = await _confined(server, read_commit, answers, wanted, folder, asked=fetched, large=large,
                                    may_ask=is_partial and rounds < MAX_LINK_ROUNDS)
            if not found.missing:
                return Snapshot(found.commit_sha, found.files, found.left_out)
            for place in range(0, len(found.missing), FILES_AT_ONCE):
                await self._fill(server, found.missing[place:place + FILES_AT_ONCE], answers, large)
            fetched |= set(found.missing)
        raise AssertionError("the last round asks for nothing")

    async def _fill(self, server: _Server, names: Sequence[str], answers: list[bytes], large: set[str]) -> None:
        """Fetch files by their names; where they are too much at once, half of them at a time, so that one is found."""
        try:
            answers.append(
                await self._ask(server, packets.ask_for_objects(names, is_commit=False, leaves_out_files=False)))
        except _TooMuch:
            if len(names) == 1:
                large.add(names[0])
                return
            middle = len(names) // 2
            await self._fill(server, names[:middle], answers, large)
            await self._fill(server, names[middle:], answers, large)

    async def _greet(self, server: _Server) -> None:
        """Ask what the server has and can do; as git does, only this first question follows redirects."""
        for _ in range(MAX_REDIRECTS + 1):
            asked = server.url / "info" / "refs" % {"service": SERVICE}
            async with self._asking(server, "GET", asked) as response:
                if response.status not in {301, 302, 303, 307, 308}:
                    judge(response, f"application/x-{SERVICE}-advertisement",
                          has_credential=server.authorization is not None)
                    try:
                        content = await _read(response, server, MAX_ADVERTISED_BYTES)
                    except _TooMuch as error:
                        raise GitRefused(
                            f"The repository sent more than {MAX_ADVERTISED_BYTES} bytes of names.") from error
                    server.told = await _confined(server, packets.read_advertisement, content)
                    return
                server.url = self._redirected(response)
        raise GitRefused(f"{server.url} is behind more than {MAX_REDIRECTS} redirects, which are not followed.")

    def _redirected(self, response: aiohttp.ClientResponse) -> URL:
        """Return the repository that a redirect of the first question leads to; it may be read, or is refused."""
        target = response.headers.get("Location", "")[:1000]
        try:
            whole = response.url.join(URL(target))
            base = str(whole.with_query(None).with_fragment(None))
            if not base.endswith("/info/refs"):
                raise GitRefused("it leads to something else")
            return check_address(base.removesuffix("/info/refs"), allow_private=self._allow_private)
        except (GitRefused, ValueError) as error:
            why = error.detail if isinstance(error, GitRefused) else "it is not an address"
            raise GitRefused(
                f"{response.url.origin()} redirects to {target[:300]!r}, which is not followed: {why}") from error

    async def _refs(self, server: _Server, prefixes: Sequence[str]) -> dict[str, str]:
        try:
            return packets.read_refs(await self._ask(server, packets.ask_for_refs(prefixes)))
        except _TooMuch as error:
            raise GitRefused(f"The repository sent more than {MAX_PACK_BYTES} bytes of names.") from error

    async def _ask(self, server: _Server, body: bytes) -> bytes:
        asked = self._asking(
            server, "POST", server.url / SERVICE, data=body, more={"Content-Type": f"application/x-{SERVICE}-request"})
        async with asked as response:
            judge(response, f"application/x-{SERVICE}-result", has_credential=server.authorization is not None)
            return await _read(response, server, MAX_PACK_BYTES)

    @asynccontextmanager
    async def _asking(
        self, server: _Server, method: str, url: URL, *, more: dict[str, str] | None = None, **options: Any
    ) -> AsyncGenerator[aiohttp.ClientResponse]:
        headers = server.headers(url) | (more or {})
        try:
            async with self._session.request(
                method, url, allow_redirects=False, headers=headers, **options, **self._options
            ) as response:
                yield response
        except aiohttp.ClientError as error:
            raise told(url, error) from error


def _beginnings(tail: str) -> list[str]:
    """Return every name that a branch may have which an address's tail begins with, the shortest first."""
    parts = tail.split("/") if tail else []
    names = ("/".join(parts[:count]) for count in range(1, min(len(parts), 8) + 1))
    return [name for name in names if is_branch(name)]


async def _confined(server: _Server, work: Callable[P, T], /, *given: P.args, **named: P.kwargs) -> T:
    """Do work on what a repository sent in a process of its own; raises GitRefused where it takes too much."""
    try:
        return await confined_for(server.origin, READING, work, *given, **named)
    except TooCostly as error:
        raise GitRefused(f"The repository takes too much work to read. {error.detail}") from error


async def _read(response: aiohttp.ClientResponse, server: _Server, limit: int) -> bytes:
    content = bytearray()
    async for part in response.content.iter_chunked(65536):
        content += part
        if len(content) > limit:
            server.left -= len(content)
            response.close()
            raise _TooMuch
        if len(content) > server.left:
            response.close()
            raise GitRefused(f"The repository sent more than {MAX_RECEIVED_BYTES} bytes in all.")
    server.left -= len(content)
    return bytes(content)
