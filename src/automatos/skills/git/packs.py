"""Git's packs, read in memory under limits: sizes are judged before anything is unpacked.

A file that is larger than skills may have is unpacked piece by piece and forgotten: it belongs to somebody else.
"""

import hashlib
import zlib
from dataclasses import dataclass
from typing import Final

from automatos.skills.errors import GitRefused
from automatos.skills.package import MAX_FILE_BYTES

COMMIT, TREE, BLOB, TAG, OFFSET_DELTA, NAME_DELTA = 1, 2, 3, 4, 6, 7
WORDS: Final = {COMMIT: b"commit", TREE: b"tree", BLOB: b"blob", TAG: b"tag"}
MAX_OBJECTS = 150_000
MAX_OBJECT_BYTES = 10 * 1024 * 1024
MAX_UNPACKED_BYTES = 160 * 1024 * 1024
MAX_FORGOTTEN_BYTES = 512 * 1024 * 1024
MAX_PASSES = 64
FREE_CHANGES, CHANGES_PER_KIB = 20_000, 64
"""A change of few bytes costs as much work as one of many: how many a pack may hold for each KiB they make."""
MAX_SHIFT = 56
PIECE_BYTES = 8192
NAME_BYTES = 20


@dataclass(frozen=True, slots=True)
class Stored:
    """One object: its kind and its bytes."""

    kind: int
    data: bytes


@dataclass(frozen=True, slots=True)
class _Delta:
    """An object told as changes to another, by its place in the pack or its name."""

    base: int | str
    changes: bytes


def name_object(kind: int, data: bytes) -> str:
    """Return the name git gives an object."""
    return hashlib.sha1(b"%s %d\0" % (WORDS[kind], len(data)) + data, usedforsecurity=False).hexdigest()


def unpack(pack: bytes, large: set[str] | None = None) -> dict[str, Stored]:
    """Return the objects of a pack by their names, without the files that are larger than a skill's may be.

    `large` takes what is known of those: their names, or where they lie in the pack.

    Raises:
        GitRefused: it is damaged, or unpacks to more than is read.
    """
    return _Pack(pack, set() if large is None else large).read()


