"""Making and recognising secrets: session cookies, invitation tokens, API keys. Only digests are ever stored."""

import secrets
from hashlib import sha256

from automatos.kernel.secret import Secret
from automatos.workspaces.types import KeyType

KEY_START = "ak_"
_KEY_STARTS = {KeyType.SERVER: "ak_srv_", KeyType.PUBLIC: "ak_pub_"}
WORKSPACE_KEY_STARTS = tuple(_KEY_STARTS.values())
SHOWN_CHARACTERS = 12


def new_token() -> Secret:
    """Return 256 random bits as text that is safe in a URL and a cookie."""
    return Secret(secrets.token_urlsafe(32))


def new_key(key_type: KeyType) -> Secret:
    """Return the text of a new API key; its start tells what it is to people and secret scanners."""
    return Secret(_KEY_STARTS[key_type] + new_token().reveal())


def shown_prefix(key: Secret) -> str:
    """Return the part of a key that may be shown, so that people can tell their keys apart."""
    return key.reveal()[:SHOWN_CHARACTERS]


def digest(secret: Secret | str) -> bytes:
    """Return what is stored of a random secret; 256 random bits need no slow hash."""
    text = secret.reveal() if isinstance(secret, Secret) else secret
    return sha256(text.encode()).digest()


def is_same(presented: str, expected: Secret | str) -> bool:
    """Compare in constant time; an empty secret is never the same as anything."""
    return bool(expected) and secrets.compare_digest(digest(presented), digest(expected))
