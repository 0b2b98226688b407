"""Serves the built web app: its page for every address inside the app, its files under their own names."""

import mimetypes
import re
from pathlib import Path
from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from automatos.entrypoints.headers import page_policy
from automatos.kernel.config import Settings

STATIC: Final = Path(__file__).parent.parent / "static"
IMMUTABLE: Final = "public, max-age=31536000, immutable"
REVALIDATE: Final = "no-cache"

RELATIVE: Final = re.compile(r"""((?:src|href)=["'])\./""")

NOT_BUILT: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Automatos: the web app is not built</title></head>
<body style="font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem">
<h1>The web app is not built</h1>
<p>The server runs and its API answers, but this installation has no web app. Build it, then reload this page:</p>
<pre>cd web
npm ci
npm run build</pre>
<p>An installation from a wheel or with <code>pip install .</code> contains it.
The API is described at <a href="./api/docs">/api/docs</a>.</p>
</body></html>
"""


class WebApp:
    """Answers what no route took: pages and files of the app for browsers, 404 for the rest."""

    def __init__(self, settings: Settings, root: Path = STATIC) -> None:
        self._settings = settings
        self._root = root.resolve()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; raises 404 for whatever is neither a file nor a page of the app."""
        if scope["type"] != "http":
            raise HTTPException(404)
        await self._answer(scope)(scope, receive, send)

    def page(self) -> Response:
        """Return the app's page, or one that says how to build it."""
        index = self._root / "index.html"
        html = under_base(index.read_text() if index.is_file() else NOT_BUILT, self._settings.base_path)
        return HTMLResponse(html, headers={
            "Cache-Control": REVALIDATE, "Content-Security-Policy": page_policy(self._settings, html), "Vary": "Accept",
        })

    def _answer(self, scope: Scope) -> Response:
        path: str = scope["path"]
        if scope["method"] not in {"GET", "HEAD"} or path == "/api" or path.startswith("/api/"):
            raise HTTPException(404)
        if file := self._find(path):
            return _file_response(file, scope, is_asset=path.startswith("/assets/"))
        is_file_name = "." in path.rsplit("/", 1)[-1]
        if f"{path}/".startswith("/assets/") or is_file_name or not wants_page(scope):
            raise HTTPException(404)
        return self.page()

    def _find(self, path: str) -> Path | None:
        """Return the file of that name inside the app; hidden names and ways out of it are never found."""
        parts = [part for part in path.split("/") if part]
        if not parts or any(part.startswith(".") or "\\" in part for part in parts):
            return None
        file = self._root.joinpath(*parts).resolve()
        return file if file.is_relative_to(self._root) and file.is_file() and file.name != "index.html" else None


def under_base(html: str, base_path: str) -> str:
    """Write the path that this server lies under into a page whose own addresses are relative."""
    html = RELATIVE.sub(rf"\1{base_path}/", html)
    return html.replace('<meta name="base-path" content=""', f'<meta name="base-path" content="{base_path}"')


def wants_page(scope: Scope) -> bool:
    """Say whether the client is a browser that opens an address, rather than a program that calls one."""
    return "text/html" in Headers(scope=scope).get("accept", "")


def _file_response(file: Path, scope: Scope, *, is_asset: bool) -> Response:
    headers = {"Cache-Control": IMMUTABLE if is_asset else REVALIDATE, "Vary": "Accept-Encoding"}
    media_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    packed = file.with_name(file.name + ".gz")
    if "gzip" in Headers(scope=scope).get("accept-encoding", "") and packed.is_file():
        headers["Content-Encoding"] = "gzip"
        file = packed
    return FileResponse(file, media_type=media_type, headers=headers)
