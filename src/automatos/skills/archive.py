"""ZIP files as people make them, read in memory under limits; what tries to reach out of its folder is refused."""

import contextlib
import io
import posixpath
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from automatos.kernel.confined import comes_back
from automatos.skills.errors import ArchiveRefused
from automatos.skills.package import MAX_FILE_BYTES, is_main, owner_of
from automatos.skills.paths import hostile_fault, path_fault

MAX_ENTRIES = 20_000
MAX_UNPACKED_BYTES = 80 * 1024 * 1024
MAX_LINK_BYTES = 500
ENTRY_MARK, END_MARK = b"PK\x01\x02", b"PK\x05\x06"
ENTRY_BYTES = 46
METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
ENCRYPTED, UTF8 = 0x1, 0x800
PLAIN_KINDS = frozenset({0, stat.S_IFREG})
NOISE_FOLDER = "__MACOSX"
NOISE_NAMES = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
NESTED = (".zip", ".skill", ".tar", ".tar.gz", ".tgz", ".7z", ".rar")


@comes_back
@dataclass(frozen=True, slots=True)
class Archive:
    """The files of an archive's skills by path; `left_out` says of others why the skills go without them."""

    files: Mapping[str, bytes]
    left_out: Mapping[str, str] = field(default_factory=dict[str, str])


def read_archive(content: bytes) -> Archive:
    """Return the files in every folder with a SKILL.md; what operating systems add by themselves is left out.

    Raises:
        ArchiveRefused: it is no ZIP, makes too many bytes, is encrypted, or holds a path or link that
            leads out of it; nothing of it is returned.
    """
    _bound_entries(content)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _Reader(archive).read()
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, OSError, RuntimeError,
            ValueError) as error:
        raise ArchiveRefused("The archive is not a ZIP file, or it is damaged.") from error


def _bound_entries(content: bytes) -> None:
    """Count the entries before a library makes an object of each; an archive inside the archive does not count."""
    end = content.rfind(END_MARK)
    size = int.from_bytes(content[end + 12:end + 16], "little") if end >= 0 else len(content)
    start = max(0, end - size) if 0 <= size <= end else 0
    if content.count(ENTRY_MARK, start) > MAX_ENTRIES:
        raise ArchiveRefused(f"The archive has more than {MAX_ENTRIES} entries.")


class _Reader:
    """One archive while it is read: its entries by the path that counts."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._entries: dict[str, zipfile.ZipInfo] = {}
        self._left_out: dict[str, str] = {}
        self._left = MAX_UNPACKED_BYTES

    def read(self) -> Archive:
        for entry in self._archive.infolist():
            path = _path_of(entry)
            if path.endswith("/") or _is_noise(path):
                continue
            if fault := self._hostile(path, entry):
                raise ArchiveRefused(f"The archive was refused for {entry.orig_filename[:200]!r}: {fault}.")
            self._entries[path] = entry
        targets = {path: self._target(path, entry) for path, entry in self._entries.items() if _is_link(entry)}
        folders = {posixpath.dirname(path) for path in self._entries if is_main(posixpath.basename(path))}
        files: dict[str, bytes] = {}
        for path, entry in self._entries.items():
            if owner_of(path, folders) is None:
                self._note_nested(path)
            elif path in targets and targets[path] is None:
                self._left_out[path] = "it is a link to something that is no file of the archive"
            elif fault := path_fault(path) or self._too_large(targets.get(path) or entry):
                self._left_out[path] = fault
            else:
                files[path] = self._unpacked(targets.get(path) or entry)
        return Archive(files, self._left_out)

    def _hostile(self, path: str, entry: zipfile.ZipInfo) -> str | None:
        mode = entry.external_attr >> 16
        faults = {
            "it has no name": not path,
            "its path comes twice": path in self._entries,
            "it is not a plain file": stat.S_IFMT(mode) not in PLAIN_KINDS and not stat.S_ISLNK(mode),
            "it is encrypted; pack it without a password": bool(entry.flag_bits & ENCRYPTED),
            "it is packed in a way that is not read; use the usual one (deflate)": entry.compress_type not in METHODS,
        }
        fault = hostile_fault(path)
        if fault and "\\" in entry.orig_filename:
            fault += ", written with a backslash"
        return fault or next((text for text, holds in faults.items() if holds), None)

    def _too_large(self, entry: zipfile.ZipInfo) -> str | None:
        return f"it is larger than {MAX_FILE_BYTES} bytes" if entry.file_size > MAX_FILE_BYTES else None

    def _note_nested(self, path: str) -> None:
        if path.lower().endswith(NESTED):
            self._left_out[path] = "it is an archive inside the archive; upload it by itself"

    def _target(self, path: str, link: zipfile.ZipInfo) -> zipfile.ZipInfo | None:
        """Return the file of the archive that a link points to; one that leads out of it refuses the archive."""
        to = self._unpacked(link).decode("utf-8", "replace") if link.file_size <= MAX_LINK_BYTES else "/"
        inside = posixpath.normpath(posixpath.join(posixpath.dirname(path), to))
        if fault := hostile_fault(inside):
            raise ArchiveRefused(f"The archive was refused for {path[:200]!r}: it is a link to {to[:200]!r}; {fault}.")
        target = self._entries.get(inside)
        return None if target is None or _is_link(target) else target

    def _unpacked(self, entry: zipfile.ZipInfo) -> bytes:
        """Read what the entry states and no more; all bytes ever made count, however tightly they were packed."""
        self._left -= entry.file_size
        if self._left < 0:
            raise ArchiveRefused(f"The archive's skills hold more than {MAX_UNPACKED_BYTES} bytes unpacked.")
        with self._archive.open(entry) as file:
            content = file.read(entry.file_size + 1)
        if len(content) != entry.file_size:
            raise ArchiveRefused(
                f"The archive was refused for {entry.filename[:200]!r}: it is not as long as it states.")
        return content


def _path_of(entry: zipfile.ZipInfo) -> str:
    """Return where an entry lies: slashes of one kind, letters composed, UTF-8 also where it is not marked so."""
    name = entry.orig_filename
    if not entry.flag_bits & UTF8:
        with contextlib.suppress(UnicodeError):  # it may really be of another encoding
            name = name.encode("cp437").decode("utf-8")
    name = unicodedata.normalize("NFC", name).replace("\\", "/").split("\0")[0]
    is_absolute, is_folder = name.startswith("/"), name.endswith("/")
    parts = [part for part in name.split("/") if part not in {"", "."}]
    return f"{'/' if is_absolute else ''}{'/'.join(parts)}{'/' if is_folder else ''}"


def _is_link(entry: zipfile.ZipInfo) -> bool:
    return stat.S_ISLNK(entry.external_attr >> 16)


def _is_noise(path: str) -> bool:
    names = path.split("/")
    return names[0] == NOISE_FOLDER or names[-1] in NOISE_NAMES or names[-1].startswith("._")


def problems_beside(left_out: Mapping[str, str], folders: set[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield what was left out without belonging to any of these skills' folders."""
    for path, why in left_out.items():
        if owner_of(path, folders) is None:
            yield path, [f"It was left out: {why}."]
