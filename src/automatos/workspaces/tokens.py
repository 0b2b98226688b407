"""Making and recognising secrets: session cookies, invitation tokens, API keys. Only digests are ever stored."""

import secrets
from hashlib import sha256

from automatos.workspaces.types import KeyType

KEY_START = "ak_"
_KEY_STARTS = {KeyType.SERVER: "ak_srv_", KeyType.PUBLIC: "ak_pub_"}
WORKSPACE_KEY_STARTS = tuple(_KEY_STARTS.values())
SHOWN_CHARACTERS = 12


def new_token() -> str:
    """Return 256 random bits as text that is safe in a URL and a cookie."""
    return secrets.token_urlsafe(32)


def new_key(key_type: KeyType) -> str:
    """Return the text of a new API key; its start tells what it is to people and secret scanners."""
    return _KEY_STARTS[key_type] + new_token()


def shown_prefix(key: str) -> str:
    """Return the part of a key that may be shown, so that people can tell their keys apart."""
    return key[:SHOWN_CHARACTERS]


def digest(secret: str) -> bytes:
    """Return what is stored of a random secret; 256 random bits need no slow hash."""
    return sha256(secret.encode()).digest()


def is_same(presented: str, expected: str) -> bool:
    """Compare in constant time; an empty secret is never the same as anything."""
    return bool(expected) and secrets.compare_digest(digest(presented), digest(expected))
