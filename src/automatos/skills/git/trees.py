"""The files of one commit, as far as they belong to skills; what cannot be read, or leads elsewhere, is left out."""

import posixpath
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field

from automatos.skills.errors import GitRefused
from automatos.skills.git.packs import BLOB, COMMIT, TAG, TREE, Stored
from automatos.skills.package import MAX_FILE_BYTES, is_main, owner_of
from automatos.skills.paths import path_fault

FOLDER, LINK, SUBMODULE = 0o040000, 0o120000, 0o160000
FILES = frozenset({0o100644, 0o100755, 0o100664})
MAX_ENTRIES = 100_000
MAX_DEPTH = 24
MAX_LINK_BYTES = 500
MAX_LINKS = 8
MAX_TAGS = 4
MAX_SKILL_BYTES = 80 * 1024 * 1024
SHA_BYTES = 20


@dataclass(frozen=True, slots=True)
class _Entry:
    """One name in the commit: what kind of thing it is, and the object behind it."""

    mode: int
    name: str


@dataclass(slots=True)
class Listing:
    """What a commit holds by path, besides folders, and which of its folders are skills; `faults` are odd names."""

    entries: dict[str, _Entry] = field(default_factory=dict[str, _Entry])
    skills: set[str] = field(default_factory=set[str])
    faults: dict[str, str] = field(default_factory=dict[str, str])

    def of_skills(self) -> Iterator[tuple[str, _Entry]]:
        """Yield what lies in the folders of skills."""
        for path, entry in self.entries.items():
            if owner_of(path, self.skills) is not None:
                yield path, entry


def list_commit(objects: Mapping[str, Stored], commit: str, folder: str = "") -> Listing:
    """Return what a commit holds; skills are looked for below `folder`.

    Raises:
        GitRefused: the commit is damaged or too large, or has no such folder.
    """
    found = Listing()
    _walk(objects, _tree_of(objects, commit), found)
    inside = f"{folder}/" if folder else ""
    found.skills = {posixpath.dirname(path) for path in found.entries
                    if is_main(posixpath.basename(path)) and path.startswith(inside)}
    if folder and not any(path.startswith(inside) for path in found.entries):
        raise GitRefused(f"git_folder: the repository has no folder {folder[:200]!r} at this commit.",
                         field="git_folder")
    return found


def wanted_files(objects: Mapping[str, Stored], listing: Listing) -> set[str]:
    """Return the names of the objects that are still needed to read the skills; what links point to comes last."""
    wanted: set[str] = set()
    for path, entry in listing.of_skills():
        if entry.mode in FILES or (entry.mode == LINK and entry.name not in objects):
            wanted.add(entry.name)
        elif entry.mode == LINK:
            target, _ = _target(objects, listing, path)
            wanted |= {target.name} if target else set()
    return wanted - set(objects)


def skill_files(
    objects: Mapping[str, Stored], listing: Listing, large: Set[str] = frozenset()
) -> tuple[dict[str, bytes], dict[str, str]]:
    """Return the files in every folder with a SKILL.md by path, and why others of them were left out.

    A link is read as the file of the repository that it points to. `large` are files known to be too large.

    Raises:
        GitRefused: the files are too large together.
    """
    found: dict[str, bytes] = {}
    left_out = {path: why for path, why in listing.faults.items() if owner_of(path, listing.skills) is not None}
    left = MAX_SKILL_BYTES  # the same object may come in many places, and is stored in each
    for path, entry in listing.of_skills():
        content, why = _content(objects, listing, path, entry, large)
        if content is None:
            left_out[path] = why
            continue
        found[path] = content
        left -= len(content)
        if left < 0:
            raise GitRefused(f"The files of its skills are larger than {MAX_SKILL_BYTES} bytes together. Take one "
                             "folder of it.")
    return found, left_out


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


def _walk(objects: Mapping[str, Stored], root: str, found: Listing) -> None:
    """List what the commit holds besides folders; counts, so that folders holding each other's likes end."""
    waiting, seen = [("", root)], 0
    while waiting:
        folder, name = waiting.pop()
        tree = objects.get(name)
        if tree is None or tree.kind != TREE:
            raise GitRefused(f"The repository did not send the folder {folder[:200]!r}.")
        for mode, part, inner in _read_tree(tree.data):
            seen += 1
            if seen > MAX_ENTRIES:
                raise GitRefused(f"The repository holds more than {MAX_ENTRIES} files.")
            path = f"{folder}/{part}" if folder else part
            if fault := _name_fault(part) or ((folder.count("/") >= MAX_DEPTH and "it lies too deep") or None):
                found.faults[path] = fault
            elif mode == FOLDER:
                waiting.append((path, inner))
            else:
                found.entries[path] = _Entry(mode, inner)


def _name_fault(part: str) -> str | None:
    if "/" in part:
        return "it has a slash in it"
    if "\ufffd" in part:
        return "its name is not UTF-8"
    return path_fault(part)


def _read_tree(data: bytes) -> Iterator[tuple[int, str, str]]:
    place = 0
    while place < len(data):
        space, end = data.find(b" ", place), data.find(b"\0", place)
        if not place < space < end or end + SHA_BYTES >= len(data):
            raise GitRefused("The repository holds a damaged folder.")
        try:
            mode = int(data[place:space], 8)
        except ValueError as error:
            raise GitRefused("The repository holds a damaged folder.") from error
        part = data[space + 1:end].decode("utf-8", "replace")
        yield mode, part, data[end + 1:end + 1 + SHA_BYTES].hex()
        place = end + 1 + SHA_BYTES


def _content(
    objects: Mapping[str, Stored], listing: Listing, path: str, entry: _Entry, large: Set[str]
) -> tuple[bytes | None, str]:
    """Return what is in a file, or None and the reason."""
    if entry.mode == SUBMODULE:
        return None, "it is a submodule, that is another repository, which is not read"
    if entry.mode == LINK:
        target, why = _target(objects, listing, path)
        if target is None:
            return None, why
        entry = target
    if entry.mode not in FILES:
        return None, "it is neither a file nor a folder"
    found = objects.get(entry.name)
    if found is None or found.kind != BLOB:
        return None, f"it is larger than {MAX_FILE_BYTES} bytes" if large else "the repository did not send it"
    return found.data, ""


def _target(objects: Mapping[str, Stored], listing: Listing, path: str) -> tuple[_Entry | None, str]:
    """Return the file of the repository that a link leads to, over other links too; or None and the reason."""
    for _ in range(MAX_LINKS):
        found = objects.get(listing.entries[path].name)
        if found is None or found.kind != BLOB:
            return None, "the repository did not send it"
        to = found.data[:MAX_LINK_BYTES + 1].decode("utf-8", "replace")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(path), to))
        if len(found.data) > MAX_LINK_BYTES or to.startswith("/") or path == ".." or path.startswith("../"):
            return None, f"it is a link that leads out of the repository, to {to[:200]!r}"
        target = listing.entries.get(path)
        if target is None or target.mode not in FILES | {LINK}:
            return None, f"it is a link to {to[:200]!r}, which is not a file"
        if target.mode in FILES:
            return target, ""
    return None, f"it is a link that goes on over more than {MAX_LINKS} others"
