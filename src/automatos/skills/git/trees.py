"""The files of one commit, as far as they belong to skills; whatever could lead elsewhere is refused."""

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from automatos.skills.errors import GitRefused
from automatos.skills.git.packs import BLOB, COMMIT, MAX_UNPACKED_BYTES, TAG, TREE, Stored
from automatos.skills.package import MAIN_FILES
from automatos.skills.paths import path_fault

FOLDER, LINK, SUBMODULE = 0o040000, 0o120000, 0o160000
FILES = frozenset({0o100644, 0o100755, 0o100664})
MAX_ENTRIES = 20_000
MAX_DEPTH = 24
MAX_LINK_BYTES = 500
MAX_TAGS = 4
SHA_BYTES = 20
LARGE_FILE_POINTER = b"version https://git-lfs.github.com/spec/"
LARGE_FILE_POINTER_BYTES = 1024


@dataclass(frozen=True, slots=True)
class _Entry:
    """One name in the commit: its path, what kind of thing it is, and the object behind it."""

    path: str
    mode: int
    name: str


def skill_files(objects: Mapping[str, Stored], commit: str) -> dict[str, bytes]:
    """Return the files in every folder with a SKILL.md, by path; a link is read as the file it points to.

    Raises:
        GitRefused: such a folder holds a submodule, a link that leads out of it, or a file kept elsewhere (Git LFS); or
            the commit is damaged or too large.
    """
    entries = {entry.path: entry for entry in _walk(objects, _tree_of(objects, commit))}
    folders = {posixpath.dirname(path) for path in entries if posixpath.basename(path) in MAIN_FILES}
    found: dict[str, bytes] = {}
    left = MAX_UNPACKED_BYTES  # the same object may come in many places, and is stored in each
    for path, entry in entries.items():
        folder = _skill_of(path, folders)
        if folder is not None:
            found[path] = _content(objects, entries, entry, folder)
            left -= len(found[path])
            if left < 0:
                raise GitRefused(f"The files of its skills are larger than {MAX_UNPACKED_BYTES} bytes together.")
    return found


def commit_behind(objects: Mapping[str, Stored], name: str) -> str:
    """Return the commit that an object is, or that a tag names; raises GitRefused when there is none."""
    for _ in range(MAX_TAGS):
        found = objects.get(name)
        if found is None or found.kind != TAG or not found.data.startswith(b"object "):
            break
        name = found.data[7:47].decode("ascii", "replace")
    _tree_of(objects, name)
    return name


def _tree_of(objects: Mapping[str, Stored], commit: str) -> str:
    found = objects.get(commit)
    if found is None or found.kind != COMMIT or not found.data.startswith(b"tree "):
        raise GitRefused("The repository did not send the commit that was asked for.")
    return found.data[5:45].decode("ascii", "replace")


def _walk(objects: Mapping[str, Stored], root: str) -> Iterator[_Entry]:
    """Yield what the commit holds besides folders; counts, so that folders holding each other's likes end."""
    waiting, seen = [("", root)], 0
    while waiting:
        folder, name = waiting.pop()
        tree = objects.get(name)
        if tree is None or tree.kind != TREE:
            raise GitRefused(f"The repository did not send the folder {folder[:200]!r}.")
        for mode, part, inner in _read_tree(tree.data):
            seen += 1
            if seen > MAX_ENTRIES or folder.count("/") >= MAX_DEPTH:
                raise GitRefused(f"The repository holds more than {MAX_ENTRIES} files, or folders deeper than "
                                 f"{MAX_DEPTH}.")
            path = f"{folder}/{part}" if folder else part
            if mode == FOLDER:
                waiting.append((path, inner))
            else:
                yield _Entry(path, mode, inner)


def _read_tree(data: bytes) -> Iterator[tuple[int, str, str]]:
    place = 0
    while place < len(data):
        space, end = data.find(b" ", place), data.find(b"\0", place)
        if not place < space < end or end + SHA_BYTES >= len(data):
            raise GitRefused("The repository holds a damaged folder.")
        try:
            mode, part = int(data[place:space], 8), data[space + 1:end].decode("utf-8")
        except ValueError as error:
            raise GitRefused("The repository holds a name that is not UTF-8, or a damaged folder.") from error
        if fault := "it has a slash in it" if "/" in part else path_fault(part):
            raise GitRefused(f"The repository holds the name {part[:200]!r}, which was refused: {fault}.")
        yield mode, part, data[end + 1:end + 1 + SHA_BYTES].hex()
        place = end + 1 + SHA_BYTES


def _skill_of(path: str, folders: set[str]) -> str | None:
    """Return the innermost skill's folder a path lies in."""
    folder = posixpath.dirname(path)
    while folder not in folders:
        if not folder:
            return None
        folder = posixpath.dirname(folder)
    return folder


def _content(objects: Mapping[str, Stored], entries: Mapping[str, _Entry], entry: _Entry, folder: str) -> bytes:
    if entry.mode == SUBMODULE:
        raise GitRefused(f"{entry.path[:200]!r} is a submodule, that is another repository, which is not read.")
    if entry.mode == LINK:
        entry = _target(objects, entries, entry, folder)
    if entry.mode not in FILES:
        raise GitRefused(f"{entry.path[:200]!r} is neither a file nor a folder.")
    data = _blob(objects, entry)
    if len(data) < LARGE_FILE_POINTER_BYTES and data.startswith(LARGE_FILE_POINTER):
        raise GitRefused(f"{entry.path[:200]!r} is kept outside of the repository (Git LFS), so it cannot be read.")
    return data


def _target(objects: Mapping[str, Stored], entries: Mapping[str, _Entry], link: _Entry, folder: str) -> _Entry:
    data = _blob(objects, link)
    to = data[:MAX_LINK_BYTES + 1].decode("utf-8", "replace")
    path = posixpath.normpath(posixpath.join(posixpath.dirname(link.path), to))
    inside = path.startswith(f"{folder}/") if folder else not path.startswith(("../", "/")) and path != ".."
    if len(data) > MAX_LINK_BYTES or to.startswith("/") or not inside:
        raise GitRefused(f"{link.path[:200]!r} is a link that leads out of its skill, to {to[:200]!r}.")
    target = entries.get(path)
    if target is None or target.mode not in FILES:
        raise GitRefused(f"{link.path[:200]!r} is a link to {to[:200]!r}, which is not a file.")
    return target


def _blob(objects: Mapping[str, Stored], entry: _Entry) -> bytes:
    found = objects.get(entry.name)
    if found is None or found.kind != BLOB:
        raise GitRefused(f"The repository did not send the file {entry.path[:200]!r}.")
    return found.data
