"""The lines of git's protocol: a length in four hex digits, then the line; 0000 ends a part."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from automatos.skills.errors import GitUnreachable

FLUSH = b"0000"
SHA = 40
DATA, PROGRESS, FAILURE = 1, 2, 3
CAPABILITIES = "side-band-64k ofs-delta thin-pack shallow no-progress agent=automatos"
ANY_COMMIT = frozenset({"allow-tip-sha1-in-want", "allow-reachable-sha1-in-want", "allow-any-sha1-in-want"})


@dataclass(slots=True)
class Advertised:
    """What a repository says it has: objects by the names of its branches and tags, and what its server can do."""

    refs: dict[str, str] = field(default_factory=dict[str, str])
    capabilities: frozenset[str] = frozenset()

    def end_of(self, branch: str | None) -> str | None:
        """Return the commit a branch is at, or the object a tag is; without a name, the default branch's."""
        if branch is None:
            return self.refs.get("HEAD")
        names = (f"refs/heads/{branch}", f"refs/tags/{branch}")
        return next((self.refs[name] for name in names if name in self.refs), None)

    def gives(self, commit: str) -> bool:
        """Whether the server hands out a commit: the end of a branch, or any where it says so."""
        return commit in self.refs.values() or bool(self.capabilities & ANY_COMMIT)


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
        if length == 0:
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
    lines = [line for line, _ in read_packets(data) if line is not None]
    if not lines or lines[0].rstrip(b"\n") != b"# service=git-upload-pack":
        raise _broken("it is not the answer of git-upload-pack")
    for line in lines[1:]:
        told, _, capabilities = line.rstrip(b"\n").partition(b"\0")
        commit, _, name = told.decode("utf-8", "replace").partition(" ")
        if capabilities:
            found.capabilities = frozenset(capabilities.decode("utf-8", "replace").split())
        if len(commit) == SHA and name and name != "capabilities^{}":
            found.refs[name] = commit
    if "object-format=sha256" in found.capabilities:
        raise _broken("the repository names its objects by SHA-256, which is not read here")
    return found


def ask_for(commit: str) -> bytes:
    """Return the request for one commit and nothing before it."""
    return packet(f"want {commit} {CAPABILITIES}\n") + packet("deepen 1\n") + FLUSH + packet("done\n")


def read_pack(data: bytes) -> bytes:
    """Return the pack that answers `ask_for`; raises GitUnreachable with what the server said when there is none."""
    pack = bytearray()
    for line, _ in read_packets(data):
        if line is None or line.startswith((b"shallow ", b"unshallow ", b"NAK", b"ACK ")):
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
