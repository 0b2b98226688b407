"""An identity provider on loopback: publishes generated keys over a real socket and signs tokens with them."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm


@dataclass
class SigningKey:
    """A private key under the id it is published by."""

    kid: str
    private: Any
    algorithm: str = "RS256"

    @classmethod
    def rsa(cls, kid: str) -> "SigningKey":
        return cls(kid, rsa.generate_private_key(public_exponent=65537, key_size=2048))

    @classmethod
    def elliptic(cls, kid: str) -> "SigningKey":
        return cls(kid, ec.generate_private_key(ec.SECP256R1()), "ES256")

    @property
    def public_pem(self) -> str:
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ).decode()

    @property
    def published(self) -> dict[str, Any]:
        writer = {"ES256": ECAlgorithm, "EdDSA": OKPAlgorithm}.get(self.algorithm, RSAAlgorithm)
        named = {"kid": self.kid} if self.kid else {}
        return json.loads(writer.to_jwk(self.private.public_key())) | named | {"use": "sig", "alg": self.algorithm}


@dataclass
class Issuer:
    """What the provider publishes, how often it was asked, and a pen to sign with."""

    url: str = ""
    keys: list[SigningKey] = field(default_factory=lambda: [SigningKey.rsa("first")])
    fetches: int = 0
    is_down: bool = False

    @property
    def jwks_url(self) -> str:
        return f"{self.url}/.well-known/jwks.json"

    def claims(self, **changed: Any) -> dict[str, Any]:
        """Return the claims of a good token; a claim set to None is left out."""
        now = int(time.time())
        good = {"iss": self.url, "sub": "user_1", "iat": now, "exp": now + 60, "azp": "http://localhost:3000"}
        return {name: value for name, value in (good | changed).items() if value is not None}

    def token(self, *, key: SigningKey | None = None, kid: str | None = None, **changed: Any) -> str:
        """Sign a token with the first published key, or with another one under whatever id."""
        key = key or self.keys[0]
        return jwt.encode(self.claims(**changed), key.private, key.algorithm, headers={"kid": kid or key.kid})

    async def answer(self, _: web.Request) -> web.Response:
        self.fetches += 1
        if self.is_down:
            return web.Response(status=503)
        return web.json_response({"keys": [key.published for key in self.keys]})


@asynccontextmanager
async def running_issuer() -> AsyncIterator[Issuer]:
    """Serve an issuer on a free port of loopback while the block runs."""
    issuer = Issuer()
    app = web.Application()
    app.router.add_get("/.well-known/jwks.json", issuer.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    issuer.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield issuer
    finally:
        await runner.cleanup()
