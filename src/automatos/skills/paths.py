"""Paths of files in a skill, however they come: relative, plain, inside, and what people see is what they are."""

import re
import unicodedata
from collections.abc import Iterable

MAX_CHARS = 500
MAX_NAME_BYTES = 255
MAX_DEPTH = 16
UNSEEN_KINDS = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
JOINERS = "\u200c\u200d\ufe0e\ufe0f"
"""Letters of some scripts, and pictures of several parts, are written with them."""
FILLERS = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5")
"""Letters by their kind, but blank."""
DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?:\..*)?", re.IGNORECASE | re.DOTALL)
ESCAPE = re.compile(r"%[0-9a-f]{2}", re.IGNORECASE)
HIDDEN_ESCAPE = re.compile(r"%(?:2[5ef]|5c|[01][0-9a-f]|7f|[89a-f][0-9a-f])", re.IGNORECASE)
"""An escaped slash, dot, percent sign, control character or piece of UTF-8; a blank (%20) hides nothing."""


def hostile_fault(path: str) -> str | None:
    """Return how a path tries to reach what is not its own; None for a path that stays inside.

    It is judged as it is written, and as it reads where full-width letters are narrow and percent signs escape.
    """
    read = _as_read(path)
    names = {*path.split("/"), *read.split("/")}
    faults = {
        "its path is absolute": path.startswith("/") or read.startswith("/") or path[1:2] == ":" or read[1:2] == ":",
        "its path has '..' in it and leads out of its folder": ".." in names,
        "it lies in a .git folder": any(name.lower() == ".git" for name in names),
    }
    return next((fault for fault, holds in faults.items() if holds), None)


def path_fault(path: str) -> str | None:
    """Return why a file of a skill may not lie there; None when it may."""
    names = path.split("/")
    faults = {
        f"its path has more than {MAX_CHARS} characters, or none": not 0 < len(path) <= MAX_CHARS,
        "its path has a backslash, a control character or a lone surrogate in it": not _is_plain(path),
        "its path has an empty part or '.' in it": "" in names or "." in names,
        f"its path is deeper than {MAX_DEPTH} folders or has a name over {MAX_NAME_BYTES} bytes":
            len(names) > MAX_DEPTH or any(len(name.encode("utf-8", "replace")) > MAX_NAME_BYTES for name in names),
    }
    return (hostile_fault(path) or next((fault for fault, holds in faults.items() if holds), None)
            or next((fault for name in names if (fault := _name_fault(name))), None))


def twins(paths: Iterable[str]) -> dict[str, str]:
    """Return the paths that a file system or the eye takes for an earlier one, each with that one."""
    seen: dict[str, str] = {}
    found: dict[str, str] = {}
    for path in paths:
        first = seen.setdefault(unicodedata.normalize("NFKC", path), path)
        if first != path:
            found[path] = first
    return found


def _name_fault(name: str) -> str | None:
    """Return what people cannot see about a name, or what their system would make of it."""
    if unseen := next((ch for ch in name if _is_unseen(ch)), None):
        return f"its name holds U+{ord(unseen):04X}, which people cannot see"
    if any(ch in JOINERS and not _joins(name, place) for place, ch in enumerate(name)):
        return "its name holds a joiner between letters that are not joined, which people cannot see"
    narrow = unicodedata.normalize("NFKC", name)
    faults = {
        "its name holds a look-alike of a slash": any(ch in narrow for ch in "/\\"),
        "its name has a percent escape in it, which some programs read as another character":
            HIDDEN_ESCAPE.search(narrow) is not None,
        "its name is a device's on Windows": DEVICE.fullmatch(narrow.rstrip(" .")) is not None,
        "its name begins or ends with a blank, or ends with a dot, which people cannot see":
            name.endswith((".", " ")) or name != name.lstrip(),
    }
    return next((fault for fault, holds in faults.items() if holds), None)


def _is_unseen(ch: str) -> bool:
    return ch in FILLERS or (ch not in JOINERS and (
        unicodedata.category(ch) in UNSEEN_KINDS or (unicodedata.category(ch) == "Zs" and ch != " ")))


def _joins(name: str, place: int) -> bool:
    """Say whether a joiner stands behind a letter of a script that has joiners, or a picture."""
    before = name[place - 1] if place else "a"
    return before in JOINERS or (ord(before) > 0x5ff and not unicodedata.category(before).startswith("Z"))


def _as_read(path: str) -> str:
    """Return a path as programs may read it that widen, narrow or unescape; surrogates stay as they are."""
    read = unicodedata.normalize("NFKC", path)
    for _ in range(2):
        read = ESCAPE.sub(lambda found: chr(int(found[0][1:], 16)), read)
    return "".join(ch for ch in read.replace("\\", "/") if unicodedata.category(ch) not in {"Cf", "Cc"})


def _is_plain(path: str) -> bool:
    return not any(ch == "\\" or ord(ch) < 32 or ord(ch) == 127 or "\ud800" <= ch <= "\udfff" for ch in path)
