"""What a git host's answers mean before any of it is read, and why one could not be asked."""

import aiohttp
from yarl import URL

from automatos.kernel.http import AddressRefused
from automatos.skills.errors import GitRefused, GitUnreachable

CHALLENGES = ("cf-mitigated", "x-datadome", "x-sucuri-id")


def judge(response: aiohttp.ClientResponse, wanted: str, *, has_credential: bool) -> None:
    """Return when an answer is git's; raises GitRefused or GitUnreachable with what it is instead."""
    place = f"{response.url.origin()}{response.url.path}"
    if 300 <= response.status < 400:
        target = response.headers.get("Location", "")[:300]
        raise GitRefused(f"{place} redirects to {target!r}, which is not followed. Use the address it leads to.")
    if _is_challenge(response):
        raise GitUnreachable(
            f"{place} answered {response.status} with a page that wants to see a browser (a challenge). This host lets "
            "no programs read the repository; ask its operators to let git through, or upload a ZIP.")
    if response.status in {401, 403, 404}:
        raise GitUnreachable(f"{place} answered {response.status}: {_why_hidden(has_credential=has_credential)}")
    if response.status != 200:
        raise GitUnreachable(f"{place} answered {response.status}.")
    if response.content_type != wanted:
        what = "with a web page" if response.content_type == "text/html" else repr(response.content_type[:100])
        raise GitUnreachable(f"{place} is not a git server: it answered {what}, not {wanted}. Give the address that "
                             "the repository's page offers for cloning over HTTPS.")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise GitUnreachable(f"{place} sent a compressed answer, which was not asked for.")


def _is_challenge(response: aiohttp.ClientResponse) -> bool:
    if any(response.headers.get(name) for name in CHALLENGES):
        return True
    return response.content_type == "text/html" and response.status in {200, 403, 429, 503} and (
        "cloudflare" in response.headers.get("Server", "").lower() or response.status in {429, 503})


def _why_hidden(*, has_credential: bool) -> str:
    if has_credential:
        return ("there is no such repository, or the chosen credential may not read it. Check that the token is valid "
                "and may read this repository's contents.")
    return "there is no such repository, or it is private. For a private one, choose a stored credential."


def told(url: URL, error: aiohttp.ClientError) -> GitRefused | GitUnreachable:
    """Say why a repository could not be read, without what the libraries say of our side."""
    host = url.host or ""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return GitUnreachable(f"git_url: the name {host} could not be resolved.")
    if isinstance(error, aiohttp.ClientSSLError):
        return GitUnreachable(f"git_url: {host}: its certificate or TLS was not accepted.")
    if isinstance(error, aiohttp.ClientConnectorError):
        if isinstance(error.os_error, AddressRefused) or "not a public address" in str(error.os_error):
            return GitRefused(f"git_url: {host} is, or leads to, a private or internal address.", field="git_url")
        return GitUnreachable(f"git_url: {host} could not be connected to.")
    return GitUnreachable(f"git_url: {host} did not answer as HTTP, or hung up.")
