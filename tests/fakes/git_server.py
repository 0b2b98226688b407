"""A git server over smart HTTP whose repositories are made in memory, the hostile ones too."""

import asyncio
import hashlib
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from aiohttp import web

COMMIT, TREE, BLOB, TAG = 1, 2, 3, 4
WORDS = {COMMIT: b"commit", TREE: b"tree", BLOB: b"blob", TAG: b"tag"}
FOLDER, FILE, LINK, SUBMODULE = "40000", "100644", "120000", "160000"
Content = bytes | str | tuple[str, bytes]
"""What a path holds: a file's content, or a mode with what is behind it."""


def packet(line: bytes) -> bytes:
    return f"{len(line) + 4:04x}".encode() + line


def header(kind: int, size: int) -> bytes:
    """The beginning of an object in a pack, as long as its size needs."""
    byte, size = (kind << 4) | (size & 15), size >> 4
    out = bytearray()
    while size:
        out.append(byte | 128)
        byte, size = size & 127, size >> 7
    out.append(byte)
    return bytes(out)


def packed(entries: Sequence[bytes], *, count: int | None = None) -> bytes:
    """A pack of entries that are already in its form."""
    body = b"PACK" + (2).to_bytes(4, "big") + (len(entries) if count is None else count).to_bytes(4, "big")
    body += b"".join(entries)
    return body + hashlib.sha1(body).digest()


def entry(kind: int, data: bytes, *, claims: int | None = None) -> bytes:
    """One object in the form of a pack; `claims` lies about its size."""
    return header(kind, len(data) if claims is None else claims) + zlib.compress(data)


@dataclass
class Repository:
    """Objects by name, and where branches and tags are; `answers` replaces what the server says to a path.

    `version` is the protocol it speaks, `leaves_out` whether it can send folders without files, `bodies` the lines it
    was asked with, `authorization` what it asks for.
    """

    objects: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    answers: dict[str, Callable[[web.Request], web.StreamResponse]] = field(default_factory=dict)
    pack: bytes | None = None
    delay_s: float = 0.0
    version: int = 0
    leaves_out: bool = True
    authorization: str | None = None
    bodies: list[list[str]] = field(default_factory=list)
    capabilities: str = "side-band-64k ofs-delta shallow allow-reachable-sha1-in-want symref=HEAD:refs/heads/main"

    def add(self, kind: int, data: bytes) -> str:
        name = hashlib.sha1(WORDS[kind] + b" %d\0" % len(data) + data).hexdigest()
        self.objects[name] = (kind, data)
        return name

    def tree(self, entries: Mapping[str, tuple[str, str]]) -> str:
        """A folder of (mode, object) by name, whatever the names are."""
        rows = (f"{mode} {name}".encode() + b"\0" + bytes.fromhex(at) for name, (mode, at) in sorted(entries.items()))
        return self.add(TREE, b"".join(rows))

    def commit(self, files: Mapping[str, Content], *, branch: str = "main", root: str | None = None) -> str:
        """Commit these files and nothing else to a branch; returns the commit."""
        tree = root or self._folder(files)
        parent = f"parent {self.refs[f'refs/heads/{branch}']}\n" if f"refs/heads/{branch}" in self.refs else ""
        who = f"Ada <ada@example.org> {1_700_000_000 + len(self.objects)} +0000"
        text = f"tree {tree}\n{parent}author {who}\ncommitter {who}\n\nwork\n"
        name = self.add(COMMIT, text.encode())
        self.refs[f"refs/heads/{branch}"] = name
        if branch == "main":
            self.refs["HEAD"] = name
        return name

    def tag(self, name: str, commit: str) -> str:
        text = f"object {commit}\ntype commit\ntag {name}\ntagger Ada <ada@example.org> 1700000000 +0000\n\nout\n"
        self.refs[f"refs/tags/{name}"] = self.add(TAG, text.encode())
        return self.refs[f"refs/tags/{name}"]

    def _folder(self, files: Mapping[str, Content]) -> str:
        entries: dict[str, tuple[str, str]] = {}
        inner: dict[str, dict[str, Content]] = {}
        for path, content in files.items():
            first, _, rest = path.partition("/")
            if rest:
                inner.setdefault(first, {})[rest] = content
            else:
                mode, data = content if isinstance(content, tuple) else (FILE, content)
                data = data.encode() if isinstance(data, str) else data
                entries[first] = (mode, data.decode() if mode == SUBMODULE else self.add(BLOB, data))
        entries |= {name: (FOLDER, self._folder(inside)) for name, inside in inner.items()}
        return self.tree(entries)

    def whole_pack(self, *wanted: str, leaves_out: bool = False) -> bytes:
        """Everything that a commit holds, and nothing of its past; or without what is in its files."""
        found: dict[str, tuple[int, bytes]] = {}
        waiting = list(wanted)
        while waiting:
            name = waiting.pop()
            if name in found or name not in self.objects or (leaves_out and self.objects[name][0] == BLOB):
                continue
            kind, data = found[name] = self.objects[name]
            waiting += _behind(kind, data)
        return packed([entry(kind, data) for kind, data in found.values()])


