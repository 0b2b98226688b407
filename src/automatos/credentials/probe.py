"""Trying a key: one real request for the list of models."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

import aiohttp
import orjson

from automatos.credentials.types import ProviderAccess
from automatos.kernel.clock import now
from automatos.kernel.error_bodies import read_error
from automatos.kernel.forbidden import Forbidden, why_forbidden
from automatos.kernel.http import AddressRefused, Http
from automatos.kernel.secret import Secret

DEADLINE_S = 10.0
MAX_BODY_BYTES = 4 * 1024 * 1024
MAX_ERROR_BYTES = 16 * 1024
MAX_NAMES = 50
_FORBIDDEN = {
    Forbidden.MODERATED: "{} stopped the request by its moderation (403). That says nothing against the key.",
    Forbidden.PLACE: "{} does not serve this server's country or region (403). The key may be right.",
    Forbidden.CREDIT: "{} wants the account's billing settled first (403). The key may be right.",
    Forbidden.RIGHTS: "{} does not let this key list models (403). The key may be right: look at the rights of its "
                      "project or organisation there, or try an agent with it.",
    Forbidden.PAGE: "A web page answered for {} (403), as firewalls send. Check the base URL and this server's "
                    "network.",
}


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What came of trying a key; the message is ours, never the provider's own text."""

    status: Literal["passed", "failed"]
    message: str
    models: list[str] = field(default_factory=list)
    tested_at: datetime = field(default_factory=now)


async def probe(http: Http, access: ProviderAccess, most_names: int = MAX_NAMES, *, proves: bool = True) -> ProbeResult:
    """Ask the provider for its models with this key; takes at most ten seconds, follows no redirect, never raises.

    No more than `most_names` models are named. `proves` asks once more without the key, to know what the list proves.
    """
    name = access.provider.display_name
    try:
        async with asyncio.timeout(DEADLINE_S):
            return await _ask(http, access, most_names, proves=proves)
    except TimeoutError:
        return ProbeResult("failed", f"{name} did not answer within {DEADLINE_S:.0f} seconds. Check the base URL.")
    except aiohttp.ClientConnectorError as error:
        if isinstance(error.os_error, AddressRefused):
            return ProbeResult("failed", "The base URL leads to a private address, which is not allowed here.")
        return ProbeResult("failed", f"{name} cannot be reached at {error.host}:{error.port}. Check the base URL and "
                                     "this server's network.")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return ProbeResult("failed", f"The connection to {name} broke ({type(error).__name__}). Check the base URL.")


async def _ask(http: Http, access: ProviderAccess, most_names: int, *, proves: bool) -> ProbeResult:
    path, headers = _request(access)
    session = http.session(allow_private=access.allow_private)
    async with session.get(access.base_url + path, headers=headers, allow_redirects=False) as response:
        if response.status != 200:
            said = await _words(response) if response.status == 403 else b""
            return ProbeResult("failed", _meaning(response.status, access, said))
        body = await response.content.read(MAX_BODY_BYTES)
        while not response.content.at_eof() and len(body) < MAX_BODY_BYTES:
            body += await response.content.read(MAX_BODY_BYTES - len(body))
        response.close()
    names = _names(body)
    if names is None:
        return ProbeResult("failed", "What answered is not a model API. Check the base URL: for most providers it ends "
                                     "in /v1.")
    if access.key and proves and await _is_public(session, access):
        return ProbeResult("passed", f"{access.provider.display_name} offers {len(names)} models. It shows that list "
                                     "to everybody, so only a call to a model proves the key: try it on an agent.",
                           names[:most_names])
    return ProbeResult("passed", f"{access.provider.display_name} accepted the key and offers {len(names)} models.",
                       names[:most_names])


def _request(access: ProviderAccess) -> tuple[str, dict[str, str]]:
    if access.provider.wire == "anthropic":
        return "/v1/models", {"x-api-key": access.key.reveal(), "anthropic-version": "2023-06-01"}
    if access.provider.key_header:
        return "/models", {access.provider.key_header: access.key.reveal()}
    return "/models", {"Authorization": f"Bearer {access.key.reveal()}"} if access.key else {}


async def _is_public(session: aiohttp.ClientSession, access: ProviderAccess) -> bool:
    """Say whether the list of models comes without any key too, and so proves none."""
    path, headers = _request(replace(access, key=Secret("")))
    async with session.get(access.base_url + path, headers=headers, allow_redirects=False) as response:
        response.close()
        return response.status == 200


async def _words(response: aiohttp.ClientResponse) -> bytes:
    """Return as much of an error as says what it is about."""
    said = b""
    while len(said) < MAX_ERROR_BYTES and (chunk := await response.content.read(MAX_ERROR_BYTES - len(said))):
        said += chunk
    response.close()
    return said


def _meaning(status: int, access: ProviderAccess, said: bytes) -> str:
    name = access.provider.display_name
    if status == 403 and (sentence := _FORBIDDEN.get(why_forbidden(read_error(said)))):
        return sentence.format(name)
    if status in {401, 403}:
        return f"{name} does not accept this key ({status}). Check that it was copied whole and is still valid."
    if status == 404:
        return f"{name} has no list of models at this address (404). Check the base URL: for most it ends in /v1."
    if status == 429:
        return f"{name} limits the rate just now (429). The key may be right; test again later."
    if 300 <= status < 400:
        return f"{name} answered with a redirect ({status}), which is not followed. Give the final address."
    return f"{name} answered {status}. Try again later."


def _names(body: bytes) -> list[str] | None:
    """Return the model names of an answer, None when it is no list of models.

    The list stands in `data` or `models`, or is all there is; a model is an object with an id or a name, or its name.
    """
    try:
        document: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    rows: Any = (document.get("data") or document.get("models")) if isinstance(document, dict) else document
    if rows is None and isinstance(document, dict) and document.keys() & {"data", "models"}:
        rows = []
    if not isinstance(rows, list):
        return None
    named = (row if isinstance(row, str) else _name_of(row) for row in rows)  # pyright: ignore[reportUnknownVariableType]
    return [name[:200] for name in named if name]


def _name_of(row: object) -> str:
    """Return how a model is asked for; Google writes `models/` before it, where nobody else does."""
    if not isinstance(row, dict):
        return ""
    found: Any = next((row[key] for key in ("id", "model", "name") if row.get(key)), "")  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return str(found).removeprefix("models/")
