"""Response headers that tell browsers how little to trust: framing, sniffing, scripts, origins."""

import base64
import hashlib
import re
from typing import Final

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from automatos.kernel.config import Settings
from automatos.workspaces.service import clerk_host

API_POLICY: Final = "default-src 'none'; frame-ancestors 'none'"
KEPT_BY_NOBODY: Final = (b"cache-control", b"no-store")
INLINE_SCRIPT: Final = re.compile(r"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL | re.IGNORECASE)

EXACT_ORIGIN: Final = re.compile(r"https?://[^/\s*?#@]+")
CORS_METHODS: Final = ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")
CORS_HEADERS: Final = ("Content-Type", "Authorization", "X-API-Key", "X-Workspace-ID", "X-Request-ID",
                       "X-Requested-With", "If-Match", "If-None-Match", "Idempotency-Key", "Last-Event-ID")
CORS_EXPOSED: Final = ("X-Request-ID", "X-Routing-Agent-ID", "X-Routing-Confidence", "X-Routing-Type",
                       "X-Routing-Reasoning", "X-Routing-Request-ID", "ETag", "Location", "Retry-After")


class SecurityHeaders:
    """Adds the headers that every response carries; one that the response has set itself stays."""

    def __init__(self, app: ASGIApp, *, settings: Settings) -> None:
        self.app = app
        self._headers = [
            (b"x-content-type-options", b"nosniff"),
            (b"x-frame-options", b"DENY"),
            (b"referrer-policy", b"strict-origin-when-cross-origin"),
            (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
            (b"content-security-policy", API_POLICY.encode()),
        ]
        if settings.is_production:
            self._headers.append((b"strict-transport-security", b"max-age=63072000; includeSubDomains; preload"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        is_of_api = scope["path"].startswith("/api/")

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = message.get("headers", ())
                names = {name for name, _ in present}
                added = [header for header in self._headers if header[0] not in names]
                if is_of_api and b"cache-control" not in names and (b"etag" not in names or b"set-cookie" in names):
                    added.append(KEPT_BY_NOBODY)  # the API's answers are one caller's, and some carry a credential
                message["headers"] = [*present, *added]
            await send(message)

        await self.app(scope, receive, send_guarded)


def exact_origins(settings: Settings) -> frozenset[str]:
    """Return the origins that may call with credentials; raises ValueError for one that is not exact, such as `*`.

    The default is for work on the web app; outside development an origin is let in by name or not at all.
    """
    if settings.environment != "development" and "cors_allow_origins" not in settings.model_fields_set:
        return frozenset()
    for origin in settings.cors_allow_origins:
        if not EXACT_ORIGIN.fullmatch(origin):
            raise ValueError(
                f"CORS_ALLOW_ORIGINS: {origin!r} is not one exact origin such as https://app.example.com; "
                "browsers send credentials, so wildcards are not taken."
            )
    return frozenset(settings.cors_allow_origins)


def allow_origins(app: ASGIApp, origins: frozenset[str]) -> CORSMiddleware:
    """Wrap an application so that exactly these origins may call it with credentials."""
    return CORSMiddleware(app, allow_origins=origins, allow_credentials=True, allow_methods=CORS_METHODS,
                          allow_headers=CORS_HEADERS, expose_headers=CORS_EXPOSED)


def page_policy(settings: Settings, html: str) -> str:
    """Return the security policy of an HTML page: own files, its own inline scripts by hash, and Clerk's host."""
    host = clerk_host(settings.clerk_publishable_key)
    clerk = f" https://{host}" if host else ""
    scripts = "".join(f" '{_digest(script)}'" for script in INLINE_SCRIPT.findall(html) if script.strip())
    return "; ".join([
        "default-src 'self'",
        f"script-src 'self'{scripts}{clerk}",
        "style-src 'self' 'unsafe-inline'",
        f"img-src 'self' data:{' https://img.clerk.com' if host else ''}",
        "font-src 'self' data:",
        f"connect-src 'self'{clerk}",
        f"worker-src 'self'{' blob:' if host else ''}",
        f"frame-src {'https://challenges.cloudflare.com' if host else chr(39) + 'none' + chr(39)}",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ])


def _digest(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
