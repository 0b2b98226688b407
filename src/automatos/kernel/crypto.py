"""Sealing of secrets at rest: AES-256-GCM under a key file of this server."""

import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from automatos.kernel.config import Settings

KEY_BYTES = 32
KEY_ID_BYTES = 8
NONCE_BYTES = 12
VERSION = b"\x01"
SUFFIX = ".key"


class SealBroken(Exception):
    """A sealed value cannot be opened: its key is missing here, or it was changed or moved."""


class KeyFileUnsafe(Exception):
    """A key file is damaged or can be read by others."""


class Vault:
    """Seals and opens small secrets with the keys in `<home>/keys`.

    The first start makes one key, in a file only its owner can read. Every `*.key` file there opens what it sealed;
    the one whose name sorts last seals. To rotate, call `add_key`. A sealed value is: version, key id, nonce,
    ciphertext with tag. The `aad` given at sealing must be given again at opening, so a value copied into another row
    does not open.
    """

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.home / "keys"
        self._keys: dict[bytes, AESGCM] = {}
        self._newest = b""
        self._load()
        if not self._keys:
            self.add_key()

    def add_key(self) -> None:
        """Make a new key that seals from now on; the older ones go on opening what they sealed.

        Processes that run already read it at their next start; until then they cannot open what it sealed.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        number = len(list(self._folder.glob(f"*{SUFFIX}"))) + 1
        content = secrets.token_bytes(KEY_ID_BYTES + KEY_BYTES)
        if not _write_new(self._folder / f"{number:04d}{SUFFIX}", content):
            self._load()  # another process starting at this moment was first: its key is ours too
            return
        self._load()

    def seal(self, secret: bytes, aad: bytes) -> bytes:
        """Return the secret, encrypted with the newest key and bound to `aad`."""
        nonce = os.urandom(NONCE_BYTES)
        return VERSION + self._newest + nonce + self._keys[self._newest].encrypt(nonce, secret, VERSION + aad)

    def open(self, sealed: bytes, aad: bytes) -> bytes:
        """Return the secret of a sealed value.

        Raises:
            SealBroken: the key is not here, or the value or its `aad` is not what was sealed.
        """
        key_id, rest = sealed[1: 1 + KEY_ID_BYTES], sealed[1 + KEY_ID_BYTES:]
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

    def _load(self) -> None:
        for path in sorted(self._folder.glob(f"*{SUFFIX}")):
            content = path.read_bytes()
            if path.stat().st_mode & 0o077:
                raise KeyFileUnsafe(f"{path} can be read by others. Run: chmod 600 {path}")
            if len(content) != KEY_ID_BYTES + KEY_BYTES:
                raise KeyFileUnsafe(f"{path} does not hold a key of {KEY_ID_BYTES + KEY_BYTES} bytes. Restore it from "
                                    "a backup, or move it away.")
            self._newest = content[:KEY_ID_BYTES]
            self._keys[self._newest] = AESGCM(content[KEY_ID_BYTES:])


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
