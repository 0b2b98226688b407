"""The jail: file access that cannot leave one folder, whatever the path says and whatever is linked inside."""

import ctypes
import errno
import os
import secrets
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from automatos.tools.errors import ToolRefused

MAX_PATH_CHARS = 1024
MAX_NAME_BYTES = 255
MAX_DEPTH = 16
SYS_OPENAT2 = 437  # the same on every architecture
RESOLVE_NO_MAGICLINKS = 0x02
RESOLVE_NO_SYMLINKS = 0x04
RESOLVE_BENEATH = 0x08
DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def split_path(path: str) -> tuple[str, ...]:
    """Return the names of a relative path; refuses absolute ones, `..`, control characters and what is too long."""
    if len(path) > MAX_PATH_CHARS:
        raise _refused(path, f"it is longer than {MAX_PATH_CHARS} characters")
    if any(ord(ch) < 32 or ord(ch) == 127 or "\ud800" <= ch <= "\udfff" for ch in path):
        raise _refused(path, "it has a control character or a lone surrogate in it")
    if path.startswith("/"):
        raise _refused(path, "it is absolute; give it relative to the execution's folder")
    names = tuple(name for name in path.split("/") if name not in {"", "."})
    if ".." in names:
        raise _refused(path, "it has '..' in it; only what is inside the execution's folder can be reached")
    if len(names) > MAX_DEPTH or any(len(name.encode()) > MAX_NAME_BYTES for name in names):
        raise _refused(path, f"it is deeper than {MAX_DEPTH} folders or has a name over {MAX_NAME_BYTES} bytes")
    return names


class Jail:
    """One folder; every method takes paths relative to it and raises `ToolRefused` rather than leave it."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, path: str, offset: int, limit: int) -> tuple[bytes, int]:
        """Return up to `limit` bytes from `offset`, and the size of the whole file."""
        with self._told(path), self._opened(split_path(path), os.O_RDONLY | os.O_NONBLOCK) as handle:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                raise _refused(path, "it is not a regular file")
            return os.pread(handle, limit, offset), status.st_size

    def write(self, path: str, content: bytes) -> None:
        """Replace a file in one step (readers see the old or the new whole), making missing folders."""
        *folders, name = split_path(path) or (".",)
        if name == ".":
            raise _refused(path, "it names the folder itself, not a file")
        with self._told(path):
            self._make_folders(folders)
            with self._opened(tuple(folders), DIRECTORY) as folder:
                self._replace(folder, name, content)

    def entries(self, path: str) -> list[tuple[str, str, int]]:
        """Return (name, kind, size in bytes) of what a folder holds, sorted; kind is file, folder, link or other."""
        with self._told(path), self._opened(split_path(path), DIRECTORY) as folder, os.scandir(folder) as found:
            return sorted((entry.name, _kind(entry), entry.stat(follow_symlinks=False).st_size) for entry in found)

    def _make_folders(self, folders: list[str]) -> None:
        for depth, name in enumerate(folders):
            with self._opened(tuple(folders[:depth]), DIRECTORY) as parent, suppress(FileExistsError):
                os.mkdir(name, 0o700, dir_fd=parent)
                self._give_to_owner(parent, name)

    def _replace(self, folder: int, name: str, content: bytes) -> None:
        draft = f".{secrets.token_hex(8)}.draft"
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            self._give_to_owner(folder, draft)
            os.replace(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(draft, dir_fd=folder)
            raise

    def _give_to_owner(self, folder: int, name: str) -> None:
        """Give what root made to the owner of the jail, so that the sandboxed shell can use it."""
        if os.geteuid() == 0:
            owner = self._root.stat()
            os.chown(name, owner.st_uid, owner.st_gid, dir_fd=folder, follow_symlinks=False)

    @contextmanager
    def _opened(self, names: tuple[str, ...], flags: int) -> Generator[int]:
        root = os.open(self._root, DIRECTORY)
        try:
            handle = open_beneath(root, names, flags | os.O_CLOEXEC)
        finally:
            os.close(root)
        try:
            yield handle
        finally:
            os.close(handle)

    @contextmanager
    def _told(self, path: str) -> Generator[None]:
        """Turn what the system says into what the model reads."""
        try:
            yield
        except FileNotFoundError as error:
            raise ToolRefused("not_found", f"There is no {path[:200]!r} in the execution's folder.") from error
        except OSError as error:
            raise _refused(path, REASONS.get(error.errno or 0, "the file system refused it")) from error


REASONS = {
    errno.ELOOP: "it passes through a symbolic link",
    errno.EXDEV: "it leads out of the execution's folder",
    errno.EISDIR: "it is a folder",
    errno.ENOTDIR: "part of it is not a folder",
    errno.ENOSPC: "the disk is full",
}


def open_beneath(root: int, names: tuple[str, ...], flags: int) -> int:
    """Open `names` under the folder `root` without following any link; the kernel enforces it where it can."""
    if not names:
        return os.open(".", flags, dir_fd=root)
    return _openat2(root, "/".join(names), flags) if has_openat2() else walk_beneath(root, names, flags)


def walk_beneath(root: int, names: tuple[str, ...], flags: int) -> int:
    """Open `names` one folder at a time, following no link: for kernels and containers without openat2."""
    held = os.dup(root)
    try:
        for name in names[:-1]:
            deeper = os.open(name, DIRECTORY | os.O_NOFOLLOW, dir_fd=held)
            os.close(held)
            held = deeper
        return os.open(names[-1], flags | os.O_NOFOLLOW, dir_fd=held)
    finally:
        os.close(held)


@cache
def has_openat2() -> bool:
    """Whether this kernel, and the container around us, let us call openat2."""
    root = os.open("/", DIRECTORY)
    try:
        os.close(_openat2(root, ".", DIRECTORY))
    except OSError:
        return False
    finally:
        os.close(root)
    return True


def _openat2(folder: int, path: str, flags: int) -> int:
    how = _OpenHow(flags, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)
    call = ctypes.CDLL(None, use_errno=True).syscall
    handle = int(call(SYS_OPENAT2, folder, os.fsencode(path), ctypes.byref(how), ctypes.sizeof(how)))
    if handle < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return handle


def _kind(entry: os.DirEntry[str]) -> str:
    if entry.is_symlink():
        return "link"
    if entry.is_dir(follow_symlinks=False):
        return "folder"
    return "file" if entry.is_file(follow_symlinks=False) else "other"


def _refused(path: str, why: str) -> ToolRefused:
    return ToolRefused("path_refused", f"The path {path[:200]!r} was refused: {why}.")
