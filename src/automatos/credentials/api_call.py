"""Trying the credential of a web API: one GET with it."""

import asyncio
import base64
from collections.abc import Mapping
from typing import Any

import aiohttp
import orjson

from automatos.credentials.addresses import host_of
from automatos.credentials.contents import Fields
from automatos.credentials.errors import CredentialUntestable
from automatos.credentials.probe import ProbeResult
from automatos.kernel.http import AddressRefused, Http

DEADLINE_S = 10.0
MAX_BODY_BYTES = 64 * 1024


async def call_api(http: Http, fields: Fields, test: Mapping[str, Any], *, allow_private: bool) -> ProbeResult:
    """Ask the address of a type's test with these fields; follows no redirect and repeats nothing that came back.

    `test` holds `url`, and `auth`: ways to authorise, of which the first whose fields are all there is taken. Each
    names `fields` and a `header` with its `value` (both with `{field}` placeholders), or is `basic` with two fields.
    `expect` holds members that the JSON answer must have.

    Raises:
        CredentialUntestable: the credential lacks an address to try it at, or has one that is not to be called.
    """
    url = _filled(str(test["url"]), fields) if all(fields.get(name) for name in test.get("needs", ())) else ""
    if not url:
        raise CredentialUntestable(f"Fill in {' and '.join(test['needs'])} to try this credential. It was not tried.")
    try:
        host = host_of(url.partition("?")[0])
    except ValueError as error:
        raise CredentialUntestable(f"Its address {error} It was not tried.") from error
    try:
        async with asyncio.timeout(DEADLINE_S):
            return await _ask(http, host, url, _headers(test, fields), test.get("expect"), allow_private=allow_private)
    except TimeoutError:
        return ProbeResult("failed", f"{host} did not answer within {DEADLINE_S:.0f} seconds.")
    except aiohttp.ClientConnectorError as error:
        if isinstance(error.os_error, AddressRefused):
            return ProbeResult("failed", "The address is a private one, which is not allowed here.")
        return ProbeResult("failed", f"{host} cannot be reached. Check the address and this server's network.")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return ProbeResult("failed", f"The connection to {host} broke ({type(error).__name__}).")


def _headers(test: Mapping[str, Any], fields: Fields) -> dict[str, str]:
    for way in test.get("auth", ()):
        if not all(fields.get(name) for name in way["fields"]):
            continue
        if way.get("basic"):
            user, password = (str(fields[name]) for name in way["fields"])
            return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}
        return {_filled(way["header"], fields): _filled(way["value"], fields)}
    return {}


def _filled(template: str, fields: Fields) -> str:
    """Put the fields into their placeholders; what a field holds is never read as a template."""
    parts = template.split("{")
    filled = [parts[0]]
    for part in parts[1:]:
        name, _, rest = part.partition("}")
        filled += [str(fields.get(name) or ""), rest]
    return "".join(filled)


async def _ask(http: Http, host: str, url: str, headers: dict[str, str], expect: Mapping[str, Any] | None, *,
               allow_private: bool) -> ProbeResult:
    session = http.session(allow_private=allow_private)
    async with session.get(url, headers=headers, allow_redirects=False) as response:
        if not 200 <= response.status < 300:
            return ProbeResult("failed", _meaning(response.status, host))
        body = await response.content.read(MAX_BODY_BYTES)
        response.close()
    if expect is not None and not _is_as_expected(body, expect):
        return ProbeResult("failed", f"{host} answered, but did not accept the credential.")
    return ProbeResult("passed", f"{host} accepted the credential.")


def _is_as_expected(body: bytes, expect: Mapping[str, Any]) -> bool:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    return isinstance(document, dict) and all(document.get(name) == value for name, value in expect.items())


def _meaning(status: int, host: str) -> str:
    if status in {401, 403}:
        return f"{host} does not accept this credential ({status}). Check that it was copied whole and is still valid."
    if 300 <= status < 400:
        return f"{host} answered with a redirect ({status}), which is not followed. Give the final address."
    if status == 429:
        return f"{host} limits the rate just now (429). Test again later."
    return f"{host} answered {status}. Check the address, or try again later."
