"""Checking the tokens of an identity provider: who signed them, for whom, until when."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Any

import jwt
import structlog
from jwt import PyJWK, PyJWKClient
from jwt.exceptions import PyJWKClientConnectionError, PyJWTError
from jwt.jwk_set_cache import JWKSetCache

from automatos.kernel.config import Settings
from automatos.workspaces.claims import (
    LEEWAY_S,
    Identity,
    issuer_of_keys,
    keys_address,
    printable,
    read_identity,
    refuse_unnamed_issuer,
)
from automatos.workspaces.errors import CredentialInvalid, IssuerUnavailable

ALGORITHMS = ("RS256", "ES256", "EdDSA", "RS384", "RS512", "PS256", "PS384", "PS512", "ES384", "ES512")
"""Every algorithm by which an issuer's public key proves its tokens; a secret that both sides know is none of them."""
FETCH_TIMEOUT_S = 5.0
KEY_LIFESPAN_S = 300
UNKNOWN_KEY_COOLDOWN_S = 10.0
FAILURE_COOLDOWN_S = 5.0
KEEP_STALE_KEYS_S = 3600.0

log = structlog.get_logger("automatos.workspaces")


class TokenVerifier:
    """Checks tokens of the one configured issuer, with its published keys or with a key from the settings."""

    def __init__(self, settings: Settings) -> None:
        refuse_unnamed_issuer(settings)
        jwks_url = keys_address(settings)
        self._issuer = settings.jwt_issuer or issuer_of_keys(jwks_url)
        self._trusts_email = settings.jwt_trust_email
        self._audience = settings.jwt_audience or None
        self._parties = frozenset(settings.jwt_authorized_parties)
        self._pem = settings.jwt_key.get_secret_value().replace("\\n", "\n") if settings.jwt_key else None
        self._keys = SigningKeys(jwks_url) if jwks_url and not self._pem else None

    @property
    def is_configured(self) -> bool:
        """Whether any token can be accepted at all."""
        return bool(self._issuer and (self._pem or self._keys))

    async def verify(self, token: str) -> Identity:
        """Return whose token this is.

        Raises:
            CredentialInvalid: it is malformed, forged, expired, for another audience or party, or of another issuer.
            IssuerUnavailable: the issuer's keys are not known and cannot be fetched.
        """
        if not self.is_configured:
            raise CredentialInvalid("This server accepts no tokens of an identity provider. Use an API key (ak_...).")
        try:
            claims = await decode_token(token, self._pem or self._keys, issuer=self._issuer, audience=self._audience)
        except PyJWTError as error:
            raise refused(error, token, self._issuer) from error
        if self._parties and claims.get("azp") not in self._parties:
            raise CredentialInvalid("The token was issued to another application (azp). Sign in again from this site.")
        return read_identity(claims, trusts_email=self._trusts_email)


async def decode_token(
    token: str, keys: "SigningKeys | str | None", *, issuer: str | None, audience: str | None = None
) -> dict[str, Any]:
    """Return the claims of a token that one of the keys has signed; without an audience anybody's is taken.

    A signature that does not fit may mean that the issuer began anew with other keys under the old ids, so its keys
    are fetched once more, now and then.

    Raises:
        PyJWTError: the token is malformed, forged, expired, not valid yet, or of another issuer or audience.
        CredentialInvalid, IssuerUnavailable: its key is unknown, or cannot be fetched.
    """
    key = await _find_key(token, keys)
    try:
        return _decode(token, key, issuer, audience)
    except (jwt.InvalidSignatureError, jwt.InvalidAlgorithmError):
        if not isinstance(keys, SigningKeys) or not keys.forget_set():
            raise
        return _decode(token, await _find_key(token, keys), issuer, audience)


def _decode(token: str, key: PyJWK | str, issuer: str | None, audience: str | None) -> dict[str, Any]:
    bare = (issuer or "").rstrip("/")
    return jwt.decode(
        token, key, algorithms=ALGORITHMS, issuer=[bare, f"{bare}/"] if bare else issuer, audience=audience,
        leeway=LEEWAY_S,
        options={"require": ["exp", "iat", "sub", "iss"], "verify_aud": audience is not None},
    )


async def _find_key(token: str, keys: "SigningKeys | str | None") -> PyJWK | str:
    header = jwt.get_unverified_header(token)
    if header.get("alg") not in ALGORITHMS:
        raise jwt.InvalidAlgorithmError("the algorithm is not allowed")
    if isinstance(keys, str):
        return keys
    kid = header.get("kid")
    if not isinstance(kid, str | None) or keys is None:
        raise jwt.InvalidTokenError("the token names no key")
    return await keys.find(kid or "")


