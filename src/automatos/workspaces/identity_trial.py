"""Trying the identity provider as a sign-in will use it: its description, its keys, our address there, its clock."""

import json
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import aiohttp

from automatos.kernel.config import Settings
from automatos.workspaces.claims import LEEWAY_S, keys_address
from automatos.workspaces.errors import SignInRefused
from automatos.workspaces.oidc import CALLBACK_PATH, TIMEOUT_S, OidcProvider

MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class IdentityTrial:
    """What an identity provider answered.

    `redirect_uri` is the address of ours that it has to know, `refusal` how it refused it; None where tokens alone are
    taken. `ahead_s` is how far its clock is ahead of ours, 0 within what tokens are allowed.
    """

    provider: str
    keys: int
    ahead_s: int
    redirect_uri: str | None = None
    refusal: str | None = None


async def try_identity_provider(settings: Settings, seen_at: str) -> IdentityTrial | None:
    """Ask the provider all that comes before its login page; None where no provider has to be asked.

    Raises:
        SignInRefused: it does not answer, describes itself as another one, or has no usable keys.
    """
    oidc = OidcProvider(settings)
    if not oidc.is_configured:
        url = None if settings.jwt_key else keys_address(settings)
        return IdentityTrial(url, *await _read_keys(url)) if url else None
    found = await oidc.describe()
    redirect_uri = settings.outside_address(seen_at) + CALLBACK_PATH
    login, _ = await oidc.begin(redirect_uri, "/")
    return IdentityTrial(found["issuer"], *await _read_keys(found["jwks_uri"]), redirect_uri,
                         await _refusal(login, redirect_uri))


async def _read_keys(url: str) -> tuple[int, int]:
    """Return how many signing keys an address publishes, and how far its clock is ahead."""
    began = time.time()
    status, headers, text = await _get(url, follow=True)
    ended = time.time()
    try:
        found = json.loads(text)
        keys = cast("list[Any]", found["keys"]) if status == 200 and isinstance(found["keys"], list) else []
    except (ValueError, KeyError, TypeError):
        keys = []
    if not keys:
        raise SignInRefused("provider_misconfigured", f"{url} answered {status} without signing keys")
    return len(keys), _ahead_s(headers.get("Date"), began, ended)


def _ahead_s(date: str | None, began: float, ended: float) -> int:
    try:
        theirs = parsedate_to_datetime(date or "").timestamp()
    except ValueError:
        return 0
    ahead = theirs - ended if theirs > ended else min(theirs + 1 - began, 0)  # their seconds are cut off
    return round(ahead) if abs(ahead) > LEEWAY_S else 0


async def _refusal(login: str, redirect_uri: str) -> str | None:
    """Say how the provider refuses to show its login page; None when it shows it, or leads on to it."""
    status, headers, _ = await _get(login, follow=False)
    target = headers.get("Location", "")
    if target.startswith(redirect_uri):
        told = parse_qs(urlsplit(target).query)
        return ": ".join(told[name][0][:200] for name in ("error", "error_description") if name in told) or None
    return f"it answers {status}" if status >= 400 else None


async def _get(url: str, *, follow: bool) -> tuple[int, Any, str]:
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S / 2)
    try:
        async with aiohttp.ClientSession(timeout=timeout, trust_env=True) as http, http.get(
                url, allow_redirects=follow) as answer:
            content = await answer.content.read(MOST_BYTES)
            while len(content) < MOST_BYTES and (more := await answer.content.read(MOST_BYTES - len(content))):
                content += more
            return answer.status, answer.headers, content.decode("utf-8", "replace")
    except (OSError, ValueError, aiohttp.ClientError) as error:
        where = urlsplit(url)._replace(query="").geturl()
        raise SignInRefused("provider_unavailable", f"{where}: {error or type(error).__name__}") from error
