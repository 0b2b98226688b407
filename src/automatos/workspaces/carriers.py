"""Reading a request: which credential it carries, which workspace it names, whether it comes from our own pages."""

from typing import Protocol
from urllib.parse import urlsplit
from uuid import UUID

from starlette.requests import Request

from automatos.kernel.config import Settings
from automatos.kernel.hosts import is_loopback, own_hosts
from automatos.kernel.services import services_of
from automatos.workspaces.errors import CredentialAmbiguous, CredentialInvalid, SameOriginRequired, WorkspaceIdInvalid
from automatos.workspaces.types import ALL_WORKSPACES, SESSION_COOKIE, Carrier, Presented

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
MAX_SECRET_LENGTH = 8192
_SIGNS_OF_A_PROXY = ("x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "forwarded", "x-real-ip", "via")


class AddressServices(Protocol):
    """What is needed of the process."""

    settings: Settings


def read_presented(request: Request) -> Presented:
    """Read what a request shows for itself; exactly one credential is taken and no other one is ever tried.

    Raises:
        CredentialAmbiguous: a header that carries a credential was sent twice.
        CredentialInvalid: the Authorization header has a scheme we do not know, or nothing after it.
        SameOriginRequired: a change by cookie, or with no credential, that may come from another site.
        WorkspaceIdInvalid: the workspace is empty, malformed or named twice.
    """
    carrier, secret = _read_credential(request)
    if request.method not in SAFE_METHODS and carrier in {Carrier.COOKIE, Carrier.NOTHING}:
        require_same_origin(request, proof_needed=carrier is Carrier.COOKIE)
    workspace, wants_all = _read_workspace(request)
    return Presented(
        carrier=carrier, secret=secret, workspace=workspace, wants_all=wants_all,
        request_id=getattr(request.state, "request_id", ""), client_address=client_address(request),
    )


def client_address(request: Request) -> str:
    """Return the address the server found for this client: the peer's, or what a trusted proxy says."""
    return getattr(request.state, "client_address", None) or (request.client.host if request.client else "")


def is_https(request: Request) -> bool:
    """Say whether the browser speaks https with us, itself or with the proxy that the public address names."""
    if request.url.scheme == "https":
        return True
    public = urlsplit(services_of(request, AddressServices).settings.public_url or "")
    return public.scheme == "https" and public.netloc.lower() == request.headers.get("host", "").lower()


def public_address(request: Request) -> str:
    """Return the address of this server as its people know it, without a slash at the end."""
    seen = f"{request.url.scheme}://{request.url.netloc}"
    return services_of(request, AddressServices).settings.outside_address(seen)


def is_from_this_machine(request: Request) -> bool:
    """Say whether a request comes from this machine: from loopback, straight, to a name of this machine.

    Behind a proxy everybody comes from loopback, and a foreign name that resolves to loopback is a rebinding attack.
    A proxy need not say that it is one: nginx with a bare `proxy_pass` sends our own address as the host and no sign
    of the client, but speaks HTTP/1.0. Where the operator named hosts beyond loopback, people come from elsewhere by
    whatever way, and nobody counts as near.
    """
    if any(header in request.headers for header in _SIGNS_OF_A_PROXY) or request.scope.get("http_version") == "1.0":
        return False
    if own_hosts(services_of(request, AddressServices).settings).is_known_outside:
        return False
    return is_loopback(request.client.host if request.client else "") and is_loopback(request.url.hostname or "")


def require_same_origin(request: Request, *, proof_needed: bool) -> None:
    """Refuse a change that another site's page may have sent through a visitor's browser.

    Browsers add `Sec-Fetch-Site` and `Origin` by themselves and let no foreign page set `X-Requested-With`. Without a
    cookie nothing has to be proven (`proof_needed` false, command-line tools send none of them), but a sign of a
    foreign page is refused all the same, and an origin that is named is judged whatever else is sent.
    """
    headers = request.headers
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if origin is not None:
        if not _is_known_origin(request, origin):
            raise SameOriginRequired
        return
    if _has_proof(request):
        return
    if site is not None:
        if site != "same-origin":
            raise SameOriginRequired
        return
    if proof_needed:
        raise SameOriginRequired


def _is_known_origin(request: Request, origin: str) -> bool:
    """Judge an origin by the closed list; one the operator lets call with credentials gives the header as its proof."""
    settings, server = services_of(request, AddressServices).settings, request.scope.get("server")
    if own_hosts(settings).is_own_origin(origin, request.headers.get("host", ""), server[1] if server else None):
        return True
    return origin in settings.cors_allow_origins and _has_proof(request)


def _has_proof(request: Request) -> bool:
    return request.headers.get("x-requested-with", "").lower() == "automatos"


def _read_credential(request: Request) -> tuple[Carrier, str]:
    authorization = _read_once(request, "authorization")
    if authorization is not None:
        scheme, _, secret = authorization.strip().partition(" ")
        carrier = {"bearer": Carrier.BEARER, "apikey": Carrier.API_KEY}.get(scheme.lower())
        if carrier is None:
            raise CredentialInvalid("The Authorization header must be `Bearer <token>` or `ApiKey <key>`.")
        return carrier, _bounded(secret.strip())
    key = _read_once(request, "x-api-key")
    if key is not None:
        return Carrier.API_KEY, _bounded(key.strip())
    cookie = request.cookies.get(SESSION_COOKIE)
    return (Carrier.NOTHING, "") if not cookie else (Carrier.COOKIE, _bounded(cookie))


def _read_once(request: Request, header: str) -> str | None:
    values = request.headers.getlist(header)
    if len(values) > 1:
        raise CredentialAmbiguous(header)
    return values[0] if values else None


def _bounded(secret: str) -> str:
    if not secret or len(secret) > MAX_SECRET_LENGTH:
        raise CredentialInvalid("The credential is empty or far too long. Send a token or an API key of this server.")
    return secret


def _read_workspace(request: Request) -> tuple[UUID | None, bool]:
    """Return the workspace that the path, the header or the query names, in this order, and whether `__all__` is named.

    All of them are checked, also those that lose: a malformed one is a mistake worth telling.
    """
    named = [
        ("X-Workspace-ID", request.headers.getlist("x-workspace-id")),
        ("workspace_id", request.query_params.getlist("workspace_id")),
    ]
    if path := request.path_params.get("workspace_id"):
        named.insert(0, ("workspace_id in the path", [str(path)]))
    texts = [(where, _only(where, values)) for where, values in named if values]
    chosen = [None if text == ALL_WORKSPACES else _parse(where, text) for where, text in texts]
    return (chosen[0] if chosen else None), any(text == ALL_WORKSPACES for _, text in texts)


def _only(where: str, values: list[str]) -> str:
    if len(values) > 1:
        raise WorkspaceIdInvalid(where, "was sent more than once")
    return values[0].strip()


def _parse(where: str, text: str) -> UUID:
    if not text:
        raise WorkspaceIdInvalid(where, "is empty")
    try:
        parsed = UUID(text)
    except ValueError:
        raise WorkspaceIdInvalid(where, "is not a UUID") from None
    if str(parsed) != text.lower():
        raise WorkspaceIdInvalid(where, "is not a UUID in its usual form")
    return parsed
