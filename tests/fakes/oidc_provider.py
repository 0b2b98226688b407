"""An OpenID Connect provider on loopback: description, login page, token endpoint, keys and sign-out, as on the wire.

It is as strict as the real ones: exact redirect address, PKCE, one use for each code, the client's secret.
"""

import base64
import hashlib
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from html import escape
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode

import jwt
from aiohttp import web

from tests.fakes.issuer import SigningKey

LAYOUTS = {
    "keycloak": ("/realms/acme", "/protocol/openid-connect/auth", "/protocol/openid-connect/token",
                 "/protocol/openid-connect/certs", "/protocol/openid-connect/logout"),
    "entra": ("/11111111-2222-3333-4444-555555555555/v2.0", "/authorize", "/token", "/keys", "/logout"),
    "authentik": ("/application/o/automatos/", "authorize/", "token/", "jwks/", "end-session/"),
}
LOGIN = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Acme sign-in</title></head><body>
<h1>Acme sign-in</h1><form method="post" action="{action}"><label>User <input name="user"></label>
<button>Sign in</button></form><form method="post" action="{action}"><input type="hidden" name="deny" value="1">
<button>Cancel</button></form></body></html>"""


@dataclass
class Provider:
    """A provider with one client; `people` are the claims of whoever may sign in, by what they type."""

    layout: str = "keycloak"
    client_id: str = "automatos"
    client_secret: str | None = "wire-secret"
    auth_methods: list[str] | None = None
    redirect_uris: list[str] = field(default_factory=list[str])
    people: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    keys: list[SigningKey] = field(default_factory=lambda: [SigningKey.rsa("first")])
    clock_s: int = 0
    bend: dict[str, Any] = field(default_factory=dict[str, Any])
    described: dict[str, Any] = field(default_factory=dict[str, Any])
    is_down: bool = False
    asked: list[str] = field(default_factory=list[str])
    url: str = ""
    _codes: dict[str, tuple[dict[str, str], str]] = field(default_factory=dict[str, Any])

    @property
    def issuer(self) -> str:
        return self.url + LAYOUTS[self.layout][0]

    def endpoint(self, index: int) -> str:
        """Return the whole address of the endpoint at this place of the layout."""
        return self.issuer + LAYOUTS[self.layout][index]

    def settings(self, **more: Any) -> dict[str, str]:
        """Return the variables of a server that trusts this provider."""
        chosen = {"AUTOMATOS_OIDC_ISSUER": self.issuer, "AUTOMATOS_OIDC_CLIENT_ID": self.client_id,
                  "AUTOMATOS_OIDC_NAME": "Acme"} | more
        return chosen | ({"AUTOMATOS_OIDC_CLIENT_SECRET": self.client_secret} if self.client_secret else {})

    async def describe(self, _: web.Request) -> web.Response:
        if self.is_down:
            return web.Response(status=503, text="<html>upstream</html>")
        methods = self.auth_methods or ["client_secret_basic", "client_secret_post"]
        return web.json_response({
            "issuer": self.issuer, "authorization_endpoint": self.endpoint(1), "token_endpoint": self.endpoint(2),
            "jwks_uri": self.endpoint(3), "end_session_endpoint": self.endpoint(4),
            "response_types_supported": ["code"], "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": methods,
        } | self.described)

    async def publish(self, _: web.Request) -> web.Response:
        if self.is_down:
            return web.Response(status=503)
        date = formatdate(time.time() + self.clock_s, usegmt=True)
        return web.json_response({"keys": [key.published for key in self.keys]}, headers={"Date": date})

    async def authorize(self, request: web.Request) -> web.Response:
        """Show the login page, and after it lead back with a code; a wrong request is refused on the spot."""
        asked = dict(request.query)
        if fault := self._fault_of(asked):
            return web.Response(status=400, text=fault)
        if request.method == "GET":
            page = LOGIN.format(action=escape(str(request.rel_url)))
            return web.Response(text=page, content_type="text/html")
        form = await request.post()
        back = {"state": asked["state"], "iss": self.issuer, "session_state": secrets.token_hex(8)}
        if form.get("deny") or str(form.get("user")) not in self.people:
            back |= {"error": "access_denied", "error_description": "The <b>user</b> said no"}
        else:
            back["code"] = secrets.token_urlsafe(24)
            self._codes[back["code"]] = (asked, str(form["user"]))
        raise web.HTTPFound(f"{asked['redirect_uri']}?{urlencode(back)}")

    def _fault_of(self, asked: dict[str, str]) -> str | None:
        wanted = {"client_id": self.client_id, "response_type": "code", "code_challenge_method": "S256"}
        for name, value in wanted.items():
            if asked.get(name) != value:
                return f"invalid_request: {name}"
        if asked.get("redirect_uri") not in self.redirect_uris:
            return f"invalid redirect_uri: {asked.get('redirect_uri')}"
        if "openid" not in asked.get("scope", "").split():
            return "invalid_scope"
        return None if all(len(asked.get(name, "")) >= 22 for name in ("state", "nonce", "code_challenge")) else "weak"

    async def token(self, request: web.Request) -> web.Response:
        """Trade a code, once, for tokens."""
        form = {name: values[0] for name, values in parse_qs(await request.text()).items()}
        client = self._client_of(request, form)
        if client != (self.client_id, self.client_secret):
            return web.json_response({"error": "invalid_client"}, status=401)
        asked, user = self._codes.pop(form.get("code", ""), (None, ""))
        proof = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest()).rstrip(b"=")
        if asked is None or asked["redirect_uri"] != form.get("redirect_uri") or (
            asked["code_challenge"] != proof.decode()
        ):
            return web.json_response({"error": "invalid_grant", "error_description": "Code not valid"}, status=400)
        return web.json_response({
            "access_token": secrets.token_urlsafe(16), "token_type": "Bearer", "expires_in": 300,
            "id_token": self.id_token(nonce=asked["nonce"], **self.people[user]),
        })

    def id_token(self, **claims: Any) -> str:
        """Sign an ID token by this provider's own clock; a claim set to None is left out."""
        now = int(time.time()) + self.clock_s
        whole = {"iss": self.issuer, "aud": self.client_id, "iat": now, "exp": now + 300} | claims | self.bend
        key = self.keys[0]
        return jwt.encode({name: value for name, value in whole.items() if value is not None}, key.private,
                          key.algorithm, headers={"kid": key.kid})

    def _client_of(self, request: web.Request, form: dict[str, str]) -> tuple[str | None, str | None]:
        header = request.headers.get("Authorization", "")
        self.asked.append("basic" if header else "post" if "client_secret" in form else "none")
        if self.auth_methods and f"client_secret_{self.asked[-1]}" not in self.auth_methods:
            return None, None
        if header.startswith("Basic "):
            name, _, secret = base64.b64decode(header[6:]).decode().partition(":")
            return unquote_plus(name), unquote_plus(secret)
        return form.get("client_id"), form.get("client_secret")

    async def leave(self, request: web.Request) -> web.Response:
        self.asked.append(f"logout {'with' if request.query.get('id_token_hint') else 'without'} hint")
        raise web.HTTPFound(request.query["post_logout_redirect_uri"])


@asynccontextmanager
async def running_provider(**options: Any) -> AsyncIterator[Provider]:
    """Serve a provider on a free port of loopback while the block runs."""
    provider = Provider(**options)
    base, authorize, token, keys, logout = LAYOUTS[provider.layout]
    app = web.Application()
    app.router.add_get(base.rstrip("/") + "/.well-known/openid-configuration", provider.describe)
    app.router.add_route("*", base + authorize, provider.authorize)
    app.router.add_post(base + token, provider.token)
    app.router.add_get(base + keys, provider.publish)
    app.router.add_get(base + logout, provider.leave)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    provider.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield provider
    finally:
        await runner.cleanup()
