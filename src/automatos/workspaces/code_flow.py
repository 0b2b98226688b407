"""The authorization code flow with PKCE, by Authlib; loaded when somebody first signs in at a provider."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus, urlencode

import jwt
from authlib.common.security import generate_token
from authlib.oauth2 import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc.errors import JoseError

from automatos.workspaces.claims import LEEWAY_S
from automatos.workspaces.errors import SignInRefused

SECRET_IN_HEADER = "client_secret_basic"  # noqa: S105 - a method


class CodeFlow:
    """One application's requests to a provider that describes itself as `found`.

    The secret goes as the provider takes it, in the header where it says nothing.
    """

    def __init__(self, found: Mapping[str, Any], client_id: str, secret: str | None, scope: str) -> None:
        methods = found.get("token_endpoint_auth_methods_supported") or [SECRET_IN_HEADER]
        posts = SECRET_IN_HEADER not in methods and "client_secret_post" in methods
        method = "none" if secret is None else "client_secret_post" if posts else SECRET_IN_HEADER
        self._found, self._client_id, self._secret = found, client_id, secret
        self._client = OAuth2Client(
            None, client_id=client_id, client_secret=secret, scope=scope, token_endpoint_auth_method=method,
            code_challenge_method="S256",
        )

    def login_address(self, *, state: str, nonce: str, verifier: str, redirect_uri: str) -> str:
        """Return the provider's address to send the browser to."""
        url, _ = self._client.create_authorization_url(
            self._found["authorization_endpoint"], state=state, code_verifier=verifier, nonce=nonce,
            redirect_uri=redirect_uri)
        return url

    def token_request(self, code: str, *, verifier: str, redirect_uri: str) -> tuple[str, dict[str, str], str]:
        """Return address, headers and body of the request that trades a code for tokens."""
        client = self._client
        if client.token_endpoint_auth_method == SECRET_IN_HEADER:  # RFC 6749 2.3.1: as in a form, then as Basic
            client.client_id, client.client_secret = quote_plus(self._client_id), quote_plus(self._secret or "")
        body = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri,
                "code_verifier": verifier}
        return client.client_auth(client.token_endpoint_auth_method).prepare(
            "POST", self._found["token_endpoint"],
            {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}, urlencode(body),
        )


def new_secret(length: int) -> str:
    """Return a random word of so many letters and digits."""
    return generate_token(length)


def check_id_token(claims: dict[str, Any], token: str, *, nonce: str, client_id: str, access_token: Any) -> None:
    """Refuse a token that was not made for this sign-in; raises SignInRefused."""
    try:
        CodeIDToken(claims, jwt.get_unverified_header(token), params={
            "nonce": nonce, "client_id": client_id, "access_token": access_token}).validate(leeway=LEEWAY_S)
    except JoseError as error:
        raise SignInRefused("token_refused", str(error)) from error
