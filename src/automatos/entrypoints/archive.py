"""A backup's file: a tar of the database's dump, the keys and the files, and a manifest with a checksum of each."""

import hashlib
import io
import json
import os
import secrets
import tarfile
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, ClassVar

from automatos.kernel.errors import Problem

FORMAT = 1
MANIFEST = "manifest.json"
DUMP = "database.sql"
KEYS, FILES = "keys", ("executions", "blobs")
PIECE = 1 << 20
IN_MEMORY = 32 << 20


class BackupRefused(Problem):
    """A backup cannot be made or read; the message says why and what to do."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "backup_refused"
    title: ClassVar[str] = "The backup cannot be used"


@dataclass
class Manifest:
    """What a backup is of, and the SHA-256 of everything in it."""

    product_version: str
    revision: str
    server_version: int
    schema: str
    made_at: str
    format: int = FORMAT
    checksums: dict[str, str] = field(default_factory=dict[str, str])
    left_out: list[str] = field(default_factory=list[str])


class ArchiveWriter:
    """Writes members one after the other, each with its checksum."""

    def __init__(self, tar: tarfile.TarFile, manifest: Manifest) -> None:
        self._tar = tar
        self.manifest = manifest

    def add(self, name: str, content: IO[bytes]) -> None:
        """Add everything that is still to be read of a file."""
        with tempfile.SpooledTemporaryFile(IN_MEMORY) as copy:  # its size is known before it is written
            digest = hashlib.sha256()
            while piece := content.read(PIECE):
                digest.update(piece)
                copy.write(piece)
            member = tarfile.TarInfo(name)
            member.size, member.mode = copy.tell(), 0o600
            copy.seek(0)
            self._tar.addfile(member, copy)
        self.manifest.checksums[name] = digest.hexdigest()

    def add_folder(self, folder: Path, prefix: str) -> None:
        """Add the plain files below a folder; links and what cannot be read are left out and named."""
        for path in sorted(folder.rglob("*")):
            name = f"{prefix}/{path.relative_to(folder).as_posix()}"
            if path.is_dir() and not path.is_symlink():
                continue
            try:
                if path.is_symlink() or not path.is_file():
                    raise OSError("not a plain file")
                with path.open("rb") as content:
                    self.add(name, content)
            except FileNotFoundError:
                continue  # it went while the backup was made
            except OSError:
                self.manifest.left_out.append(name)


@contextmanager
def writing(target: Path, manifest: Manifest) -> Generator[ArchiveWriter]:
    """Write an archive that only its owner can read and that appears complete or not at all.

    Raises BackupRefused when there is such a file already, or the folder cannot be written.
    """
    if target.exists():
        raise BackupRefused(f"{target} is there already. Name another file, or move that one away.")
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise BackupRefused(f"{target} cannot be written ({error.strerror}).") from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            with tarfile.open(fileobj=file, mode="w:gz", format=tarfile.PAX_FORMAT, compresslevel=5) as tar:
                writer = ArchiveWriter(tar, manifest)
                yield writer
                writer.add(MANIFEST, io.BytesIO(json.dumps(asdict(manifest), indent=1).encode()))
                del manifest.checksums[MANIFEST]
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, target)
    except FileExistsError as error:
        raise BackupRefused(f"{target} is there already. Name another file, or move that one away.") from error
    except OSError as error:
        raise BackupRefused(f"{target} cannot be written ({error.strerror or error}).") from error
    finally:
        draft.unlink(missing_ok=True)


def unpack(source: Path, folder: Path) -> Manifest:
    """Unpack an archive into an empty private folder and return its manifest, everything compared with it.

    Raises BackupRefused when it is no backup, was changed or cut off, or has been made by a newer version.
    """
    found = dict[str, str]()
    try:
        with tarfile.open(source, "r:*") as tar:
            for member in tar:
                content = tar.extractfile(member) if member.isreg() and _is_ours(member.name) else None
                if content is None:
                    raise BackupRefused(f"{source} is no backup of Automatos: it holds {member.name[:100]!r}.")
                found[member.name] = _write(folder / member.name, content)
        manifest = Manifest(**json.loads((folder / MANIFEST).read_bytes()))
    except FileNotFoundError as error:
        what = f"{source} does not exist." if not source.exists() else f"{source} is cut off: it has no manifest."
        raise BackupRefused(what) from error
    except (tarfile.TarError, EOFError, OSError, ValueError, TypeError) as error:
        raise BackupRefused(f"{source} cannot be read as a backup ({' '.join(str(error).split())}). Nothing was "
                            "changed; take another one.") from error
    found.pop(MANIFEST)
    if manifest.format > FORMAT:
        raise BackupRefused(f"{source} was made by a newer Automatos ({manifest.product_version}); restore it with "
                            "that.")
    wrong = sorted(name for name in {*found, *manifest.checksums} if found.get(name) != manifest.checksums.get(name))
    if wrong or DUMP not in found:
        raise BackupRefused(f"{source} is damaged: {wrong[0] if wrong else DUMP} is not what was backed up. Nothing "
                            "was changed; take another one.")
    return manifest


def _is_ours(name: str) -> bool:
    path = PurePosixPath(name)
    return ".." not in path.parts and not path.is_absolute() and "\0" not in name and (
        name in {MANIFEST, DUMP} or (len(path.parts) > 1 and path.parts[0] in {KEYS, *FILES}))


def _write(path: Path, content: IO[bytes]) -> str:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    digest = hashlib.sha256()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        while piece := content.read(PIECE):
            digest.update(piece)
            file.write(piece)
    return digest.hexdigest()