def _behind(kind: int, data: bytes) -> list[str]:
    if kind == COMMIT:
        return [data[5:45].decode()]
    if kind == TAG:
        return [data[7:47].decode()]
    names: list[str] = []
    while kind == TREE and data:
        end = data.index(b"\0")
        names.append(data[end + 1:end + 21].hex())
        data = data[end + 21:]
    return names


class GitServer:
    """Serves repositories by name on this machine; `asked` and `headers` hold every request's path and headers."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.asked: list[str] = []
        self.headers: list[Mapping[str, str]] = []
        self.url = ""

    def repository(self, name: str) -> Repository:
        return self.repositories.setdefault(name, Repository())

    def url_of(self, name: str) -> str:
        return f"{self.url}/{name}.git"

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=2**20)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        self.headers.append(request.headers)
        at = request.path.rfind("/info/refs") if request.path.endswith("/info/refs") else request.path.rfind("/")
        name, path = request.path[1:at].removesuffix(".git"), request.path[at + 1:]
        repository = self.repositories.get(name)
        if repository is None:
            return web.Response(status=404)
        if repository.authorization not in {None, request.headers.get("Authorization")}:
            return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="git"'})
        await asyncio.sleep(repository.delay_s)
        if path in repository.answers:
            return repository.answers[path](request)
        if path == "info/refs":
            return web.Response(body=_advertisement(repository),
                                content_type="application/x-git-upload-pack-advertisement")
        return web.Response(body=_result(repository, await request.read()),
                            content_type="application/x-git-upload-pack-result")


def _advertisement(repository: Repository) -> bytes:
    if repository.version == 2:
        fetch = "fetch=shallow wait-for-done" + (" filter" if repository.leaves_out else "")
        lines = ["version 2", "agent=git/2.x", "ls-refs=unborn", fetch, "object-format=sha1"]
        return b"".join(packet(f"{line}\n".encode()) for line in lines) + b"0000"
    lines = [f"{commit} {name}" for name, commit in sorted(repository.refs.items())]
    lines = lines or [f"{'0' * 40} capabilities^{{}}"]
    told = [f"{lines[0]}\0{repository.capabilities}\n", *(f"{line}\n" for line in lines[1:])]
    return (packet(b"# service=git-upload-pack\n") + b"0000" + b"".join(packet(line.encode()) for line in told)
            + b"0000")


def _lines(body: bytes) -> list[str]:
    lines, place = [], 0
    while place < len(body):
        length = max(4, int(body[place:place + 4], 16))
        if length > 4:
            lines.append(body[place + 4:place + length].decode().rstrip("\n"))
        place += length
    return lines


def _answer_in_version_2(repository: Repository, lines: list[str]) -> bytes:
    if lines[0] == "command=ls-refs":
        prefixes = tuple(line.removeprefix("ref-prefix ") for line in lines if line.startswith("ref-prefix "))
        found = [f"{at} {name}\n" for name, at in sorted(repository.refs.items()) if name.startswith(prefixes)]
        return b"".join(packet(line.encode()) for line in found) + b"0000"
    wanted = [line.removeprefix("want ") for line in lines if line.startswith("want ")]
    if missing := next((name for name in wanted if name not in repository.objects), None):
        return packet(f"ERR upload-pack: not our ref {missing}".encode())
    pack = repository.whole_pack(*wanted, leaves_out="filter blob:none" in lines)
    shallow = packet(b"shallow-info\n") + packet(f"shallow {wanted[0]}".encode()) + b"0001"
    return ((shallow if "deepen 1" in lines else b"") + packet(b"packfile\n") + packet(b"\x02Counting objects\n")
            + b"".join(packet(b"\x01" + pack[place:place + 60_000]) for place in range(0, len(pack), 60_000)) + b"0000")


def _result(repository: Repository, body: bytes) -> bytes:
    lines = _lines(body)
    repository.bodies.append(lines)
    if repository.version == 2:
        return _answer_in_version_2(repository, lines)
    wanted = body[9:49].decode()
    if wanted not in repository.objects:
        return packet(f"ERR upload-pack: not our ref {wanted}\n".encode())
    pack = repository.pack if repository.pack is not None else repository.whole_pack(wanted)
    parts = [packet(b"\x01" + pack[place:place + 60_000]) for place in range(0, len(pack), 60_000)]
    return (packet(f"shallow {wanted}\n".encode()) + b"0000" + packet(b"NAK\n") + packet(b"\x02Counting objects\n")
            + b"".join(parts) + b"0000")
