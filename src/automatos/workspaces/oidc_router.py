"""HTTP of signing in by browser at an OpenID Connect provider, and of signing out there too."""

import json
import re
import time
from dataclasses import asdict
from typing import Annotated
from urllib.parse import urlencode

import structlog
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from automatos.kernel.crypto import SealBroken, Vault
from automatos.kernel.errors import DatabaseUnavailable, Problem
from automatos.kernel.services import services_of
from automatos.workspaces import schemas, sessions
from automatos.workspaces.authenticate import RequestAuthenticator, SignInServices
from automatos.workspaces.carriers import is_https, public_address, require_same_origin
from automatos.workspaces.errors import CredentialInvalid, SignInRefused
from automatos.workspaces.oidc import CALLBACK_PATH, Pending, SignedIn
from automatos.workspaces.types import SESSION_COOKIE, Carrier, Presented

PATH = "/api/auth/oidc"
PENDING_S = 600
PENDING_COOKIE = "automatos_oidc_"
TOKEN_COOKIE = "automatos_id_token"  # noqa: S105 - a name
MAX_COOKIE = 3500
OWN_PATH = re.compile(r"/(?![/\\])[^\x00-\x20\x7f\\]*")
"""An address of this site: one slash, no host, nothing that a browser would read as one."""

router = APIRouter(prefix=PATH, tags=["auth"])
log = structlog.get_logger("automatos.workspaces")


@router.get("/sign-in", status_code=303, response_class=RedirectResponse)
async def sign_in_at_provider(request: Request, next: Annotated[str, Query(max_length=1000)] = "/") -> Response:  # noqa: A002
    """Send the browser to the provider; `next` is the page of this site to come back to."""
    authenticator = _authenticator(request)
    redirect_uri = public_address(request) + CALLBACK_PATH
    try:
        url, pending = await authenticator.oidc.begin(redirect_uri, own_path(next))
    except SignInRefused as refused:
        return _explain(request, refused, own_path(next))
    response = RedirectResponse(url, 303, headers={"Cache-Control": "no-store"})
    sealed = _vault(request).seal(json.dumps(asdict(pending)).encode(), PENDING_COOKIE.encode()).hex()
    _set_cookie(request, response, PENDING_COOKIE + pending.state[:12], sealed, PENDING_S)
    return response


@router.get("/callback", include_in_schema=False)
async def come_back(request: Request) -> Response:
    """Take the browser back from the provider, signed in or with the reason why not."""
    authenticator, query = _authenticator(request), request.query_params
    name = PENDING_COOKIE + query.get("state", "")[:12]
    pending = _read_pending(request, name)
    if pending is None or pending.state != query.get("state"):
        return _explain(request, SignInRefused("sign_in_expired", "no such sign-in was begun in this browser"), "/")
    try:
        signed_in, user_id = await _finish(request, authenticator, pending)
    except DatabaseUnavailable:
        raise  # nobody was refused
    except Problem as problem:
        refused = problem if isinstance(problem, SignInRefused) else SignInRefused("account_refused", problem.detail)
        return _explain(request, refused, pending.next, forget=name)
    opened = await sessions.open_lasting_session(
        authenticator.database, authenticator.settings, user_id, request.headers.get("user-agent", ""),
        signed_in.identity)
    response = RedirectResponse(authenticator.settings.base_path + pending.next, 303,
                                headers={"Cache-Control": "no-store"})
    sessions.set_session_cookie(response, authenticator.settings, opened, is_secure=is_https(request))
    _forget(request, response, name)
    sealed = _vault(request).seal(signed_in.id_token.encode(), TOKEN_COOKIE.encode()).hex()
    if len(sealed) <= MAX_COOKIE:
        _set_cookie(request, response, TOKEN_COOKIE, sealed, authenticator.settings.session_days * 86_400)
    return response


@router.post("/sign-out")
async def sign_out_of_provider(request: Request, response: Response) -> schemas.SignedOut:
    """End the session of the cookie; the answer names the page that ends the provider's session too."""
    require_same_origin(request, proof_needed=SESSION_COOKIE in request.cookies)
    authenticator = _authenticator(request)
    if token := request.cookies.get(SESSION_COOKIE):
        await sessions.sign_out(authenticator.database, token)
    sessions.forget_session_cookie(response, authenticator.settings)
    back = f"{public_address(request)}/sign-in"
    hint = _open_sealed(request, TOKEN_COOKIE, TOKEN_COOKIE)
    _forget(request, response, TOKEN_COOKIE)
    address = await authenticator.oidc.sign_out_address(hint, back) if authenticator.oidc.is_configured else None
    return schemas.SignedOut(url=address or back)


def own_path(text: str) -> str:
    """Return a page of this site, or its front page for anything that may lead elsewhere."""
    return text if OWN_PATH.fullmatch(text) else "/"


async def _finish(request: Request, authenticator: RequestAuthenticator, pending: Pending) -> tuple[SignedIn, int]:
    query = request.query_params
    if error := query.get("error"):
        code = "access_denied" if error in {"access_denied", "login_required"} else "provider_refused"
        raise SignInRefused(code, f"{error}: {query.get('error_description', '')}"[:300])
    if not query.get("code"):
        raise SignInRefused("provider_refused", "the provider sent neither a code nor an error")
    if query.get("iss") not in {None, (await authenticator.oidc.describe())["issuer"]}:
        raise SignInRefused("token_refused", "the answer is of another issuer")
    signed_in = await authenticator.oidc.finish(pending, query["code"])
    try:
        row = await authenticator.recognise(signed_in.identity, Presented(Carrier.BEARER, ""))
    except CredentialInvalid as error:
        raise SignInRefused("account_off", error.detail) from error
    return signed_in, row["id"]


def _explain(request: Request, refused: SignInRefused, next_path: str, *, forget: str | None = None) -> Response:
    """Lead back to the sign-in page, which says what happened; the log says more."""
    log.warning("oidc.sign_in_refused", reason=refused.reason, detail=refused.detail)
    settings = services_of(request, SignInServices).settings
    query = urlencode({"problem": refused.reason} | ({"next": next_path} if next_path != "/" else {}))
    response = RedirectResponse(f"{settings.base_path}/sign-in?{query}", 303, headers={"Cache-Control": "no-store"})
    if forget:
        _forget(request, response, forget)
    return response


def _read_pending(request: Request, name: str) -> Pending | None:
    text = _open_sealed(request, name, PENDING_COOKIE)
    pending = Pending(**json.loads(text)) if text else None
    return pending if pending and time.time() - pending.began_at < PENDING_S else None


def _open_sealed(request: Request, name: str, purpose: str) -> str | None:
    try:
        return _vault(request).open(bytes.fromhex(request.cookies.get(name, "")), purpose.encode()).decode()
    except (SealBroken, ValueError):
        return None


def _set_cookie(request: Request, response: Response, name: str, value: str, max_age_s: int) -> None:
    response.set_cookie(name, value, max_age=max_age_s, path=_cookie_path(request), httponly=True, samesite="lax",
                        secure=is_https(request))


def _forget(request: Request, response: Response, name: str) -> None:
    response.delete_cookie(name, path=_cookie_path(request), httponly=True, samesite="lax")


def _cookie_path(request: Request) -> str:
    return services_of(request, SignInServices).settings.base_path + PATH


def _authenticator(request: Request) -> RequestAuthenticator:
    return services_of(request, SignInServices).authenticator


def _vault(request: Request) -> Vault:
    return services_of(request, SignInServices).vault
