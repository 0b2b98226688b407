"""Signing in by browser at an OpenID Connect provider: authorization code, PKCE, state and nonce, by Authlib."""

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode, urlsplit

import aiohttp
import structlog
from jwt.exceptions import ExpiredSignatureError, ImmatureSignatureError, PyJWTError

from automatos.kernel.config import Settings
from automatos.workspaces.claims import Identity, read_identity
from automatos.workspaces.errors import CredentialInvalid, IssuerUnavailable, SignInRefused
from automatos.workspaces.issuer import SigningKeys, decode_token, refused

if TYPE_CHECKING:
    from automatos.workspaces.code_flow import CodeFlow

CALLBACK_PATH = "/api/auth/oidc/callback"
"""Where the provider sends browsers back to; it has to know the whole address."""
DISCOVERY = "/.well-known/openid-configuration"
TIMEOUT_S = 10.0
KEEP_DISCOVERY_S = 3600.0
NEEDED = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")

log = structlog.get_logger("automatos.workspaces")


@dataclass(frozen=True, slots=True)
class Pending:
    """A sign-in on its way through the provider's pages; kept sealed in the browser that began it."""

    state: str
    nonce: str
    verifier: str
    redirect_uri: str
    next: str
    began_at: float


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who came back, with the token that tells the provider at sign-out whom to sign out."""

    identity: Identity
    id_token: str


class OidcProvider:
    """The one provider of the settings; its description is read at the first sign-in and kept for an hour."""

    def __init__(self, settings: Settings) -> None:
        self._issuer = settings.oidc_issuer or ""
        self._client_id = settings.oidc_client_id or ""
        self._secret = settings.oidc_client_secret.get_secret_value() if settings.oidc_client_secret else None
        self._scope = settings.oidc_scopes
        self._trusts_email = settings.jwt_trust_email
        self._audience = settings.jwt_audience or self._client_id
        self._found: dict[str, Any] = {}
        self._found_at = 0.0
        self._keys: SigningKeys | None = None

    @property
    def is_configured(self) -> bool:
        """Whether people can sign in at a provider by browser."""
        return bool(self._issuer and self._client_id)

    async def begin(self, redirect_uri: str, next_path: str) -> tuple[str, Pending]:
        """Return the provider's address to send the browser to, and what its return must match.

        Raises:
            SignInRefused: the provider does not answer, or describes itself as another one.
        """
        from automatos.workspaces.code_flow import new_secret

        flow = self._flow(await self.describe())
        pending = Pending(new_secret(43), new_secret(43), new_secret(64), redirect_uri, next_path, time.time())
        return flow.login_address(state=pending.state, nonce=pending.nonce, verifier=pending.verifier,
                                  redirect_uri=redirect_uri), pending

    async def finish(self, pending: Pending, code: str) -> SignedIn:
        """Trade the code for tokens and return whose they are.

        Raises:
            SignInRefused: the code or a token is not accepted, or the provider does not answer.
        """
        from automatos.workspaces.code_flow import check_id_token

        found = await self.describe()
        answer = await self._trade(found, pending, code)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise SignInRefused("token_refused", "no id_token was sent; is openid among AUTOMATOS_OIDC_SCOPES?")
        claims = await self._claims(found, token)
        check_id_token(claims, token, nonce=pending.nonce, client_id=self._client_id,
                       access_token=answer.get("access_token"))
        try:
            return SignedIn(read_identity(claims, trusts_email=self._trusts_email), token)
        except CredentialInvalid as error:
            raise SignInRefused("token_refused", str(error)) from error

    async def verify(self, token: str) -> Identity:
        """Return whose bearer token this is: one of this provider, made for this application.

        Raises:
            CredentialInvalid: it is not accepted.
            IssuerUnavailable: the provider does not answer.
        """
        try:
            found = await self.describe()
        except SignInRefused as error:
            raise IssuerUnavailable from error
        try:
            claims = await decode_token(token, self._signing_keys(found), issuer=found["issuer"])
        except PyJWTError as error:
            raise refused(error, token, found["issuer"]) from error
        audience = claims.get("aud")
        named = cast("list[object]", audience) if isinstance(audience, list) else [audience]
        if self._audience not in named and claims.get("azp") != self._client_id:
            raise CredentialInvalid("The token was issued to another application. Ask for one of this application, or "
                                    "set AUTOMATOS_JWT_AUDIENCE on the server.")
        return read_identity(claims, trusts_email=self._trusts_email)

    async def sign_out_address(self, id_token: str | None, back: str) -> str | None:
        """Return the provider's address that ends its own session and leads back; None when it offers none."""
        try:
            end = (await self.describe()).get("end_session_endpoint")
        except SignInRefused:
            return None
        if not isinstance(end, str) or urlsplit(end).scheme not in {"http", "https"}:
            return None
        hint = {"id_token_hint": id_token} if id_token else {}
        query = urlencode({**hint, "client_id": self._client_id, "post_logout_redirect_uri": back})
        return f"{end}{'&' if '?' in end else '?'}{query}"

    async def describe(self) -> dict[str, Any]:
        """Return the provider's description of itself.

        Raises:
            SignInRefused: it does not answer, or the description is of another issuer.
        """
        if self._found and time.monotonic() - self._found_at < KEEP_DISCOVERY_S:
            return self._found
        try:
            found = await _fetch("GET", self._issuer.rstrip("/") + DISCOVERY)
        except (OSError, ValueError, aiohttp.ClientError) as error:
            if self._found:
                return self._found
            raise SignInRefused("provider_unavailable", f"{self._issuer}: {error or type(error).__name__}") from error
        if fault := self._fault_of(found):
            raise SignInRefused("provider_misconfigured", fault)
        self._found, self._found_at = found, time.monotonic()
        return found

    def _fault_of(self, found: dict[str, Any]) -> str | None:
        """Say what is wrong with a description; a slash at the issuer's end is nobody's fault."""
        missing = [name for name in NEEDED if not isinstance(found.get(name), str)]
        if missing:
            return f"{self._issuer}{DISCOVERY} lacks {', '.join(missing)}"
        issuer = found["issuer"]
        if "{tenantid}" in issuer:
            return "this is Entra's address for everybody; set AUTOMATOS_OIDC_ISSUER to that of your own tenant"
        if issuer.rstrip("/") != self._issuer.rstrip("/"):
            return f"AUTOMATOS_OIDC_ISSUER is {self._issuer}, and the provider there calls itself {issuer}"
        return None

    async def _trade(self, found: dict[str, Any], pending: Pending, code: str) -> dict[str, Any]:
        url, headers, text = self._flow(found).token_request(
            code, verifier=pending.verifier, redirect_uri=pending.redirect_uri)
        try:
            answer = await _fetch("POST", url, headers=headers, data=text)
        except (OSError, ValueError, aiohttp.ClientError) as error:
            raise SignInRefused("provider_unavailable", str(error) or type(error).__name__) from error
        if "error" in answer:
            said = f"{answer['error']}: {answer.get('error_description', '')}"[:300]
            raise SignInRefused("provider_refused", f"the token endpoint says {said}")
        return answer

    async def _claims(self, found: dict[str, Any], token: str) -> dict[str, Any]:
        try:
            return await decode_token(token, self._signing_keys(found), issuer=found["issuer"],
                                      audience=self._client_id)
        except IssuerUnavailable as error:
            raise SignInRefused("provider_unavailable", "its signing keys cannot be fetched") from error
        except (ExpiredSignatureError, ImmatureSignatureError) as error:
            raise SignInRefused("clock_skew", refused(error, token, found["issuer"]).detail) from error
        except (PyJWTError, CredentialInvalid) as error:
            raise SignInRefused("token_refused", str(error)) from error

    def _signing_keys(self, found: dict[str, Any]) -> SigningKeys:
        if self._keys is None or self._keys.url != found["jwks_uri"]:
            self._keys = SigningKeys(found["jwks_uri"])
        return self._keys

    def _flow(self, found: dict[str, Any]) -> "CodeFlow":
        from automatos.workspaces.code_flow import CodeFlow

        return CodeFlow(found, self._client_id, self._secret, self._scope)


async def _fetch(method: str, url: str, **options: Any) -> dict[str, Any]:
    """Return a JSON object of the provider; an error that says what is wrong (400, 401) is one too."""
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    async with aiohttp.ClientSession(timeout=timeout, trust_env=True) as http, http.request(
        method, url, allow_redirects=method == "GET", **options
    ) as response:
        text = await response.read()  # JSON says its own encoding; a charset of the header could name any codec
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or (response.status != 200 and "error" not in found):
        raise ValueError(f"{urlsplit(url)._replace(query='').geturl()} answered {response.status} without what is "
                         "needed")
    return cast("dict[str, Any]", found)
