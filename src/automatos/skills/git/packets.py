"""The lines of git's protocol, versions 0 to 2: a length in four hex digits, then the line; 0000 ends a part."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from automatos.kernel.confined import comes_back
from automatos.skills.errors import GitUnreachable

FLUSH, DELIMITER = b"0000", b"0001"
SHA = 40
DATA, PROGRESS, FAILURE = 1, 2, 3
AGENT = "git/2.43.0-automatos"
CAPABILITIES = f"side-band-64k ofs-delta thin-pack shallow no-progress agent={AGENT}"
ANY_COMMIT = frozenset({"allow-tip-sha1-in-want", "allow-reachable-sha1-in-want", "allow-any-sha1-in-want"})
SERVICE_LINE = b"# service=git-upload-pack"
SECTIONS = frozenset({b"acknowledgments", b"shallow-info", b"wanted-refs", b"packfile-uris", b"packfile", b"NAK",
                      b"ready"})


@comes_back
@dataclass(slots=True)
class Advertised:
    """What a repository says it has: objects by the names of its branches and tags, and what its server can do.

    In version 2 there are no names yet: they are asked for.
    """

    refs: dict[str, str] = field(default_factory=dict[str, str])
    capabilities: frozenset[str] = frozenset()
    version: int = 0

    def end_of(self, branch: str | None) -> str | None:
        """Return the commit a branch is at, or the object a tag is; without a name, the default branch's."""
        if branch is None:
            return self.refs.get("HEAD")
        return next((self.refs[name] for name in names_of(branch) if name in self.refs), None)

    def gives(self, commit: str) -> bool:
        """Whether the server hands out a commit: the end of a branch, or any where it says so."""
        return self.version == 2 or commit in self.refs.values() or bool(self.capabilities & ANY_COMMIT)

    @property
    def leaves_out_files(self) -> bool:
        """Whether the server sends folders without what is in their files, and files by their names."""
        return self.version == 2 and any(
            "filter" in word.partition("=")[2].split() for word in self.capabilities if word.startswith("fetch="))


def names_of(branch: str) -> tuple[str, str]:
    """Return what git calls a branch, and a tag, of this name."""
    return f"refs/heads/{branch}", f"refs/tags/{branch}"


def packet(line: str) -> bytes:
    """Return one line as it is sent."""
    data = line.encode()
    return f"{len(data) + 4:04x}".encode() + data


def read_packets(data: bytes, start: int = 0) -> Iterator[tuple[bytes | None, int]]:
    """Yield each line and where the next begins; None is the end of a part.

    Raises:
        GitUnreachable: a length is not one, or the data ends inside a line.
    """
    place = start
    while place < len(data):
        try:
            length = int(data[place:place + 4], 16)
        except ValueError as error:
            raise _broken("a line has no length") from error
        if length < 3:
            place += 4
            yield None, place
            continue
        if length < 4 or place + length > len(data):
            raise _broken("it ends inside a line")
        place += length
        yield data[place - length + 4:place], place


def read_advertisement(data: bytes) -> Advertised:
    """Read the answer to `info/refs`; raises GitUnreachable."""
    found = Advertised()
    lines = [line.rstrip(b"\n") for line, _ in read_packets(data) if line is not None]
    is_marked = bool(lines) and lines[0] == SERVICE_LINE
    if lines[is_marked:is_marked + 1] == [b"version 2"]:
        found.version = 2
        found.capabilities = frozenset(line.decode("utf-8", "replace") for line in lines[is_marked + 1:])
    elif not is_marked:
        raise _broken("it is not the answer of git-upload-pack")
    else:
        _read_refs(lines[1:], found)
    if "object-format=sha256" in found.capabilities:
        raise _broken("the repository names its objects by SHA-256, which is not read here")
    return found


def _read_refs(lines: Iterable[bytes], found: Advertised) -> None:
    for line in lines:
        told, _, capabilities = line.partition(b"\0")
        commit, _, name = told.decode("utf-8", "replace").partition(" ")
        if capabilities:
            found.capabilities = frozenset(capabilities.decode("utf-8", "replace").split())
        if len(commit) == SHA and name and name != "capabilities^{}":
            found.refs[name] = commit


def ask_for_refs(prefixes: Sequence[str]) -> bytes:
    """Return the request for what the names that begin so stand for (version 2)."""
    lines = [packet(f"ref-prefix {prefix}\n") for prefix in prefixes]
    return packet("command=ls-refs\n") + packet(f"agent={AGENT}\n") + DELIMITER + b"".join(lines) + FLUSH


def read_refs(data: bytes) -> dict[str, str]:
    """Read the answer to `ask_for_refs`; raises GitUnreachable."""
    refs: dict[str, str] = {}
    for line, _ in read_packets(data):
        if line is None:
            continue
        if line.startswith(b"ERR "):
            raise _broken(f"the server said: {_plain(line[4:])}")
        commit, _, name = line.rstrip(b"\n").decode("utf-8", "replace").partition(" ")
        if len(commit) == SHA and name:
            refs[name.partition(" ")[0]] = commit
    return refs


def ask_for(commit: str) -> bytes:
    """Return the request for one commit and nothing before it (version 0)."""
    return packet(f"want {commit} {CAPABILITIES}\n") + packet("deepen 1\n") + FLUSH + packet("done\n")


def ask_for_objects(names: Iterable[str], *, is_commit: bool, leaves_out_files: bool) -> bytes:
    """Return the request for a commit without its past, or for files by their names (version 2)."""
    lines = ["no-progress\n", "ofs-delta\n", *(f"want {name}\n" for name in names)]
    lines += ["deepen 1\n"] if is_commit else []
    lines += ["filter blob:none\n"] if leaves_out_files else []
    head = packet("command=fetch\n") + packet(f"agent={AGENT}\n") + DELIMITER
    return head + b"".join(map(packet, [*lines, "done\n"])) + FLUSH


def read_pack(data: bytes) -> bytes:
    """Return the pack that answers a request for objects.

    Raises:
        GitUnreachable: there is none; tells what the server said instead.
    """
    pack = bytearray()
    for line, _ in read_packets(data):
        if line is None or line.rstrip(b"\n") in SECTIONS or line.startswith((b"shallow ", b"unshallow ", b"ACK ")):
            continue
        kind = line[0] if line else None
        if kind == FAILURE or line.startswith(b"ERR "):
            raise _broken(f"the server said: {_plain(line.removeprefix(b'ERR '))}")
        if kind == DATA:
            pack += line[1:]
        elif kind != PROGRESS:
            raise _broken("it is not a pack")
    if not pack:
        raise _broken("the server sent no pack")
    return bytes(pack)


def _plain(said: bytes) -> str:
    """Return what a server says as text that can be stored and shown."""
    return "".join(ch for ch in said.decode("utf-8", "replace") if ch.isprintable()).strip()[:300]


def _broken(why: str) -> GitUnreachable:
    return GitUnreachable(f"The repository's answer could not be read: {why}.")
