"""Reading who an identity provider is, and what it says of a person: Clerk's, Keycloak's, Entra's claims alike."""

import base64
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

from automatos.kernel.config import Settings
from automatos.workspaces.errors import CredentialInvalid, IssuerUnnamed
from automatos.workspaces.types import Role

LEEWAY_S = 10
"""How far the provider's clock and ours may be apart without anybody noticing."""
WELL_KNOWN = "/.well-known/jwks.json"
ISSUERS_OF_KEYS = (
    (re.compile(r"(https?://.+)/\.well-known/jwks(?:\.json)?"), r"\1"),  # Clerk, Auth0 and most others
    (re.compile(r"(https?://.+/realms/[^/]+)/protocol/openid-connect/certs"), r"\1"),  # Keycloak
    (re.compile(r"(https?://.+/application/o/[^/]+/)jwks/?"), r"\1"),  # Authentik
    (re.compile(r"(https://login\.microsoftonline\.com/[0-9a-f-]{36})/discovery/v2\.0/keys"), r"\1/v2.0"),  # Entra ID
    (re.compile(r"(https://.+/oauth2/[^/]+)/v1/keys"), r"\1"),  # Okta
)
"""Addresses of keys that tell who the issuer is."""
FAR_FUTURE = 32_503_680_000
ORGANISATION_ROLES = {"admin": Role.ADMIN, "member": Role.EDITOR, "basic_member": Role.EDITOR, "editor": Role.EDITOR}


@dataclass(frozen=True, slots=True)
class Organisation:
    """The organisation a token speaks for, with the role it gives."""

    external_id: str
    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class Identity:
    """A person as their identity provider describes them; `email` is only set when the provider has verified it.

    `workspace` is the workspace that the token names; whether the person belongs to it is asked later.
    """

    issuer: str
    external_id: str
    email: str | None
    name: str
    organisation: Organisation | None
    expires_at: datetime
    workspace: UUID | None = None


def read_identity(claims: dict[str, Any], *, trusts_email: bool) -> Identity:
    """Return whom the claims of a verified token describe.

    `trusts_email` takes the address of a provider that says nothing on whether it verified it.

    Raises:
        CredentialInvalid: an id is empty, odd or too long, or the workspace is no UUID.
    """
    return Identity(
        issuer=claims["iss"], external_id=_bounded(claims["sub"]),
        email=_read_email(claims.get("email")) if _is_verified(claims, trusts_email) else None,
        name=_read_name(claims), organisation=_read_organisation(claims), workspace=_read_workspace(claims),
        expires_at=datetime.fromtimestamp(min(int(claims["exp"]), FAR_FUTURE) + LEEWAY_S, UTC),
    )


def _is_verified(claims: dict[str, Any], trusts_email: bool) -> bool:
    """Say whether the provider vouches for the address.

    `email_verified` decides where it stands, also as the text that some providers send. Entra ID never sends it;
    its optional `xms_edov` says that the owner of the domain was verified. An address that anybody could have typed
    would open the invitations and the rights of whoever owns it, so silence means no unless the operator says so.
    """
    said = claims.get("email_verified")
    if said is None:
        said = claims.get("xms_edov")
    if said is None:
        return trusts_email
    return said is True or (isinstance(said, str) and said.strip().lower() in {"true", "1"}) or (
        isinstance(said, int) and said == 1)


def _read_name(claims: dict[str, Any]) -> str:
    parts = " ".join(filter(None, (printable(claims.get(part)) for part in ("given_name", "family_name"))))
    return (printable(claims.get("name")) or parts or printable(claims.get("preferred_username")))[:200]


def _read_workspace(claims: dict[str, Any]) -> UUID | None:
    """Return the workspace that the `workspace_id` claim names; a claim that is there and wrong names no other one."""
    claim = claims.get("workspace_id")
    if claim is None or claim == "":
        return None
    try:
        return UUID(claim)
    except (ValueError, TypeError, AttributeError):
        raise CredentialInvalid("The token's workspace_id claim is not a UUID. Correct the claim at the identity "
                                "provider, or leave it out and name the workspace in X-Workspace-ID.") from None


def _read_organisation(claims: dict[str, Any]) -> Organisation | None:
    """Read Clerk's organisation: `o: {id, rol, slg}` in version 2 tokens, `org_id, org_role, org_slug` before."""
    claim: Any = claims.get("o")
    if claim is None and claims.get("org_id"):
        claim = {"id": claims["org_id"], "rol": claims.get("org_role"), "slg": claims.get("org_slug")}
    if not isinstance(claim, dict):
        return None
    claim = cast("dict[str, Any]", claim)
    if not isinstance(claim.get("id"), str):
        return None
    role = str(claim.get("rol") or "").removeprefix("org:")
    return Organisation(
        external_id=_bounded(claim["id"]), name=printable(claim.get("slg") or claim["id"])[:100],
        role=ORGANISATION_ROLES.get(role, Role.VIEWER),
    )


def _bounded(external_id: str) -> str:
    if not 0 < len(external_id) <= 255 or not external_id.isprintable():
        raise CredentialInvalid("The token names a person or organisation by an id that is empty, odd or too long.")
    return external_id


def _read_email(claim: object) -> str | None:
    email = printable(claim).lower()
    return email if email == str(claim).strip().lower() and "@" in email and len(email) <= 320 else None


def printable(claim: object) -> str:
    """Return a claim's text without characters that cannot be stored or shown."""
    return "".join(ch for ch in claim if ch.isprintable()).strip() if isinstance(claim, str) else ""


def issuer_of_keys(url: str | None) -> str | None:
    """Return the issuer whose keys lie at an address of a well-known form; None for every other address."""
    for form, issuer in ISSUERS_OF_KEYS:
        if url and (found := form.fullmatch(url)):
            return found.expand(issuer)
    return None


def refuse_unnamed_issuer(settings: Settings) -> None:
    """Refuse to start when keys are configured and whose they are cannot be told: every token would be refused.

    Raises:
        IssuerUnnamed: says which variable names the issuer.
    """
    has_keys = settings.jwks_url or settings.jwt_key
    host = clerk_host(settings.clerk_publishable_key)
    if has_keys and not (settings.jwt_issuer or issuer_of_keys(settings.jwks_url) or (host and not settings.jwks_url)):
        raise IssuerUnnamed(settings.jwks_url)


def keys_address(settings: Settings) -> str | None:
    """Return where the issuer of the settings publishes its keys; None where none is named."""
    host = clerk_host(settings.clerk_publishable_key)
    return settings.jwks_url or (f"https://{host}{WELL_KNOWN}" if host else None)


def clerk_host(publishable_key: str | None) -> str | None:
    """Return the host that a Clerk publishable key names (base64 after `pk_test_` or `pk_live_`), if it names one."""
    encoded = (publishable_key or "").rpartition("_")[2]
    try:
        decoded = base64.b64decode(encoded + "=" * (-len(encoded) % 4)).decode("ascii")
    except ValueError:
        return None
    host = decoded.removesuffix("$")
    return host if "." in host and all(ch.isalnum() or ch in ".-" for ch in host) else None
