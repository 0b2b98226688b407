"""Inputs of about n bytes for those who take other people's bytes, and who takes them."""

import io
import struct
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha1
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile


@dataclass(frozen=True)
class Taker:
    """A function and an input of about n bytes; `read` calls it, and what it refuses is read as well."""

    name: str
    taken: Callable[..., object]
    read: Callable[[Any], object]
    make: Callable[[int], Any]


def repeated(unit: str, before: str = "", after: str = "") -> Callable[[int], bytes]:
    return lambda n: (before + unit * (n // len(unit)) + after).encode()


def numbered(unit: str) -> Callable[[int], bytes]:
    return lambda n: "".join(unit.format(number) for number in range(n // (len(unit) + 4))).encode()


def number(value: int) -> bytes:
    """Return a size as git's deltas write it."""
    written = bytearray()
    while value > 127:
        written.append(value & 127 | 128)
        value >>= 7
    return bytes([*written, value])


def entry(kind: int, data: bytes, before: bytes = b"") -> bytes:
    size, head = len(data) >> 4, bytearray([kind << 4 | len(data) & 15])
    while size:
        head[-1] |= 128
        head.append(size & 127)
        size >>= 7
    return bytes(head) + before + zlib.compress(data)


def pack(entries: Iterable[bytes]) -> bytes:
    listed = list(entries)
    whole = b"PACK" + struct.pack(">II", 2, len(listed)) + b"".join(listed)
    return whole + sha1(whole, usedforsecurity=False).digest()


def pack_of_small_copies(n: int) -> bytes:
    base = b"x" * 1000
    first = entry(3, base)
    changes = number(len(base)) + number(n) + b"\x91\x00\x01" * n
    return pack([first, entry(6, changes, bytes([len(first)]))]) if len(first) < 128 else b""


def pack_of_a_chain(n: int) -> bytes:
    parts, base = [entry(3, b"x" * 50)], b"x" * 50
    for _ in range(min(n // 40, 20_000)):
        parts.append(entry(6, number(50) + number(50) + b"\x90\x32", bytes([len(parts[-1])])))
    del base
    return pack(parts)


def packets(lines: Iterable[bytes]) -> bytes:
    return b"".join(b"%04x" % (len(line) + 4) + line for line in lines) + b"0000"


def archive(files: Iterable[tuple[str, bytes]]) -> bytes:
    written = io.BytesIO()
    with ZipFile(written, "w", ZIP_DEFLATED) as made:
        for path, content in files:
            made.writestr(path, content)
    return written.getvalue()


def many_skills(n: int) -> dict[str, bytes]:
    one = b"---\nname: a\ndescription: b\n---\nbody\n"
    return {f"s{place}/SKILL.md": one for place in range(min(n // 500, 2_000))}
