"""Checking the tokens of an identity provider: who signed them, for whom, until when."""

import asyncio
import base64
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import jwt
from jwt import PyJWK, PyJWKClient
from jwt.exceptions import PyJWKClientConnectionError, PyJWTError

from automatos.kernel.config import Settings
from automatos.workspaces.errors import CredentialInvalid, IssuerUnavailable
from automatos.workspaces.types import Role

ALGORITHMS = ("RS256", "ES256")
LEEWAY_S = 10
FETCH_TIMEOUT_S = 5.0
UNKNOWN_KEY_COOLDOWN_S = 10.0
FAILURE_COOLDOWN_S = 5.0
KEEP_STALE_KEYS_S = 3600.0
FAR_FUTURE = 32_503_680_000
WELL_KNOWN = "/.well-known/jwks.json"
ORGANISATION_ROLES = {"admin": Role.ADMIN, "member": Role.EDITOR, "basic_member": Role.EDITOR, "editor": Role.EDITOR}


@dataclass(frozen=True, slots=True)
class Organisation:
    """The organisation a token speaks for, with the role it gives."""

    external_id: str
    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class Identity:
    """A person as their identity provider describes them; `email` is only set when the provider has verified it."""

    issuer: str
    external_id: str
    email: str | None
    name: str
    organisation: Organisation | None
    expires_at: datetime


class TokenVerifier:
    """Checks tokens of the one configured issuer, with its published keys or with a key from the settings."""

    def __init__(self, settings: Settings) -> None:
        host = clerk_host(settings.clerk_publishable_key)
        jwks_url = settings.jwks_url or (f"https://{host}{WELL_KNOWN}" if host else None)
        self._issuer = settings.jwt_issuer or (jwks_url or "").removesuffix(WELL_KNOWN) or None
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
            claims = jwt.decode(
                token, await self._find_key(token), algorithms=ALGORITHMS, issuer=self._issuer,
                audience=self._audience, leeway=LEEWAY_S,
                options={"require": ["exp", "iat", "sub", "iss"], "verify_aud": self._audience is not None},
            )
        except PyJWTError as error:
            raise CredentialInvalid(f"The token is not accepted: {_reason(error)}. Sign in again.") from error
        if self._parties and claims.get("azp") not in self._parties:
            raise CredentialInvalid("The token was issued to another application (azp). Sign in again from this site.")
        return _read_identity(claims)

    async def _find_key(self, token: str) -> PyJWK | str:
        header = jwt.get_unverified_header(token)
        if header.get("alg") not in ALGORITHMS:
            raise jwt.InvalidAlgorithmError("the algorithm is not allowed")
        if self._pem:
            return self._pem
        kid = header.get("kid")
        if not isinstance(kid, str) or self._keys is None:
            raise jwt.InvalidTokenError("the token names no key")
        return await self._keys.find(kid)


class SigningKeys:
    """An issuer's public keys: kept in memory, fetched in a thread, and not asked for again and again."""

    def __init__(self, url: str) -> None:
        self._client = PyJWKClient(
            url, lifespan=300, timeout=FETCH_TIMEOUT_S, cooldown_duration=UNKNOWN_KEY_COOLDOWN_S
        )
        self._fetching = asyncio.Lock()
        self._failed_at = float("-inf")
        self._known: dict[str, tuple[PyJWK, float]] = {}

    async def find(self, kid: str) -> PyJWK:
        """Return the key with this id; raises `CredentialInvalid` if there is none, `IssuerUnavailable` if unknown."""
        if key := self._find_fresh(kid):
            return key
        async with self._fetching:
            if key := self._find_fresh(kid):
                return key
            if time.monotonic() - self._failed_at < FAILURE_COOLDOWN_S:
                return self._find_stale(kid)
            try:
                key = await asyncio.to_thread(self._client.get_signing_key, kid)
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

    def _is_set_known(self) -> bool:
        return self._client.jwk_set_cache is not None and self._client.jwk_set_cache.get() is not None

    def _find_fresh(self, kid: str) -> PyJWK | None:
        keys = self._client.jwk_set_cache.get() if self._client.jwk_set_cache else None
        return PyJWKClient.match_kid(keys.keys, kid) if keys else None

    def _find_stale(self, kid: str) -> PyJWK:
        """Return a key that was good a while ago: an issuer that is down for minutes must not sign everybody out."""
        key, fetched_at = self._known.get(kid, (None, 0.0))
        if key is None or time.monotonic() - fetched_at > KEEP_STALE_KEYS_S:
            raise IssuerUnavailable
        return key


def clerk_host(publishable_key: str | None) -> str | None:
    """Return the host that a Clerk publishable key names (base64 after `pk_test_` or `pk_live_`), if it names one."""
    encoded = (publishable_key or "").rpartition("_")[2]
    try:
        decoded = base64.b64decode(encoded + "=" * (-len(encoded) % 4)).decode("ascii")
    except ValueError:
        return None
    host = decoded.removesuffix("$")
    return host if "." in host and all(ch.isalnum() or ch in ".-" for ch in host) else None


def _reason(error: PyJWTError) -> str:
    if isinstance(error, jwt.ExpiredSignatureError):
        return "it has expired"
    if isinstance(error, jwt.InvalidIssuerError):
        return "it is of another issuer"
    if isinstance(error, jwt.InvalidAudienceError):
        return "it is for another audience"
    if isinstance(error, jwt.MissingRequiredClaimError):
        return f"it has no {error.claim} claim"
    return "its signature or form is wrong"


def _read_identity(claims: dict[str, Any]) -> Identity:
    return Identity(
        issuer=claims["iss"], external_id=_bounded(claims["sub"]),
        email=_read_email(claims.get("email")) if claims.get("email_verified") is True else None,
        name=_printable(claims.get("name"))[:200],
        organisation=_read_organisation(claims.get("o")),
        expires_at=datetime.fromtimestamp(min(int(claims["exp"]), FAR_FUTURE) + LEEWAY_S, UTC),
    )


def _read_organisation(claim: object) -> Organisation | None:
    """Read the organisation claim of version 2 tokens: `{"id": ..., "rol": ..., "slg": ...}`."""
    if not isinstance(claim, dict) or not isinstance(claim.get("id"), str):
        return None
    role = str(claim.get("rol", "")).removeprefix("org:")
    return Organisation(
        external_id=_bounded(claim["id"]), name=_printable(claim.get("slg") or claim["id"])[:100],
        role=ORGANISATION_ROLES.get(role, Role.VIEWER),
    )


def _bounded(external_id: str) -> str:
    if not 0 < len(external_id) <= 255 or not external_id.isprintable():
        raise CredentialInvalid("The token names a person or organisation by an id that is empty, odd or too long.")
    return external_id


def _read_email(claim: object) -> str | None:
    email = _printable(claim).lower()
    return email if email == str(claim).strip().lower() and "@" in email and len(email) <= 320 else None


def _printable(claim: object) -> str:
    """Return a claim's text without characters that cannot be stored or shown."""
    return "".join(ch for ch in claim if ch.isprintable()).strip() if isinstance(claim, str) else ""
