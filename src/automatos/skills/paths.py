"""Paths of files in a skill, however they come: relative, plain, inside."""

MAX_CHARS = 500
MAX_NAME_BYTES = 255
MAX_DEPTH = 16


def hostile_fault(path: str) -> str | None:
    """Return how a path tries to reach what is not its own; None for a path that stays inside."""
    names = path.split("/")
    faults = {
        "its path is absolute": path.startswith("/") or path[1:2] == ":",
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
    return hostile_fault(path) or next((fault for fault, holds in faults.items() if holds), None)


def _is_plain(path: str) -> bool:
    return not any(ch == "\\" or ord(ch) < 32 or ord(ch) == 127 or "\ud800" <= ch <= "\udfff" for ch in path)
