"""Sealing of secrets at rest: AES-256-GCM under a key file of this server."""

import os
import secrets
import stat
from pathlib import Path
from typing import ClassVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from automatos.kernel.config import Settings
from automatos.kernel.errors import Problem

KEY_BYTES = 32
KEY_ID_BYTES = 8
NONCE_BYTES = 12
VERSION = b"\x01"
SUFFIX = ".key"


class SealBroken(Exception):
    """A sealed value cannot be opened: its key is missing here, or it was changed or moved."""


class KeyFileUnsafe(Problem):
    """A key file is damaged, cannot be read, or can be read by others."""

    status: ClassVar[int] = 503
    code: ClassVar[str] = "key_file_unsafe"
    title: ClassVar[str] = "A key file cannot be used"


class Vault:
    """Seals and opens small secrets with the keys in `<home>/keys`.

    The first start makes one key, in a file only its owner can read. Every `*.key` file there opens what it sealed;
    the one whose name sorts last seals. To rotate, call `add_key`, seal everything again, and `retire_old_keys`. A
    sealed value is: version, key id, nonce, ciphertext with tag. The `aad` given at sealing must be given again at
    opening, so a value copied into another row does not open.
    """

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.home / "keys"
        self._keys: dict[bytes, AESGCM] = {}
        self._newest = b""
        self._changed_at = 0
        self._load()
        if not self._keys:
            self.add_key()

    def add_key(self) -> None:
        """Make a new key that seals from now on; the older ones go on opening what they sealed.

        Processes that run already and share the folder take it up by themselves.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        number = 1 + max((int(path.stem) for path in self._files() if path.stem.isdigit()), default=0)
        content = secrets.token_bytes(KEY_ID_BYTES + KEY_BYTES)
        if not _write_new(self._folder / f"{number:04d}{SUFFIX}", content):
            self._load()  # another process starting at this moment was first: its key is ours too
            return
        self._load()

    @property
    def key_count(self) -> int:
        """How many keys there are; more than one while a rotation is under way."""
        return len(self._keys)

    def retire_old_keys(self) -> int:
        """Remove every key file but the newest and return how many; what they sealed cannot be opened any more."""
        *old, _newest = self._files()
        for path in old:
            path.unlink()
        self._load()
        return len(old)

    def seal(self, secret: bytes, aad: bytes) -> bytes:
        """Return the secret, encrypted with the newest key and bound to `aad`."""
        self._take_up_changes()
        nonce = os.urandom(NONCE_BYTES)
        return VERSION + self._newest + nonce + self._keys[self._newest].encrypt(nonce, secret, VERSION + aad)

    def open(self, sealed: bytes, aad: bytes) -> bytes:
        """Return the secret of a sealed value.

        Raises:
            SealBroken: the key is not here, or the value or its `aad` is not what was sealed.
        """
        key_id, rest = sealed[1: 1 + KEY_ID_BYTES], sealed[1 + KEY_ID_BYTES:]
        if key_id not in self._keys:
            self._take_up_changes()
        key = self._keys.get(key_id)
        if sealed[:1] != VERSION or key is None:
            raise SealBroken(f"The value was sealed with key {key_id.hex()}, which is not in {self._folder}. Restore "
                             "that key file, or enter the secret again.")
        try:
            return key.decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], VERSION + aad)
        except (InvalidTag, ValueError) as error:
            raise SealBroken("The sealed value was changed, or belongs to another row. Enter it again.") from error

    def is_current(self, sealed: bytes) -> bool:
        """Say whether a value was sealed with the newest key; others should be opened and sealed again."""
        return sealed[1: 1 + KEY_ID_BYTES] == self._newest

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob(f"*{SUFFIX}"))

    def _take_up_changes(self) -> None:
        """Read the folder again when files came or went: another process may have rotated the key."""
        try:
            changed_at = self._folder.stat().st_mtime_ns
        except OSError:
            return  # what is in memory goes on working
        if changed_at != self._changed_at:
            self._load()

    def _load(self) -> None:
        keys, newest = dict[bytes, AESGCM](), b""
        try:
            changed_at = self._folder.stat().st_mtime_ns if self._folder.exists() else 0
            for path in self._files():
                content = _read_key(path)
                newest = content[:KEY_ID_BYTES]
                keys[newest] = AESGCM(content[KEY_ID_BYTES:])
        except FileNotFoundError:
            return self._load()  # a rotation took an old one away at this moment
        except OSError as error:
            raise KeyFileUnsafe(f"{self._folder} cannot be read by this user ({error.strerror}). Give it to the user "
                                "who runs the server.") from error
        self._keys, self._newest, self._changed_at = keys, newest, changed_at
        return None


def _read_key(path: Path) -> bytes:
    """Return a key file's content; raises KeyFileUnsafe, with the remedy, when others may read it or it is damaged.

    A group may read it, and write, where the group is this process's own: volumes of a cluster are mounted so.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise KeyFileUnsafe(f"{path} is no file. Move it away, or restore the key from a backup.")
    is_shared_with = {os.getegid(), *os.getgroups()}
    if status.st_mode & 0o007 or (status.st_mode & 0o070 and status.st_gid not in is_shared_with):
        raise KeyFileUnsafe(f"{path} can be read by others. Run: chmod 600 {path} (a group may read it only where it "
                            "is a group of the user who runs the server)")
    try:
        content = path.read_bytes()
    except PermissionError as error:
        raise KeyFileUnsafe(f"{path} cannot be read by this user. Give it to the user who runs the server.") from error
    if len(content) != KEY_ID_BYTES + KEY_BYTES:
        raise KeyFileUnsafe(f"{path} does not hold a key of {KEY_ID_BYTES + KEY_BYTES} bytes. Restore it from "
                            "a backup, or move it away.")
    return content


def _write_new(path: Path, content: bytes) -> bool:
    """Write a file that only its owner can read and that appears complete or not at all; False when it exists."""
    draft = path.with_suffix(f".{secrets.token_hex(4)}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return True
