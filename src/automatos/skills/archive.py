"""ZIP files that people upload, read in memory under limits; anything that could reach out of its folder is refused."""

import io
import stat
import zipfile
import zlib
from collections.abc import Iterator

from automatos.skills.errors import ArchiveRefused
from automatos.skills.package import MAX_FILE_BYTES, MAX_FILES, MAX_TOTAL_BYTES
from automatos.skills.paths import path_fault

MAX_RATIO = 100
MAX_ENTRIES = 2000
ENTRY_MARK = b"PK\x01\x02"
METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
ENCRYPTED = 0x1
PLAIN_KINDS = frozenset({0, stat.S_IFREG})
NOISE = ("__MACOSX/",)
NOISE_NAMES = frozenset({".DS_Store", "Thumbs.db"})


def read_archive(content: bytes) -> dict[str, bytes]:
    """Return the files of a ZIP by path; what operating systems add by themselves is left out.

    Raises:
        ArchiveRefused: it is no ZIP, is too large or packed too tightly, is encrypted, or holds a link or a path that
            leads out of it; nothing of it is returned.
    """
    if content.count(ENTRY_MARK) > MAX_ENTRIES:
        raise ArchiveRefused(f"The archive has more than {MAX_ENTRIES} entries.")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir() and not _is_noise(entry)]
            if fault := next(_faults(entries), None):
                raise ArchiveRefused(fault)
            return {entry.filename: _read(archive, entry) for entry in entries}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise ArchiveRefused("The archive is not a ZIP file, or it is damaged.") from error


def _is_noise(entry: zipfile.ZipInfo) -> bool:
    return entry.filename.startswith(NOISE) or entry.filename.rpartition("/")[2] in NOISE_NAMES


def _faults(entries: list[zipfile.ZipInfo]) -> Iterator[str]:
    if len(entries) > MAX_FILES:
        yield f"The archive has {len(entries)} files; {MAX_FILES} are taken."
    if sum(entry.file_size for entry in entries) > MAX_TOTAL_BYTES:
        yield f"The archive holds more than {MAX_TOTAL_BYTES} bytes when it is unpacked."
    seen: set[str] = set()
    for entry in entries:
        if fault := _fault(entry) or ("its path comes twice" if entry.filename in seen else None):
            yield f"The archive was refused for {entry.orig_filename[:200]!r}: {fault}."
        seen.add(entry.filename)


def _fault(entry: zipfile.ZipInfo) -> str | None:
    mode = entry.external_attr >> 16
    faults = {
        "it is a link": stat.S_ISLNK(mode),
        "it is not a plain file": not stat.S_ISLNK(mode) and stat.S_IFMT(mode) not in PLAIN_KINDS,
        "it is encrypted": bool(entry.flag_bits & ENCRYPTED),
        "it is packed in a way that is not read": entry.compress_type not in METHODS,
        f"it is larger than {MAX_FILE_BYTES} bytes": entry.file_size > MAX_FILE_BYTES,
        f"it is packed more than {MAX_RATIO} times smaller": entry.file_size > MAX_RATIO * max(1, entry.compress_size),
    }
    return path_fault(entry.orig_filename) or next((fault for fault, holds in faults.items() if holds), None)


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Read what the entry states and no more."""
    with archive.open(entry) as file:
        content = file.read(entry.file_size + 1)
    if len(content) != entry.file_size:
        raise ArchiveRefused(f"The archive was refused for {entry.filename[:200]!r}: it is not as long as it states.")
    return content