class SigningKeys:
    """An issuer's public keys: kept in memory, fetched in a thread, and not asked for again and again."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._forgotten_at = float("-inf")
        self._client = PyJWKClient(
            url, lifespan=KEY_LIFESPAN_S, timeout=FETCH_TIMEOUT_S, cooldown_duration=UNKNOWN_KEY_COOLDOWN_S
        )
        self._fetching = asyncio.Lock()
        self._failed_at = float("-inf")
        self._known: dict[str, tuple[PyJWK, float]] = {}

    async def find(self, kid: str) -> PyJWK:
        """Return the key with this id; raises `CredentialInvalid` if there is none, `IssuerUnavailable` if unknown.

        Ids are optional: where the issuer has one key only, and the token or that key bears none, that key is meant.
        """
        if key := self._find_fresh(kid):
            return key
        async with self._fetching:
            if key := self._find_fresh(kid):
                return key
            if time.monotonic() - self._failed_at < FAILURE_COOLDOWN_S:
                return self._find_stale(kid)
            try:
                key = await asyncio.to_thread(self._fetch, kid)
            except (PyJWKClientConnectionError, ValueError, OSError):
                self._failed_at = time.monotonic()
                return self._find_stale(kid)
            except PyJWTError as error:
                if not self._is_set_known():
                    self._failed_at = time.monotonic()
                    return self._find_stale(kid)
                raise CredentialInvalid("The token is not accepted: its signing key is unknown.") from error
        self._known[kid] = (key, time.monotonic())
        return key

    def _fetch(self, kid: str) -> PyJWK:
        if only := _only_key(self._client.get_jwk_set().keys, kid):
            return only
        return self._client.get_signing_key(kid)

    def forget_set(self) -> bool:
        """Have the keys fetched again at the next look; False when that was done a moment ago."""
        if time.monotonic() - self._forgotten_at < UNKNOWN_KEY_COOLDOWN_S or self._client.jwk_set_cache is None:
            return False
        self._forgotten_at = time.monotonic()
        self._client.jwk_set_cache = JWKSetCache(KEY_LIFESPAN_S)
        return True

    def _is_set_known(self) -> bool:
        return self._client.jwk_set_cache is not None and self._client.jwk_set_cache.get() is not None

    def _find_fresh(self, kid: str) -> PyJWK | None:
        keys = self._client.jwk_set_cache.get() if self._client.jwk_set_cache else None
        return (_only_key(keys.keys, kid) or PyJWKClient.match_kid(keys.keys, kid)) if keys else None

    def _find_stale(self, kid: str) -> PyJWK:
        """Return a key that was good a while ago: an issuer that is down for minutes must not sign everybody out."""
        key, fetched_at = self._known.get(kid, (None, 0.0))
        if key is None or time.monotonic() - fetched_at > KEEP_STALE_KEYS_S:
            raise IssuerUnavailable
        return key


def _only_key(keys: list[PyJWK], kid: str) -> PyJWK | None:
    """Return the one key for signatures of a set, where the token or the key bears no id; else None."""
    signing = [key for key in keys if key.public_key_use in {"sig", None}]
    return signing[0] if len(signing) == 1 and not (kid and signing[0].key_id) else None


def refused(error: PyJWTError, token: str, issuer: str | None) -> CredentialInvalid:
    """Say why a token is not accepted; a clock that is wrong is told as such, to the caller and in the log."""
    ahead_s = _seconds_ahead(error, token)
    log.warning("identity.token_refused", reason=type(error).__name__, issuer=issuer, ahead_of_our_clock_s=ahead_s)
    return CredentialInvalid(f"The token is not accepted: {_reason(error, token, issuer, ahead_s)}. Sign in again.")


def _reason(error: PyJWTError, token: str, issuer: str | None, ahead_s: int | None) -> str:
    if ahead_s is not None:
        return _explain_time(error, ahead_s)
    if isinstance(error, jwt.InvalidIssuerError):
        given = printable(_unverified(token).get("iss"))[:200]
        return f"it is of another issuer ({given or 'none'}; this server takes {issuer})"
    if isinstance(error, jwt.InvalidAudienceError):
        return "it is for another audience"
    if isinstance(error, jwt.MissingRequiredClaimError):
        return f"it has no {error.claim} claim"
    return "its signature or form is wrong"


def _seconds_ahead(error: PyJWTError, token: str) -> int | None:
    """Return how far the moment that the error is about lies ahead of our clock, negative when it has passed."""
    names = ("exp",) if isinstance(error, jwt.ExpiredSignatureError) else ("nbf", "iat")
    if not isinstance(error, (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError)):
        return None
    moments = [claim for name in names if isinstance(claim := _unverified(token).get(name), (int, float))]
    return int(max(moments) - time.time()) if moments else None


def _explain_time(error: PyJWTError, ahead_s: int) -> str:
    clock = f"this server's clock, {datetime.now(UTC):%H:%M:%S} UTC"
    if isinstance(error, jwt.ExpiredSignatureError):
        return f"it expired {-ahead_s} s ago by {clock} (if it was issued just now, one of the two clocks is wrong)"
    return (f"it is not valid for another {ahead_s} s by {clock}, so the clock of this server or of the identity "
            "provider is wrong; set both by NTP")


def _unverified(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})
