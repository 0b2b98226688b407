"""How much the folder of an execution may hold, and how it is measured."""

import os
from pathlib import Path

from automatos.tools.errors import ToolRefused

MAX_BYTES = 256 * 1024**2
"""What an execution's files may take, all together."""
ENTRY_BYTES = 4096
"""What each file and folder takes at least, so that empty ones cannot be without number."""
MAX_DEPTH = 64
LOOKS_EVERY_S = 0.1


def measure(folder: Path) -> int:
    """Return what a folder takes on the disk; beyond the quota, or deeper than 64 folders, only that it is too much."""
    total, waiting = 0, [(str(folder), 0)]
    while waiting:
        place, depth = waiting.pop()
        total += _read(place, depth, waiting, MAX_BYTES - total)
        if depth > MAX_DEPTH or total > MAX_BYTES:
            return MAX_BYTES + 1
    return total


def full(held: int, most: int) -> ToolRefused:
    """Return what the model is told when there is no room."""
    if most < MAX_BYTES:
        return ToolRefused("files_full", f"This execution's folder may hold {_mb(most)} MB now, because other "
                           "executions of the workspace that are at work hold the rest. Delete what is not needed with "
                           "the shell (rm), or write less; there is room again when they end.")
    return ToolRefused("files_full", f"The execution's folder may hold {_mb(MAX_BYTES)} MB and holds "
                       f"{'more' if held > MAX_BYTES else f'{_mb(held)} MB'}. Delete what is not needed with the shell "
                       "(rm), then write again.")


def _mb(size: int) -> str:
    return f"{size / 1024**2:.1f}".removesuffix(".0")


def _read(place: str, depth: int, waiting: list[tuple[str, int]], enough: int) -> int:
    """Return what the entries of one folder take, noting its folders as still to be read; stops when it is enough."""
    total = 0
    try:
        with os.scandir(place) as found:
            for entry in found:
                total += max(_size(entry), ENTRY_BYTES)
                if entry.is_dir(follow_symlinks=False):
                    waiting.append((entry.path, depth + 1))
                if total > enough:
                    break
    except OSError:  # gone meanwhile: whoever works there goes on working
        pass
    return total


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_blocks * 512
    except OSError:
        return 0
