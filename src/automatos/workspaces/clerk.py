"""Asking Clerk for what its session tokens leave out: a person's verified email address and name."""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import aiohttp
import structlog

from automatos.kernel.config import Settings
from automatos.workspaces.claims import Identity, printable

TIMEOUT_S = 5.0

log = structlog.get_logger("automatos.workspaces")


class ClerkPeople:
    """Clerk's backend API, with CLERK_SECRET_KEY; without the key nothing is asked."""

    def __init__(self, settings: Settings) -> None:
        self._secret = settings.clerk_secret_key.get_secret_value() if settings.clerk_secret_key else ""
        self._url = settings.clerk_api_url.rstrip("/")

    async def complete(self, identity: Identity) -> Identity:
        """Return the identity with the address and the name that Clerk knows; as it was when Clerk cannot be asked.

        Asked once for each person, at their first sign-in: a token that has an address is enough by itself.
        """
        if not self._secret or identity.email:
            return identity
        try:
            person = await self._fetch(identity.external_id)
            return replace(identity, email=_verified_email(person), name=identity.name or _name(person))
        except (OSError, ValueError, AttributeError, TypeError, aiohttp.ClientError) as error:
            log.warning("clerk.person_not_read", error=type(error).__name__, reason=str(error)[:200])
            return identity

    async def _fetch(self, external_id: str) -> dict[str, Any]:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        async with aiohttp.ClientSession(timeout=timeout) as http, http.get(
            f"{self._url}/v1/users/{quote(external_id, safe='')}",
            headers={"Authorization": f"Bearer {self._secret}"}, allow_redirects=False,
        ) as response:
            if response.status != 200:
                raise ValueError(f"Clerk answered {response.status}")
            person = json.loads(await response.read())
        if not isinstance(person, dict) or person.get("id") != external_id:
            raise ValueError("Clerk answered with somebody else")
        return person


def _verified_email(person: dict[str, Any]) -> str | None:
    """Return the primary address, if Clerk has verified it."""
    for each in person.get("email_addresses") or ():
        is_primary = each.get("id") == person.get("primary_email_address_id")
        if is_primary and (each.get("verification") or {}).get("status") == "verified":
            email = printable(each.get("email_address")).lower()
            return email if "@" in email and len(email) <= 320 else None
    return None


def _name(person: dict[str, Any]) -> str:
    return " ".join(filter(None, (printable(person.get(part)) for part in ("first_name", "last_name"))))[:200]