class _Pack:
    """One pack while it is read: where we are, how much may still be unpacked, what was found."""

    def __init__(self, pack: bytes, large: set[str]) -> None:
        self._pack = pack
        self._large = large
        self._forgotten: set[int | str] = set()
        self._forgettable = MAX_FORGOTTEN_BYTES
        self._place = 12
        self._end = len(pack) - NAME_BYTES
        self._left = MAX_UNPACKED_BYTES
        self._changes_left = FREE_CHANGES
        self._whole: dict[int, Stored] = {}
        self._named: dict[str, Stored] = {}
        self._deltas: dict[int, _Delta] = {}

    def read(self) -> dict[str, Stored]:
        pack = self._pack
        version, count = int.from_bytes(pack[4:8], "big"), int.from_bytes(pack[8:12], "big")
        if pack[:4] != b"PACK" or version not in {2, 3} or self._end < self._place:
            raise _refused("is not a pack")
        if hashlib.sha1(pack[:self._end], usedforsecurity=False).digest() != pack[self._end:]:
            raise _refused("arrived damaged")
        if count > MAX_OBJECTS:
            raise _refused(f"holds {count} objects; {MAX_OBJECTS} are read")
        for _ in range(count):
            self._read_object()
        for _ in range(MAX_PASSES):
            if not self._deltas:
                return self._named
            self._apply_deltas()
        raise _refused("builds its objects on too many others")

    def _read_object(self) -> None:
        start = self._place
        kind, size = self._header()
        if kind == BLOB and size > MAX_FILE_BYTES:
            self._forget(start, self._skip(size))
        elif kind in WORDS:
            self._keep(start, Stored(kind, self._inflate(size)))
        elif kind == OFFSET_DELTA:
            self._deltas[start] = _Delta(start - self._offset(), self._inflate(size))
        elif kind == NAME_DELTA:
            base = self._pack[self._place:self._place + NAME_BYTES].hex()
            self._place += NAME_BYTES
            self._deltas[start] = _Delta(base, self._inflate(size))
        else:
            raise _refused("holds an object of an unknown kind")

    def _keep(self, place: int, found: Stored) -> None:
        self._whole[place] = found
        self._named[name_object(found.kind, found.data)] = found

    def _forget(self, place: int, name: str) -> None:
        """Remember of an object that it was there: nothing can be built on it."""
        self._forgotten |= {place, name}
        self._large.add(name)

    def _apply_deltas(self) -> None:
        """Build every object whose base is known by now; servers send bases first, so one pass is the rule."""
        before = len(self._deltas)
        for place, delta in list(self._deltas.items()):
            if delta.base in self._forgotten:
                self._forget(place, f"at {place}")
                del self._deltas[place]
                continue
            base = self._whole.get(delta.base) if isinstance(delta.base, int) else self._named.get(delta.base)
            if base is not None:
                self._build(place, base, delta.changes)
                del self._deltas[place]
        if len(self._deltas) == before:
            raise _refused("builds on an object that it does not hold")

    def _build(self, place: int, base: Stored, changes: bytes) -> None:
        size, _ = _size_at(changes, _size_at(changes, 0)[1])
        if base.kind == BLOB and size > MAX_FILE_BYTES:
            self._forget(place, f"at {place}")
        else:
            self._keep(place, Stored(base.kind, self._changed(base.data, changes)))

    def _changed(self, base: bytes, changes: bytes) -> bytes:
        """Apply changes, each of which copies a piece of the base or adds bytes of its own."""
        base_size, place = _size_at(changes, 0)
        size, place = _size_at(changes, place)
        if base_size != len(base):
            raise _refused("holds changes to something else")
        self._spend(size)
        self._changes_left += size * CHANGES_PER_KIB // 1024
        made = bytearray()
        while place < len(changes):
            piece, place = _piece_at(changes, place, base)
            made += piece
            self._changes_left -= 1
            if len(made) > size:
                break
            if self._changes_left < 0:
                raise _refused("is cut into too many pieces to be put together")
        if len(made) != size:
            raise _refused("holds an object that is not as long as it states")
        return bytes(made)

    def _byte(self) -> int:
        if self._place >= self._end:
            raise _refused("ends too early")
        self._place += 1
        return self._pack[self._place - 1]

    def _header(self) -> tuple[int, int]:
        byte = self._byte()
        kind, size, shift = byte >> 4 & 7, byte & 15, 4
        while byte & 128:
            byte = self._byte()
            size |= (byte & 127) << shift
            shift += 7
            if shift > MAX_SHIFT:
                raise _refused("states an impossible size")
        return kind, size

    def _offset(self) -> int:
        byte = self._byte()
        offset = byte & 127
        while byte & 128:
            byte = self._byte()
            offset = (offset + 1 << 7) | (byte & 127)
            if offset > len(self._pack):
                raise _refused("points outside of itself")
        return offset

    def _spend(self, size: int) -> None:
        if size > MAX_OBJECT_BYTES:
            raise GitRefused(f"The repository holds a file or folder of {size} bytes; {MAX_OBJECT_BYTES} are read.")
        self._left -= size
        if self._left < 0:
            raise GitRefused(f"The repository is larger than {MAX_UNPACKED_BYTES} bytes when it is unpacked.")

    def _skip(self, size: int) -> str:
        """Unpack a file only to see where it ends and what it is called."""
        self._forgettable -= size
        if self._forgettable < 0:
            raise GitRefused(f"The repository holds more than {MAX_FORGOTTEN_BYTES} bytes in large files, and its "
                             "server cannot leave them out.")
        unpacker, done, place = zlib.decompressobj(), 0, self._place
        digest = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
        while not unpacker.eof:
            packed = unpacker.unconsumed_tail or self._pack[place:min(place + PIECE_BYTES, self._end)]
            place += 0 if unpacker.unconsumed_tail else len(packed)
            try:
                piece = unpacker.decompress(packed, 8 * PIECE_BYTES)
            except zlib.error as error:
                raise _refused("holds data that cannot be unpacked") from error
            done += len(piece)
            digest.update(piece)
            if done > size or not packed:
                raise _refused("holds an object that is not as long as it states")
        if done != size:
            raise _refused("holds an object that is not as long as it states")
        self._place = place - len(unpacker.unused_data)
        return digest.hexdigest()

    def _inflate(self, size: int) -> bytes:
        """Unpack what is stated and no more, so that a small lie cannot become a large answer."""
        self._spend(size)
        unpacker, data, place = zlib.decompressobj(), bytearray(), self._place
        while not unpacker.eof:
            piece = self._pack[place:min(place + PIECE_BYTES, self._end)]
            try:
                data += unpacker.decompress(piece, size + 1 - len(data))
            except zlib.error as error:
                raise _refused("holds data that cannot be unpacked") from error
            if not piece or len(data) > size:
                raise _refused("holds an object that is not as long as it states")
            place += len(piece) - len(unpacker.unused_data)
        if len(data) != size:
            raise _refused("holds an object that is not as long as it states")
        self._place = place
        return bytes(data)


def _size_at(changes: bytes, place: int) -> tuple[int, int]:
    size = shift = 0
    while place < len(changes) and shift <= MAX_SHIFT:
        byte = changes[place]
        place += 1
        size |= (byte & 127) << shift
        shift += 7
        if not byte & 128:
            return size, place
    raise _refused("holds changes that end too early")


def _piece_at(changes: bytes, place: int, base: bytes) -> tuple[bytes, int]:
    """Return the bytes of one change and where the next begins."""
    order = changes[place]
    place += 1
    if not order & 128:
        if not order or place + order > len(changes):
            raise _refused("holds changes that end too early, or make no sense")
        return changes[place:place + order], place + order
    numbers = [0] * 7
    for bit in range(7):
        if order & 1 << bit:
            if place >= len(changes):
                raise _refused("holds changes that end too early")
            numbers[bit] = changes[place]
            place += 1
    start = int.from_bytes(bytes(numbers[:4]), "little")
    length = int.from_bytes(bytes(numbers[4:]), "little") or 0x10000
    if start + length > len(base):
        raise _refused("copies from outside of an object")
    return base[start:start + length], place


def _refused(why: str) -> GitRefused:
    return GitRefused(f"The repository's pack {why}.")
