"""Folders of skills on this machine: their files, checked by the server's own rules, or packed for it."""

import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from automatos.cli.console import CommandFailed
from automatos.cli.machine import on_machine

MAX_BYTES = 64 * 1024 * 1024
MAX_BESIDE = 1024 * 1024
LEFT_OUT = frozenset({"__pycache__", "node_modules"})


def read_folder(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder by path, hidden ones and links left out; a skill's own folder keeps its name.

    Raises:
        CommandFailed: it cannot be read, or is larger than a server takes.
    """
    root = folder.resolve()
    top = root.parent if (root / "SKILL.md").is_file() or (root / "skill.md").is_file() else root
    files, size = dict[str, bytes](), 0
    try:
        for place, folders, names in os.walk(root):
            folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in LEFT_OUT)
            for path in (Path(place, name) for name in sorted(names) if not name.startswith(".")):
                if path.is_symlink() or not path.is_file():
                    continue
                size += path.stat().st_size
                if size > MAX_BYTES:
                    raise CommandFailed(f"{folder} holds more than {MAX_BYTES // 1024 // 1024} MB; the right one?")
                files[path.relative_to(top).as_posix()] = path.read_bytes()
    except OSError as error:
        raise CommandFailed(f"{error.filename} cannot be read: {error.strerror}") from error
    return files


def check_folder(folder: Path) -> list[dict[str, Any]]:
    """Return every skill of a folder with the verdict on it; raises CommandFailed when there is none."""

    found: list[dict[str, Any]] = on_machine("check_skills", files=read_folder(folder))
    if not found:
        raise CommandFailed(f"there is no SKILL.md in {folder}", "a skill is a folder with a SKILL.md in it")
    return found


def check_collection(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the verdict on every skill anywhere below a folder, hidden ones too, reading one skill at a time."""

    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in {".git", *LEFT_OUT})
        if any(map(_is_main, names)):
            root = Path(place)
            files = {name: path.read_bytes() for name in names
                     if (path := root / name).is_file() and (_is_main(name) or path.stat().st_size < MAX_BESIDE)}
            where = "" if root == folder else root.relative_to(folder).as_posix()
            yield on_machine("check_skill", folder=where, files=files)


def _is_main(name: str) -> bool:
    return name.lower() == "skill.md"


def packed(path: Path) -> bytes:
    """Return a ZIP file as it is, or a folder as one."""
    if path.is_file():
        try:
            return path.read_bytes()
        except OSError as error:
            raise CommandFailed(f"{path} cannot be read: {error.strerror}") from error
    if not path.is_dir():
        raise CommandFailed(f"{path} does not exist")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in read_folder(path).items():
            file.writestr(name, content)
    return archive.getvalue()
